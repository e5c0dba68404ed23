"""Tests of the storage, one file per module."""
