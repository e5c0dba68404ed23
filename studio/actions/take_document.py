"""A take as the page sees it, and the same as JSON text, which is kept: a take never changes."""

from __future__ import annotations

import heapq
import json
import operator

from storage.kept import Kept
from storage.records import Json, Take
from studio.actions.stamp import when
from studio.timeline.names import names_in

MOST_SOURCES = 32
"""Sources of a take that a document names: each shot of a long film reads hundreds of takes."""
_SHARE_DIGITS = 5

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_texts: Kept[tuple[str, str], str] = Kept(8192)


def take_to_json(take: Take, *, num_sources: int | None = None) -> Json:
    """Return a take as the page sees it, with the sources it read most of; None = with all."""
    weight = operator.itemgetter("weight")
    count = len(take.sources) if num_sources is None else num_sources
    sources = heapq.nlargest(count, take.sources, key=weight)
    return {
        "take_id": take.id,
        "number": take.number,
        "kind": take.kind,
        "media": f"/media/{take.media_digest}.mp4",
        "strip": f"/media/{take.strip_digest}.jpg",
        "strip_tiles": take.strip_tiles,
        "num_frames": take.num_frames,
        "memory_tokens": take.memory_tokens,
        "seed": take.seed,
        "sources": sources,
        "seconds": dict(take.seconds),
        "prompt": take.spec.get("prompt", ""),
        "names": sorted(names_in(take.spec.get("prompt", ""))),
        "note": _note_of(take),
        "created_at": when(take.created_at),
    }


def take_text(take: Take) -> str:
    """Return the JSON text of a take as a document names it, with its strongest sources."""
    return _texts.get((take.id, take.row_digest), lambda: _text_of(take))


def json_text(value: object) -> str:
    """Return a value as compact JSON text, as answers are written."""
    return _encoder.encode(value)


def _text_of(take: Take) -> str:
    told = take_to_json(take, num_sources=MOST_SOURCES)
    told["sources"] = [
        source | {"weight": round(source["weight"], _SHARE_DIGITS)} for source in told["sources"]
    ]
    return json_text(told)


def _note_of(take: Take) -> str:
    stopped_at = take.spec.get("stopped_at")
    if not stopped_at:
        return ""
    return f"Cancelled at step {stopped_at} of {take.spec.get('num_steps', '?')}"
