"""Faults on purpose: what `app.py torture` breaks, and how it looks afterwards."""
