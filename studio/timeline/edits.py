"""Operations on the shots of a cut: each returns a new cut with a label, or refuses.

Every operation is pure and leaves the cut it was given as it was. Material is never destroyed: a
trim moves in and out inside the take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from storage.records import Cut, Shot
from studio.timeline.cut import duration
from studio.timeline.edit import (
    Edit,
    EditRefused,
    Material,
    NewId,
    count,
    edited,
    find_unlocked,
    known,
    name_of,
    names_of,
    place_before,
    replaced,
)
from studio.timeline.fields import new_shot, planned, with_fields
from studio.timeline.plan import EngineFacts, Plan, legal_length


def apply_storyboard(
    cut: Cut,
    plan: Plan,
    *,
    mode: Literal["append", "replace"],
    new_id: NewId,
    seed: int | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Edit:
    """Add the planned shots at the end, or in place of all that are not locked.

    `seed` is the first shot's; the next ones count up. None = a seed from each shot's own id.
    `defaults` are fields for shots that the storyboard says nothing about.
    """
    if not plan.shots:
        raise EditRefused("The storyboard has no beats. Write at least one line with a time.")
    kept = cut.shots if mode == "append" else tuple(s for s in cut.shots if s.locked)
    added = []
    for index, asked in enumerate(plan.shots):
        shot = new_shot(new_id(), asked.prompt, asked.num_frames, asked.title)
        given = {**(defaults or {}), **asked.params}
        if seed is not None and "seed" not in given:
            given["seed"] = seed + index
        added.append(with_fields(shot, given))
    label = f"Import a storyboard of {count(len(added))}"
    return edited("apply_storyboard", label, cut, kept + tuple(added))


def insert(
    cut: Cut, *, before: str | None, num_frames: int, fields: Mapping[str, Any], new_id: NewId
) -> Edit:
    """Add an empty shot before another one, or at the end, with `fields` set."""
    place = place_before(cut, before)
    shot = with_fields(new_shot(new_id(), "", num_frames, ""), fields)
    shots = (*cut.shots[:place], shot, *cut.shots[place:])
    return edited("insert", f"Add Shot {place + 1}", cut, shots)


def import_footage(
    cut: Cut,
    *,
    before: str | None,
    takes: Sequence[tuple[str, Material, str]],
    name: str,
) -> Edit:
    """Add shots that show footage: (shot id, its take, title) for each piece."""
    place = place_before(cut, before)
    added = []
    for shot_id, material, title in takes:
        shot = new_shot(shot_id, "", material.num_frames, title)
        added.append(replace(shot, take_id=material.take_id, out=material.num_frames))
    shots = cut.shots[:place] + tuple(added) + cut.shots[place:]
    return edited("import_footage", f"Import {name[:80]} ({count(len(added))})", cut, shots)


def move(cut: Cut, shot_ids: Sequence[str], *, before: str | None) -> Edit:
    """Move shots, in the order they have, before another one or to the end."""
    chosen = set(known(cut, shot_ids))
    moved = tuple(s for s in cut.shots if s.shot_id in chosen)
    place_before(cut, before)
    after_anchor = False
    head: list[Shot] = []
    tail: list[Shot] = []
    for shot in cut.shots:
        after_anchor = after_anchor or shot.shot_id == before
        if shot.shot_id not in chosen:
            (tail if after_anchor else head).append(shot)
    return edited("move", f"Move {names_of(cut, shot_ids)}", cut, (*head, *moved, *tail))


def delete(cut: Cut, shot_ids: Sequence[str]) -> Edit:
    """Take shots out of the cut; what follows moves up. Their takes stay stored."""
    chosen = {find_unlocked(cut, shot_id, verb="delete").shot_id for shot_id in shot_ids}
    shots = tuple(s for s in cut.shots if s.shot_id not in chosen)
    return edited("delete", f"Delete {names_of(cut, shot_ids)}", cut, shots)


def clear(cut: Cut, shot_ids: Sequence[str], *, facts: EngineFacts) -> Edit:
    """Leave shots empty: prompt and settings stay, and the length as near as the model can make it.

    Their takes stay stored. Shots that are empty already are left as they are.
    """
    names = names_of(cut, shot_ids)
    chosen = {find_unlocked(cut, shot_id, verb="empty").shot_id for shot_id in shot_ids}
    if all(s.take_id is None for s in cut.shots if s.shot_id in chosen):
        raise EditRefused(
            f"{names}: nothing to empty, there is no take. Delete takes out the shot."
        )
    shots = tuple(
        planned(replace(s, take_id=None), legal_length(duration(s), facts))
        if s.shot_id in chosen and s.take_id
        else s
        for s in cut.shots
    )
    change = sum(map(duration, shots)) - sum(map(duration, cut.shots))
    return edited("clear", f"Empty {names}{f' ({change:+} frames)' if change else ''}", cut, shots)


def duplicate(cut: Cut, shot_ids: Sequence[str], *, new_id: NewId) -> Edit:
    """Put a copy after each of the shots, showing the same take."""
    chosen = set(known(cut, shot_ids))
    shots: list[Shot] = []
    for shot in cut.shots:
        shots.append(shot)
        if shot.shot_id in chosen:
            shots.append(replace(shot, shot_id=new_id(), locked=False))
    return edited("duplicate", f"Duplicate {names_of(cut, shot_ids)}", cut, tuple(shots))


def trim(cut: Cut, shot_id: str, *, in_: int, out: int, material: Material | None) -> Edit:
    """Set the in and out points inside the shot's take; out is the first frame not shown.

    Where both move by the same, the shot shows another part of its take: that is called a slip.
    """
    shot = find_unlocked(cut, shot_id)
    if material is None:
        raise EditRefused(
            f"{name_of(cut, shot_id)} has no take to trim. Change its length, or generate it first."
        )
    if not 0 <= in_ < out <= material.num_frames:
        raise EditRefused(
            f"A trim from {in_} to {out}. Expected 0 <= in < out <= {material.num_frames}."
        )
    is_slip = out - in_ == duration(shot) and in_ != shot.in_
    return replaced("trim", "Slip" if is_slip else "Trim", cut, replace(shot, in_=in_, out=out))


def split(cut: Cut, shot_id: str, *, frame: int, new_id: NewId, facts: EngineFacts) -> Edit:
    """Cut a shot in two; `frame` counts from its first shown frame and starts the second half.

    Without a take the planned length is shared, rounded to lengths the model can make.
    """
    shot = find_unlocked(cut, shot_id)
    length = shot.out - shot.in_
    if not 0 < frame < length:
        raise EditRefused(f"A split at frame {frame}. Expected 1 to {length - 1}, inside the shot.")
    if shot.take_id is None:
        first = planned(shot, legal_length(frame, facts))
        second = replace(planned(shot, legal_length(length - frame, facts)), shot_id=new_id())
    else:
        first = replace(shot, out=shot.in_ + frame)
        second = replace(shot, shot_id=new_id(), in_=shot.in_ + frame)
    place = cut.shots.index(shot)
    shots = (*cut.shots[:place], first, second, *cut.shots[place + 1 :])
    return edited("split", f"Split {name_of(cut, shot_id)}", cut, shots)


def pick_take(cut: Cut, shot_id: str, *, material: Material) -> Edit:
    """Show another take in a shot, whole; a trim is kept where the length stays the same."""
    shot = find_unlocked(cut, shot_id)
    in_, out = 0, material.num_frames
    if shot.take_id is not None and shot.out <= material.num_frames == shot.num_frames:
        in_, out = shot.in_, shot.out
    label = f"Pick take {material.number} of"
    picked = replace(shot, take_id=material.take_id, in_=in_, out=out)
    return replaced("pick_take", label, cut, picked)
