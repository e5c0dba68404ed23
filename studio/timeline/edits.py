"""Operations on a cut: each returns a new cut with a label in an editor's words, or refuses.

Every operation is pure and leaves the cut it was given as it was. Material is never destroyed: a
trim moves in and out inside the take.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from storage.records import Cut, Shot, ShotMemory, ShotParams
from studio.timeline.cut import index_of
from studio.timeline.plan import EngineFacts, Plan, legal_length

MAX_TEXT = 4000
"""Longest prompt or title in characters."""
MAX_SHOTS = 2000
MAX_SEED = 2**53 - 1
"""Largest seed: the largest whole number that every browser keeps exact."""

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
    for index, planned in enumerate(plan.shots):
        shot = _new_shot(new_id(), planned.prompt, planned.num_frames, planned.title)
        given = {**(defaults or {}), **planned.params}
        if seed is not None and "seed" not in given:
            given["seed"] = seed + index
        added.append(_with_fields(shot, given))
    label = f"Import a storyboard of {_count(len(added))}"
    return _edit("apply_storyboard", label, cut, kept + tuple(added))


def insert(
    cut: Cut, *, before: str | None, prompt: str, num_frames: int, new_id: NewId, title: str = ""
) -> Edit:
    """Add an empty shot before another one, or at the end."""
    place = _place(cut, before)
    shot = _new_shot(new_id(), prompt, num_frames, title)
    shots = (*cut.shots[:place], shot, *cut.shots[place:])
    return _edit("insert", f"Add Shot {place + 1}", cut, shots)


def import_footage(
    cut: Cut,
    *,
    before: str | None,
    takes: Sequence[tuple[str, Material, str]],
    name: str,
) -> Edit:
    """Add shots that show footage: (shot id, its take, title) for each piece."""
    place = _place(cut, before)
    added = []
    for shot_id, material, title in takes:
        shot = _new_shot(shot_id, "", material.num_frames, title)
        added.append(replace(shot, take_id=material.take_id, out=material.num_frames))
    shots = cut.shots[:place] + tuple(added) + cut.shots[place:]
    return _edit("import_footage", f"Import {name[:80]} ({_count(len(added))})", cut, shots)


def move(cut: Cut, shot_ids: Sequence[str], *, before: str | None) -> Edit:
    """Move shots, in the order they have, before another one or to the end."""
    chosen = set(_known(cut, shot_ids))
    moved = tuple(s for s in cut.shots if s.shot_id in chosen)
    _place(cut, before)
    after_anchor = False
    head: list[Shot] = []
    tail: list[Shot] = []
    for shot in cut.shots:
        after_anchor = after_anchor or shot.shot_id == before
        if shot.shot_id not in chosen:
            (tail if after_anchor else head).append(shot)
    return _edit("move", f"Move {_names(cut, shot_ids)}", cut, (*head, *moved, *tail))


def delete(cut: Cut, shot_ids: Sequence[str]) -> Edit:
    """Take shots out of the cut; what follows moves up. Their takes stay stored."""
    chosen = set(_known(cut, shot_ids))
    for shot in cut.shots:
        if shot.shot_id in chosen and shot.locked:
            raise EditRefused(f"{_name(cut, shot.shot_id)} is locked. Unlock it to delete it.")
    shots = tuple(s for s in cut.shots if s.shot_id not in chosen)
    return _edit("delete", f"Delete {_names(cut, shot_ids)}", cut, shots)


def duplicate(cut: Cut, shot_ids: Sequence[str], *, new_id: NewId) -> Edit:
    """Put a copy after each of the shots, showing the same take."""
    chosen = set(_known(cut, shot_ids))
    shots: list[Shot] = []
    for shot in cut.shots:
        shots.append(shot)
        if shot.shot_id in chosen:
            shots.append(replace(shot, shot_id=new_id(), locked=False))
    return _edit("duplicate", f"Duplicate {_names(cut, shot_ids)}", cut, tuple(shots))


def trim(cut: Cut, shot_id: str, *, in_: int, out: int, material: Material | None) -> Edit:
    """Set the in and out points inside the shot's take; out is the first frame not shown."""
    shot = _unlocked(cut, shot_id)
    if material is None:
        raise EditRefused(
            f"{_name(cut, shot_id)} has no take to trim. Change its length, or generate it first."
        )
    if not 0 <= in_ < out <= material.num_frames:
        raise EditRefused(
            f"A trim from {in_} to {out}. Expected 0 <= in < out <= {material.num_frames}."
        )
    return _replaced("trim", "Trim", cut, replace(shot, in_=in_, out=out))


def split(cut: Cut, shot_id: str, *, frame: int, new_id: NewId, facts: EngineFacts) -> Edit:
    """Cut a shot in two; `frame` counts from its first shown frame and starts the second half.

    Without a take the planned length is shared, rounded to lengths the model can make.
    """
    shot = _unlocked(cut, shot_id)
    length = shot.out - shot.in_
    if not 0 < frame < length:
        raise EditRefused(f"A split at frame {frame}. Expected 1 to {length - 1}, inside the shot.")
    if shot.take_id is None:
        first = _planned(shot, legal_length(frame, facts))
        second = replace(_planned(shot, legal_length(length - frame, facts)), shot_id=new_id())
    else:
        first = replace(shot, out=shot.in_ + frame)
        second = replace(shot, shot_id=new_id(), in_=shot.in_ + frame)
    place = cut.shots.index(shot)
    shots = (*cut.shots[:place], first, second, *cut.shots[place + 1 :])
    return _edit("split", f"Split {_name(cut, shot_id)}", cut, shots)


def pick_take(cut: Cut, shot_id: str, *, material: Material) -> Edit:
    """Show another take in a shot, whole; a trim is kept where the length stays the same."""
    shot = _unlocked(cut, shot_id)
    in_, out = 0, material.num_frames
    if shot.take_id is not None and shot.out <= material.num_frames == shot.num_frames:
        in_, out = shot.in_, shot.out
    label = f"Pick take {material.number} of"
    picked = replace(shot, take_id=material.take_id, in_=in_, out=out)
    return _replaced("pick_take", label, cut, picked)


def set_fields(cut: Cut, shot_id: str, fields: Mapping[str, Any], *, facts: EngineFacts) -> Edit:
    """Set fields of a shot: title, prompt, seed, num_frames, locked, muted, strength, ..."""
    if not fields:
        raise EditRefused("No fields were given. Expected at least one of a shot's fields.")
    shot = _shot(cut, shot_id)
    if shot.locked and set(fields) - {"locked", "title"}:
        raise EditRefused(f"{_name(cut, shot_id)} is locked. Unlock it to change it.")
    if "num_frames" in fields:
        length = _whole(fields["num_frames"], "num_frames", 1, facts.max_frames)
        if length != legal_length(length, facts):
            raise EditRefused(
                f"A length of {length} frames. Lengths are 1 + {facts.frame_multiple}k; the "
                f"nearest is {legal_length(length, facts)}."
            )
    return _replaced("set", _set_label(fields), cut, _with_fields(shot, fields))


def set_memory(cut: Cut, shot_id: str, *, pins: Sequence[str], forgotten: Sequence[str]) -> Edit:
    """Set which earlier shots a shot always reads, and which it never reads again."""
    shot = _unlocked(cut, shot_id)
    _known(cut, [*pins, *forgotten])
    memory = replace(shot.memory, pins=tuple(pins), forgotten=tuple(forgotten))
    return _replaced("set_memory", "Change the memory of", cut, replace(shot, memory=memory))


def seed_of(shot_id: str) -> int:
    """Return the seed a new shot gets: drawn from its id, so that edits stay pure."""
    return int.from_bytes(hashlib.sha256(shot_id.encode()).digest()[:4], "big")


def _new_shot(shot_id: str, prompt: str, num_frames: int, title: str) -> Shot:
    return Shot(
        shot_id=shot_id,
        title=_text(title, "title"),
        prompt=_text(prompt, "prompt"),
        num_frames=num_frames,
        in_=0,
        out=num_frames,
        take_id=None,
        locked=False,
        muted=False,
        params=ShotParams(seed=seed_of(shot_id)),
        memory=ShotMemory(),
    )


def _with_fields(shot: Shot, fields: Mapping[str, Any]) -> Shot:
    for name, value in fields.items():
        if name not in _SETTERS:
            raise EditRefused(f"A shot has no field {name!r}. Expected one of {sorted(_SETTERS)}.")
        shot = _SETTERS[name](shot, value)
    return shot


def _planned(shot: Shot, num_frames: int) -> Shot:
    """Set the length of the next generation; a shot without a take is shown at that length."""
    if shot.take_id is not None:
        return replace(shot, num_frames=num_frames)
    return replace(shot, num_frames=num_frames, in_=0, out=num_frames)


def _params(shot: Shot, **changes: Any) -> Shot:
    return replace(shot, params=replace(shot.params, **changes))


def _memory(shot: Shot, **changes: Any) -> Shot:
    return replace(shot, memory=replace(shot.memory, **changes))


_SETTERS: dict[str, Callable[[Shot, Any], Shot]] = {
    "title": lambda s, v: replace(s, title=_text(v, "title")),
    "prompt": lambda s, v: replace(s, prompt=_text(v, "prompt")),
    "num_frames": lambda s, v: _planned(s, _whole(v, "num_frames", 1, 100_000)),
    "locked": lambda s, v: replace(s, locked=_flag(v, "locked")),
    "muted": lambda s, v: replace(s, muted=_flag(v, "muted")),
    "seed": lambda s, v: _params(s, seed=_whole(v, "seed", 0, MAX_SEED)),
    "num_steps": lambda s, v: _params(s, num_steps=_whole(v, "num_steps", 0, 1000)),
    "guidance": lambda s, v: _params(s, guidance=_scale(v, "guidance", 30)),
    "strength": lambda s, v: _memory(s, strength=_scale(v, "strength", 10)),
    "memory_system": lambda s, v: _memory(s, system=_name_of_system(v)),
}


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise EditRefused(f"The {name} is not text. Expected text without NUL characters.")
    if len(value) > MAX_TEXT:
        raise EditRefused(f"A {name} of {len(value)} characters. Expected at most {MAX_TEXT}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise EditRefused(f"The {name} holds half a character ({error.reason}).") from error
    return value


def _name_of_system(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 64:
        raise EditRefused(f"The memory system is {str(value)[:40]!r}. Expected a name.")
    return value


def _whole(value: Any, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise EditRefused(f"{name} is {str(value)[:40]}. Expected a whole number {low} to {high}.")
    return value


def _scale(value: Any, name: str, high: float) -> float | None:
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value <= high:
        raise EditRefused(f"{name} is {str(value)[:40]}. Expected 0 to {high}, or none.")
    return float(value)


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise EditRefused(f"{name} is {str(value)[:40]!r}. Expected true or false.")
    return value


def _shot(cut: Cut, shot_id: str) -> Shot:
    index = index_of(cut, shot_id)
    if index is None:
        raise EditRefused(f"Shot {shot_id[:40]!r} is not in this cut. It may have been deleted.")
    return cut.shots[index]


def _unlocked(cut: Cut, shot_id: str) -> Shot:
    shot = _shot(cut, shot_id)
    if shot.locked:
        raise EditRefused(f"{_name(cut, shot_id)} is locked. Unlock it to change it.")
    return shot


def _known(cut: Cut, shot_ids: Sequence[str]) -> Sequence[str]:
    for shot_id in shot_ids:
        _shot(cut, shot_id)
    return shot_ids


def _place(cut: Cut, before: str | None) -> int:
    return len(cut.shots) if before is None else cut.shots.index(_shot(cut, before))


def _name(cut: Cut, shot_id: str) -> str:
    return f"Shot {(index_of(cut, shot_id) or 0) + 1}"


def _names(cut: Cut, shot_ids: Sequence[str]) -> str:
    if not shot_ids:
        raise EditRefused("No shot was named. Expected at least one.")
    return _name(cut, shot_ids[0]) if len(shot_ids) == 1 else _count(len(set(shot_ids)))


def _count(number: int) -> str:
    return "1 shot" if number == 1 else f"{number} shots"


def _set_label(fields: Mapping[str, Any]) -> str:
    if len(fields) > 1:
        return f"Change {len(fields)} fields of"
    name, value = next(iter(fields.items()))
    if name == "locked":
        return "Lock" if value else "Unlock"
    if name == "muted":
        return "Mute" if value else "Unmute"
    words = {"num_frames": "length", "num_steps": "steps", "memory_system": "memory system"}
    return f"Change the {words.get(name, name)} of"


def _replaced(kind: str, verb: str, cut: Cut, shot: Shot) -> Edit:
    shots = tuple(shot if s.shot_id == shot.shot_id else s for s in cut.shots)
    return _edit(kind, f"{verb} {_name(cut, shot.shot_id)}", cut, shots)


def _edit(kind: str, label: str, cut: Cut, shots: tuple[Shot, ...]) -> Edit:
    if len(shots) > MAX_SHOTS:
        raise EditRefused(f"A cut of {len(shots)} shots. Expected at most {MAX_SHOTS}.")
    return Edit(kind=kind, label=label, cut=replace(cut, shots=shots))
