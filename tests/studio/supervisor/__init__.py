"""Tests of the workers that run the queue."""
