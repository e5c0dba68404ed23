"""Tests of film out and footage in."""
