"""Storyboards that are no storyboards."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HOSTILE: Mapping[str, str] = MappingProxyType(
    {
        "five million characters": "a" * 5_000_000,
        "deep JSON": '{"a":' * 100_000,
        "JSON with no number": '{"shots": [{"prompt": "a", "seconds": NaN}]}',
        "JSON with an endless shot": '{"shots": [{"prompt": "a", "seconds": 1e300}]}',
        "JSON with a negative shot": '{"shots": [{"prompt": "a", "frames": -9}]}',
        "JSON of another kind": '{"shots": "rm -rf"}',
        "time that goes back": "00:00:09:00 a\n00:00:01:00 b",
        "time beyond a day": "99:99:99:99 a",
    }
)
"""Texts by what is wrong with them."""
