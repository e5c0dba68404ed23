"""What differs between two cuts, shot by shot, in an editor's words. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from storage.records import Cut, Shot


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A shot that both cuts have and that is not the same in them."""

    shot_id: str
    fields: tuple[str, ...]
    """What differs: take, prompt, trim, length, title, settings, memory, locked, muted."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What it takes to get from one cut to the other. Shots are named by id."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]
    moved: tuple[str, ...]
    """Shots that stand elsewhere among those that both cuts have; as few as explain the order."""


_FIELDS: dict[str, Callable[[Shot], Any]] = {
    "take": lambda shot: shot.take_id,
    "prompt": lambda shot: shot.prompt,
    "trim": lambda shot: (shot.in_, shot.out),
    "length": lambda shot: shot.num_frames,
    "title": lambda shot: shot.title,
    "settings": lambda shot: shot.params,
    "memory": lambda shot: shot.memory,
    "locked": lambda shot: shot.locked,
    "muted": lambda shot: shot.muted,
}


def difference(before: Cut, after: Cut) -> Difference:
    """Return what differs between two cuts of one project."""
    old = {shot.shot_id: shot for shot in before.shots}
    new = {shot.shot_id: shot for shot in after.shots}
    pairs = ((old[i], new[i]) for i in old if i in new)
    changed = (Changed(shot_id=a.shot_id, fields=changed_fields(a, b)) for a, b in pairs)
    return Difference(
        added=tuple(i for i in new if i not in old),
        removed=tuple(i for i in old if i not in new),
        changed=tuple(one for one in changed if one.fields),
        moved=_moved([i for i in old if i in new], [i for i in new if i in old]),
    )


def changed_fields(before: Shot, after: Shot) -> tuple[str, ...]:
    """Return what differs between two states of a shot."""
    return tuple(name for name, read in _FIELDS.items() if read(before) != read(after))


def _moved(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """Return what is not in a longest run of shots that kept their order."""
    place = {shot_id: index for index, shot_id in enumerate(before)}
    # Patience sorting: `ends[n]` is the smallest place in which a run of n + 1 shots can end.
    ends: list[int] = []
    lengths: list[int] = []
    for shot_id in after:
        length = bisect.bisect_left(ends, place[shot_id])
        ends[length : length + 1] = [place[shot_id]]
        lengths.append(length)
    kept, wanted = set(), len(ends) - 1
    for shot_id, length in zip(reversed(after), reversed(lengths), strict=True):
        if length == wanted:
            kept.add(shot_id)
            wanted -= 1
    return tuple(i for i in after if i not in kept)
