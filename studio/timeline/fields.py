"""The fields of a shot: what each may hold, and the operations that set them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from storage.records import Cut, FramePin, Shot, ShotParams
from storage.shot_memory import ShotMemory
from studio.timeline.edit import (
    Edit,
    EditRefused,
    edited,
    find_unlocked,
    known,
    name_of,
    names_of,
    replaced,
)
from studio.timeline.frame_pins import pin_of
from studio.timeline.plan import EngineFacts, legal_length

MAX_TEXT = 4000
"""Longest prompt or title in characters."""
MAX_SEED = 2**53 - 1
"""Largest seed: the largest whole number that every browser keeps exact."""
FREE = frozenset({"locked", "muted", "title"})
"""Fields that a lock does not hold: a lock keeps a shot's picture, not its place."""


def set_fields(
    cut: Cut, shot_ids: Sequence[str], fields: Mapping[str, Any], *, facts: EngineFacts
) -> Edit:
    """Set fields of shots: title, prompt, seed, num_frames, locked, muted, strength, ..."""
    if not fields:
        raise EditRefused("No fields were given. Expected at least one of a shot's fields.")
    names = names_of(cut, known(cut, shot_ids))
    if "num_frames" in fields:
        length = _whole(fields["num_frames"], "num_frames", 1, facts.max_frames)
        if length != legal_length(length, facts):
            raise EditRefused(
                f"A length of {length} frames. Lengths are 1 + {facts.frame_multiple}k; the "
                f"nearest is {legal_length(length, facts)}."
            )
    chosen = set(shot_ids)
    for shot in cut.shots:
        if shot.shot_id in chosen and shot.locked and set(fields) - FREE:
            raise EditRefused(f"{name_of(cut, shot.shot_id)} is locked. Unlock it to change it.")
    shots = tuple(with_fields(s, fields) if s.shot_id in chosen else s for s in cut.shots)
    return edited("set", f"{_set_label(fields)} {names}", cut, shots)


def solo(cut: Cut, shot_ids: Sequence[str]) -> Edit:
    """Mute every shot but these, so that film and memory hold them alone; none = unmute all."""
    chosen = set(known(cut, shot_ids))
    shots = tuple(replace(s, muted=bool(chosen) and s.shot_id not in chosen) for s in cut.shots)
    label = f"Solo {names_of(cut, shot_ids)}" if shot_ids else "Unmute every shot"
    return edited("solo", label, cut, shots)


def set_memory(cut: Cut, shot_id: str, *, pins: Sequence[str], forgotten: Sequence[str]) -> Edit:
    """Set which earlier shots a shot always reads, and which it never reads again."""
    shot = find_unlocked(cut, shot_id)
    known(cut, [*pins, *forgotten])
    memory = replace(shot.memory, pins=tuple(pins), forgotten=tuple(forgotten))
    return replaced("set_memory", "Change the memory of", cut, replace(shot, memory=memory))


def seed_of(shot_id: str) -> int:
    """Return the seed a new shot gets: drawn from its id, so that edits stay pure."""
    return int.from_bytes(hashlib.sha256(shot_id.encode()).digest()[:4], "big")


def new_shot(shot_id: str, prompt: str, num_frames: int, title: str) -> Shot:
    """Return a shot without a take."""
    return Shot(
        shot_id=shot_id,
        title=text(title, "title"),
        prompt=text(prompt, "prompt"),
        num_frames=num_frames,
        in_=0,
        out=num_frames,
        take_id=None,
        locked=False,
        muted=False,
        params=ShotParams(seed=seed_of(shot_id)),
        memory=ShotMemory(),
    )


def with_fields(shot: Shot, fields: Mapping[str, Any]) -> Shot:
    """Return the shot with `fields` set, or refuse an unknown name or a value that does not fit."""
    for name, value in fields.items():
        if name not in _SETTERS:
            raise EditRefused(f"A shot has no field {name!r}. Expected one of {sorted(_SETTERS)}.")
        shot = _SETTERS[name](shot, value)
    return shot


def planned(shot: Shot, num_frames: int) -> Shot:
    """Set the length of the next generation; a shot without a take is shown at that length."""
    if shot.take_id is not None:
        return replace(shot, num_frames=num_frames)
    return replace(shot, num_frames=num_frames, in_=0, out=num_frames)


def _params(shot: Shot, **changes: Any) -> Shot:
    return replace(shot, params=replace(shot.params, **changes))


def _memory(shot: Shot, **changes: Any) -> Shot:
    return replace(shot, memory=replace(shot.memory, **changes))


_SETTERS: dict[str, Callable[[Shot, Any], Shot]] = {
    "title": lambda s, v: replace(s, title=text(v, "title")),
    "prompt": lambda s, v: replace(s, prompt=text(v, "prompt")),
    "num_frames": lambda s, v: planned(s, _whole(v, "num_frames", 1, 100_000)),
    "locked": lambda s, v: replace(s, locked=_flag(v, "locked")),
    "muted": lambda s, v: replace(s, muted=_flag(v, "muted")),
    "seed": lambda s, v: _params(s, seed=_whole(v, "seed", 0, MAX_SEED)),
    "num_steps": lambda s, v: _params(s, num_steps=_whole(v, "num_steps", 0, 1000)),
    "guidance": lambda s, v: _params(s, guidance=_scale(v, "guidance", 30)),
    "strength": lambda s, v: _memory(s, strength=_scale(v, "strength", 10)),
    "memory_system": lambda s, v: _memory(s, system=_name_of_system(v)),
    "start": lambda s, v: _params(s, start=_pin(v, "start")),
    "end": lambda s, v: _params(s, end=_pin(v, "end")),
}


def text(value: Any, name: str) -> str:
    """Return `value` where it is text that can be stored, or refuse it as the `name`."""
    if not isinstance(value, str) or "\0" in value:
        raise EditRefused(f"The {name} is not text. Expected text without NUL characters.")
    if len(value) > MAX_TEXT:
        raise EditRefused(f"A {name} of {len(value)} characters. Expected at most {MAX_TEXT}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise EditRefused(f"The {name} holds half a character ({error.reason}).") from error
    return value


def _pin(value: Any, name: str) -> FramePin | None:
    try:
        return pin_of(value, name)
    except ValueError as error:
        raise EditRefused(str(error)) from error


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


def _set_label(fields: Mapping[str, Any]) -> str:
    if len(fields) > 1:
        return f"Change {len(fields)} fields of"
    name, value = next(iter(fields.items()))
    if name == "locked":
        return "Lock" if value else "Unlock"
    if name == "muted":
        return "Mute" if value else "Unmute"
    if name in ("start", "end"):
        return f"{'Pin' if value else 'Clear'} the {name} frame of"
    words = {"num_frames": "length", "num_steps": "steps", "memory_system": "memory system"}
    return f"Change the {words.get(name, name)} of"
