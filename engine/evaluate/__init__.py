"""Measuring: one table a file, printed by `python -m engine.evaluate.<table>`."""
