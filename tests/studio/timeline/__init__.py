"""Tests of the pure timeline."""
