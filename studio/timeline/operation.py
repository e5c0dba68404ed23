"""An operation as the page sends it (a JSON object) carried out on a cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.records import Cut
from storage.shot_memory import Accepted, Forgotten
from studio.timeline import edits, fields, markers, memory_edits
from studio.timeline.edit import Edit, EditRefused, Material, NewId
from studio.timeline.plan import EngineFacts, legal_length


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What operations need to know beside the cut."""

    facts: EngineFacts
    materials: Mapping[str, Material]
    """Takes that shots of the cut may show, by id."""
    new_id: NewId
    accepted: Mapping[str, Accepted] = field(default_factory=dict)
    """What "accept as is" would store, by shot. Only for that operation."""


def run(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    """Return the edit that `op` describes.

    Raises:
        EditRefused: an unknown kind, a field of the wrong type, or one that does not fit the cut.
    """
    kind = op.get("kind")
    if not isinstance(kind, str) or kind not in _OPERATIONS:
        raise EditRefused(
            f"No operation {str(kind)[:40]!r}. Expected one of {sorted(_OPERATIONS)}."
        )
    return _OPERATIONS[kind](cut, op, setting)


def _move(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    return edits.move(cut, _ids(op), before=_before(op))


def _trim(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    shot_id = _id(op)
    shot = next((s for s in cut.shots if s.shot_id == shot_id), None)
    material = setting.materials.get(shot.take_id) if shot and shot.take_id else None
    return edits.trim(cut, shot_id, in_=_int(op, "in"), out=_int(op, "out"), material=material)


def _delete(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    return edits.delete(cut, _ids(op))


def _duplicate(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    return edits.duplicate(cut, _ids(op), new_id=setting.new_id)


def _insert(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    facts = setting.facts
    asked = facts.default_frames if op.get("num_frames") is None else _int(op, "num_frames")
    length = legal_length(asked, facts)
    if asked != length:
        raise EditRefused(
            f"A length of {asked} frames. Lengths are 1 + {facts.frame_multiple}k; "
            f"the nearest is {length}."
        )
    more = op.get("fields", {})
    if not isinstance(more, Mapping) or "num_frames" in more:
        raise EditRefused("The fields do not fit. Expected an object without num_frames.")
    first = {
        "prompt": op.get("prompt", ""),
        "title": op.get("title", ""),
        "memory_system": facts.memory_system,
    }
    return edits.insert(
        cut,
        before=_before(op),
        num_frames=length,
        fields={**first, **more},
        new_id=setting.new_id,
    )


def _split(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    return edits.split(
        cut, _id(op), frame=_int(op, "frame"), new_id=setting.new_id, facts=setting.facts
    )


def _clear(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    return edits.clear(cut, _ids(op), facts=setting.facts)


def _set(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    wanted = op.get("fields")
    if not isinstance(wanted, Mapping):
        raise EditRefused("The operation has no fields. Expected an object of a shot's fields.")
    ids = _ids(op) if "shot_ids" in op else [_id(op)]
    return fields.set_fields(cut, ids, wanted, facts=setting.facts)


def _solo(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    return fields.solo(cut, _ids(op))


def _set_memory(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    pins, forgotten = _ids(op, "pins"), _ids(op, "forgotten")
    return fields.set_memory(cut, _id(op), pins=pins, forgotten=forgotten)


def _add_marker(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    return markers.add(cut, frame=_int(op, "frame"), label=op.get("label", ""))


def _rename_marker(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    return markers.rename(cut, frame=_int(op, "frame"), label=op.get("label", ""))


def _move_marker(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    return markers.move(cut, frame=_int(op, "frame"), to=_int(op, "to"))


def _delete_markers(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    frames = op.get("frames")
    if not isinstance(frames, list):
        raise EditRefused("The operation has no frames. Expected a list of the markers' frames.")
    return markers.delete(cut, [_int({"frames": frame}, "frames") for frame in frames])


def _pick_take(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    take_id = op.get("take_id")
    material = setting.materials.get(take_id) if isinstance(take_id, str) else None
    if material is None:
        raise EditRefused(f"Take {str(take_id)[:40]!r} is not one of this project's takes.")
    return edits.pick_take(cut, _id(op), material=material)


def _accept(cut: Cut, op: Mapping[str, Any], setting: Setting) -> Edit:
    return memory_edits.accept(cut, _ids(op), setting.accepted)


def _forget_frames(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    parts = op.get("parts")
    if not isinstance(parts, list):
        raise EditRefused("The operation has no parts. Expected a list of frame ranges.")
    ranges = [part if isinstance(part, Mapping) else {} for part in parts]
    found = [
        Forgotten(shot_id=_id(part), start=_int(part, "start"), after=_int(part, "after"))
        for part in ranges
    ]
    return memory_edits.forget_frames(cut, _id(op), found)


def _memory_preset(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    return memory_edits.use_preset(cut, _id(op), str(op.get("preset", "")))


def _set_budget(cut: Cut, op: Mapping[str, Any], _: Setting) -> Edit:
    tokens = None if op.get("tokens") is None else _int(op, "tokens")
    return memory_edits.set_budget(cut, tokens)


_OPERATIONS: dict[str, Callable[[Cut, Mapping[str, Any], Setting], Edit]] = {
    "move": _move,
    "trim": _trim,
    "delete": _delete,
    "clear": _clear,
    "duplicate": _duplicate,
    "insert": _insert,
    "split": _split,
    "set": _set,
    "solo": _solo,
    "set_memory": _set_memory,
    "pick_take": _pick_take,
    "accept": _accept,
    "forget_frames": _forget_frames,
    "memory_preset": _memory_preset,
    "set_budget": _set_budget,
    "add_marker": _add_marker,
    "rename_marker": _rename_marker,
    "move_marker": _move_marker,
    "delete_markers": _delete_markers,
}


def _ids(op: Mapping[str, Any], name: str = "shot_ids") -> list[str]:
    value = op.get(name)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise EditRefused(f"The operation has no {name}. Expected a list of ids.")
    return value


def _id(op: Mapping[str, Any]) -> str:
    value = op.get("shot_id")
    if not isinstance(value, str):
        raise EditRefused("The operation has no shot_id. Expected the id of a shot.")
    return value


def _before(op: Mapping[str, Any]) -> str | None:
    value = op.get("before")
    if value is not None and not isinstance(value, str):
        raise EditRefused("`before` is not an id. Expected a shot's id, or null for the end.")
    return value


def _int(op: Mapping[str, Any], name: str) -> int:
    value = op.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise EditRefused(f"{name} is {str(value)[:40]!r}. Expected a whole number of frames.")
    return value
