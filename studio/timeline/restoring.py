"""Shots brought back from what a video says of itself: its takes, prompts, seeds and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from storage.records import Cut
from studio.timeline import edits
from studio.timeline.edit import Edit, EditRefused, Material
from studio.timeline.fields import with_fields
from studio.timeline.plan import EngineFacts, legal_length


@dataclass(frozen=True, kw_only=True)
class RestoredShot:
    """A shot to be brought back."""

    shot_id: str
    material: Material
    in_: int
    out: int
    fields: Mapping[str, Any]
    """As a stranger wrote them: each goes through the check that an edit goes through."""


def restore_shots(
    cut: Cut, shots: Sequence[RestoredShot], *, name: str, facts: EngineFacts
) -> Edit:
    """Add shots that show takes of the library, with the fields these were made from.

    Raises:
        EditRefused: a field or a trim that no shot may have.
    """
    takes = [(s.shot_id, s.material, "") for s in shots]
    made = edits.import_footage(cut, before=None, takes=takes, name=name).cut
    for shot in shots:
        made = set_checked(made, shot.shot_id, shot.fields, facts=facts)
        trim = {"in_": shot.in_, "out": shot.out, "material": shot.material}
        made = edits.trim(made, shot.shot_id, **trim).cut  # type: ignore[arg-type]
    number = "1 shot" if len(shots) == 1 else f"{len(shots)} shots"
    return Edit(kind="restore_shots", label=f"Restore {number} from {name[:80]}", cut=made)


def set_checked(
    cut: Cut, shot_id: str, fields: Mapping[str, Any], *, facts: EngineFacts | None = None
) -> Cut:
    """Return the cut with fields of one shot set, each checked as an edit checks it.

    With `facts` the length of the shot's next take becomes one that the model can make.

    Raises:
        EditRefused: a field that no shot may have.
    """
    shot = next(s for s in cut.shots if s.shot_id == shot_id)
    made = with_fields(shot, fields)
    if facts is not None:
        made = replace(made, num_frames=legal_length(made.num_frames, facts))
    return replace(cut, shots=tuple(made if s is shot else s for s in cut.shots))


def emptied(cut: Cut, take_id: str, *, instead: Material | None, number: int) -> Edit:
    """Take a take out of every shot that shows it: another is shown there, or nothing.

    Raises:
        EditRefused: one of the shots is locked.
    """
    names = []
    shots = []
    for index, shot in enumerate(cut.shots):
        if shot.take_id != take_id:
            shots.append(shot)
            continue
        names.append(f"Shot {index + 1}")
        if shot.locked:
            raise EditRefused(f"{names[-1]} is locked. Unlock it to change its take.")
        length = shot.num_frames if instead is None else instead.num_frames
        taken = None if instead is None else instead.take_id
        shots.append(replace(shot, take_id=taken, in_=0, out=length))
    label = f"Trash take {number} of {' and '.join(names[:3])}"
    return Edit(kind="trash_take", label=label, cut=replace(cut, shots=tuple(shots)))
