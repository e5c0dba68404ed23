"""Tests of the routes, the push and the guard."""
