"""Stored times as text that every browser reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def when(microseconds: int) -> str:
    """Return a stored time as text that every browser reads."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return at.isoformat(timespec="milliseconds")
