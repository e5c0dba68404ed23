"""Markers stay on the pictures they were put on: where an edit of the shots carries them.

The lane has no gaps, so that every edit moves what follows. A marker that stayed at its number of
frames would soon stand on something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from storage.records import Marker, Shot
from studio.timeline.cut import duration


def carried(
    markers: Sequence[Marker], before: Sequence[Shot], after: Sequence[Shot]
) -> tuple[Marker, ...]:
    """Return `markers` of the shots `before` as they stand on the shots `after`, in order.

    A marker follows its frame of the take; where that is not shown any more, it goes to the
    nearest frame of its shot, or to the start of the next shot that is left. No two markers share
    a frame: a later one gives way to the right.
    """
    if not markers or list(before) == list(after):
        return tuple(markers)
    old, new = _starts(before), _starts(after)
    places = {shot.shot_id: index for index, shot in enumerate(after)}
    moved, taken = [], set[int]()
    for marker in markers:
        index = next((i for i in range(len(before)) if marker.frame < old[i + 1]), None)
        if index is None:
            frame = new[-1] + marker.frame - old[-1]
        else:
            place, offset = _place(before, index, marker.frame - old[index], after, places)
            frame = new[place] + offset
        while frame in taken:
            frame += 1
        taken.add(frame)
        moved.append(replace(marker, frame=frame))
    return tuple(sorted(moved, key=lambda m: m.frame))


def _place(
    before: Sequence[Shot],
    index: int,
    offset: int,
    after: Sequence[Shot],
    places: dict[str, int],
) -> tuple[int, int]:
    """Return where frame `offset` of a shot went: the index of a shot, and the frame inside."""
    shot = before[index]
    if shot.shot_id not in places:
        left = (places[s.shot_id] for s in before[index + 1 :] if s.shot_id in places)
        return next(left, len(after)), 0
    place = places[shot.shot_id]
    home = after[place]
    if home.take_id != shot.take_id:
        return place, min(offset, duration(home) - 1)
    frame = shot.in_ + offset
    half = after[place + 1] if place + 1 < len(after) else None
    if half is not None and half.take_id == shot.take_id and frame >= home.out:
        # The other half of a split shot is new, and shows the same take.
        is_new = all(s.shot_id != half.shot_id for s in before)
        first = half.in_ if shot.take_id else home.out
        if is_new and frame >= first:
            return place + 1, min(frame - first, duration(half) - 1)
    return place, max(0, min(frame - home.in_, duration(home) - 1))


def _starts(shots: Sequence[Shot]) -> list[int]:
    starts = [0]
    for shot in shots:
        starts.append(starts[-1] + duration(shot))
    return starts
