"""Operations on the markers of a cut: named frames, at most one a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from storage.records import Cut, Marker
from studio.timeline.edit import Edit, EditRefused
from studio.timeline.fields import text

MAX_MARKERS = 1000
MAX_LABEL = 200
"""Longest label in characters."""
MAX_FRAME = 10_000_000
"""A marker may stand after the end of the film, but not out of all reach."""


def add(cut: Cut, *, frame: int, label: Any) -> Edit:
    """Add a marker at a frame of the cut that has none."""
    if len(cut.markers) >= MAX_MARKERS:
        raise EditRefused(f"There are {len(cut.markers)} markers. Expected at most {MAX_MARKERS}.")
    made = Marker(frame=_free(cut, frame), label=_label(label))
    return _edited("add_marker", f"Add {_name(made)}", cut, (*cut.markers, made))


def rename(cut: Cut, *, frame: int, label: Any) -> Edit:
    """Give the marker at `frame` another label."""
    named = replace(_find(cut, frame), label=_label(label))
    verb = f"Call a marker “{named.label[:40]}”" if named.label else "Take the name off a marker"
    return _edited("rename_marker", verb, cut, _with(cut, named))


def move(cut: Cut, *, frame: int, to: int) -> Edit:
    """Move the marker at `frame` to another frame that has none."""
    marker = _find(cut, frame)
    rest = tuple(m for m in cut.markers if m != marker)
    moved = replace(marker, frame=_free(replace(cut, markers=rest), to))
    return _edited("move_marker", f"Move {_name(marker)}", cut, (*rest, moved))


def delete(cut: Cut, frames: Sequence[int]) -> Edit:
    """Remove the markers at `frames`."""
    gone = [_find(cut, frame) for frame in dict.fromkeys(frames)]
    if not gone:
        raise EditRefused("No marker was named. Expected the frame of at least one.")
    label = f"Delete {_name(gone[0])}" if len(gone) == 1 else f"Delete {len(gone)} markers"
    left = tuple(m for m in cut.markers if m not in gone)
    return _edited("delete_markers", label, cut, left)


def _find(cut: Cut, frame: int) -> Marker:
    found = next((m for m in cut.markers if m.frame == frame), None)
    if found is None:
        raise EditRefused(f"There is no marker at frame {frame}. It may have been moved.")
    return found


def _free(cut: Cut, frame: int) -> int:
    if not 0 <= frame <= MAX_FRAME:
        raise EditRefused(f"A marker at frame {frame}. Expected 0 to {MAX_FRAME}.")
    if any(m.frame == frame for m in cut.markers):
        raise EditRefused(f"There is a marker at frame {frame} already. A frame has at most one.")
    return frame


def _label(value: Any) -> str:
    label = text(value, "label")
    if len(label) > MAX_LABEL:
        raise EditRefused(f"A label of {len(label)} characters. Expected at most {MAX_LABEL}.")
    return label


def _name(marker: Marker) -> str:
    return f"marker “{marker.label[:40]}”" if marker.label else "a marker"


def _with(cut: Cut, marker: Marker) -> tuple[Marker, ...]:
    return tuple(marker if m.frame == marker.frame else m for m in cut.markers)


def _edited(kind: str, label: str, cut: Cut, markers: tuple[Marker, ...]) -> Edit:
    ordered = tuple(sorted(markers, key=lambda m: m.frame))
    return Edit(kind=kind, label=label, cut=replace(cut, markers=ordered))
