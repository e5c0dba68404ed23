"""Tests of the drawn world."""
