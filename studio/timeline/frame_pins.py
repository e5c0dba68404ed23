"""Pictures that a shot is pinned to, as the page sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.records import FramePin

SOURCES = ("take", "still", "neighbour")
MAX_FRAME = 100_000


def pin_of(value: Any, name: str) -> FramePin | None:
    """Return a pin as the page sends it, or None to take it away.

    Raises:
        ValueError: not a pin.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.get("source") not in SOURCES:
        raise ValueError(f"The {name} frame is no pin. Expected a source out of {list(SOURCES)}.")
    source, frame = value["source"], value.get("frame", 0)
    if isinstance(frame, bool) or not isinstance(frame, int) or not 0 <= frame <= MAX_FRAME:
        raise ValueError(f"The {name} frame is {str(frame)[:40]}. Expected a frame of a take.")
    names = {"take": "take_id", "still": "digest"}
    unknown = set(value) - {"source", "frame", "take_id", "digest"}
    wanted = names.get(source)
    text = value.get(wanted, "") if wanted else ""
    if unknown or not isinstance(text, str) or len(text) > 64 or bool(wanted) != bool(text):
        raise ValueError(f"The {name} frame names no {source}. Choose the frame again.")
    if source == "take":
        return FramePin(source="take", take_id=text, frame=frame)
    return FramePin(source="still" if source == "still" else "neighbour", digest=text)
