"""What every operation on a cut is made of: its result, its refusal, and how it names shots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from storage.records import Cut, Shot
from studio.timeline.carry import carried
from studio.timeline.cut import index_of

MAX_SHOTS = 2000

NewId = Callable[[], str]


class EditRefused(ValueError):
    """An operation does not fit the cut; the message says the number and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What an operation did."""

    kind: str
    label: str
    cut: Cut


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a take gives to a shot that shows it."""

    take_id: str
    number: int
    num_frames: int


def find_shot(cut: Cut, shot_id: str) -> Shot:
    """Return a shot of the cut by its id, or refuse."""
    index = index_of(cut, shot_id)
    if index is None:
        raise EditRefused(f"Shot {shot_id[:40]!r} is not in this cut. It may have been deleted.")
    return cut.shots[index]


def find_unlocked(cut: Cut, shot_id: str, *, verb: str = "change") -> Shot:
    """Return a shot of the cut that is not locked, or refuse to `verb` it."""
    shot = find_shot(cut, shot_id)
    if shot.locked:
        raise EditRefused(f"{name_of(cut, shot_id)} is locked. Unlock it to {verb} it.")
    return shot


def known(cut: Cut, shot_ids: Sequence[str]) -> Sequence[str]:
    """Return `shot_ids` where all of them are in the cut, or refuse."""
    for shot_id in shot_ids:
        find_shot(cut, shot_id)
    return shot_ids


def place_before(cut: Cut, before: str | None) -> int:
    """Return the index before which something goes: that of a shot, or the end."""
    return len(cut.shots) if before is None else cut.shots.index(find_shot(cut, before))


def name_of(cut: Cut, shot_id: str) -> str:
    """Return the name of a shot in labels and refusals: its place, counted from 1."""
    return f"Shot {(index_of(cut, shot_id) or 0) + 1}"


def names_of(cut: Cut, shot_ids: Sequence[str]) -> str:
    """Return one shot's name, or how many shots there are; refuse an empty list."""
    if not shot_ids:
        raise EditRefused("No shot was named. Expected at least one.")
    return name_of(cut, shot_ids[0]) if len(set(shot_ids)) == 1 else count(len(set(shot_ids)))


def count(number: int) -> str:
    """Return a number of shots in words."""
    return "1 shot" if number == 1 else f"{number} shots"


def replaced(kind: str, verb: str, cut: Cut, shot: Shot) -> Edit:
    """Return the edit that puts `shot` in the place of the one with its id."""
    shots = tuple(shot if s.shot_id == shot.shot_id else s for s in cut.shots)
    return edited(kind, f"{verb} {name_of(cut, shot.shot_id)}", cut, shots)


def edited(kind: str, label: str, cut: Cut, shots: tuple[Shot, ...]) -> Edit:
    """Return the edit that gives the cut other shots; markers stay with what they stand on."""
    if len(shots) > MAX_SHOTS:
        raise EditRefused(f"A cut of {len(shots)} shots. Expected at most {MAX_SHOTS}.")
    markers = carried(cut.markers, cut.shots, shots)
    return Edit(kind=kind, label=label, cut=replace(cut, shots=shots, markers=markers))
