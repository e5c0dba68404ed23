"""Commands that print the tables of docs/measurements. Never run by the tests."""
