"""A cut read as time: durations, starts, which shot stands at a frame, what a shot reads.

Frames of the cut are places on the lane, where a muted shot keeps its room. It is left out of the
film and of memory, as if absent: `shown_shots` are those that a film is made of.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from storage.canonical import digest_of
from storage.records import Cut, Shot, Take


@dataclass(frozen=True, kw_only=True)
class Located:
    """A frame of the cut, found in its shot."""

    shot: Shot
    index: int
    """Position of the shot in the cut."""
    frame: int
    """Frame within the shot's take (in point included), or within the planned length."""


def duration(shot: Shot) -> int:
    """Return how many frames of the lane `shot` takes."""
    return shot.out - shot.in_


def shown_shots(cut: Cut) -> tuple[Shot, ...]:
    """Return the shots that the film shows, in order."""
    return tuple(s for s in cut.shots if not s.muted)


def starts(cut: Cut) -> tuple[int, ...]:
    """Return the first frame of each shot, in order."""
    position, found = 0, []
    for shot in cut.shots:
        found.append(position)
        position += duration(shot)
    return tuple(found)


def total_frames(cut: Cut) -> int:
    """Return the length of the cut in frames."""
    return sum(duration(s) for s in cut.shots)


def locate(cut: Cut, frame: int) -> Located | None:
    """Return the shot that shows `frame` of the cut, or None outside of it."""
    if frame < 0:
        return None
    for index, (shot, start) in enumerate(zip(cut.shots, starts(cut), strict=True)):
        if start <= frame < start + duration(shot):
            return Located(shot=shot, index=index, frame=shot.in_ + frame - start)
    return None


def index_of(cut: Cut, shot_id: str) -> int | None:
    """Return the position of a shot, or None when it is not in the cut."""
    return next((i for i, s in enumerate(cut.shots) if s.shot_id == shot_id), None)


def shot_of(cut: Cut, shot_id: str) -> Shot | None:
    """Return a shot by its id, or None when it is not in the cut."""
    index = index_of(cut, shot_id)
    return None if index is None else cut.shots[index]


def takes_read(cut: Cut, reader: Shot | None, takes: Mapping[str, Take]) -> tuple[Take, ...]:
    """Return the takes whose entries `reader` reads, oldest first; None = the whole cut.

    Skipped: muted and forgotten shots, shots without a take, takes without latents (titles). Two
    shots that show the same latents (a split shot) are read once.
    """
    found: dict[str, Take] = {}
    forgotten: Iterable[str] = reader.memory.forgotten if reader else ()
    for shot in cut.shots:
        if reader is not None and shot.shot_id == reader.shot_id:
            break
        take = takes.get(shot.take_id) if shot.take_id else None
        if take is None or take.latents_digest is None:
            continue
        if not shot.muted and shot.shot_id not in forgotten:
            found.setdefault(take.latents_digest, take)
    return tuple(found.values())


def entry_keys(
    takes: Iterable[Take], fingerprint: str, scope: Literal["take", "chain"]
) -> tuple[str, ...]:
    """Return the key of each take's entry, in order. A chain entry depends on those before it."""
    keys: list[str] = []
    for take in takes:
        latents = take.latents_digest or ""
        if scope == "take":
            keys.append(_key(fingerprint, latents))
        else:
            keys.append(_key(fingerprint, keys[-1] if keys else "", latents))
    return tuple(keys)


@functools.lru_cache(maxsize=1 << 16)
def _key(*parts: str) -> str:
    # Every shot asks for the keys of all before it: without this, each document of a long cut
    # would hash the square of its shots.
    return sys.intern(digest_of(list(parts)))
