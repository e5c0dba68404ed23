"""What a shot reads of the shots before it: system, strength, pins, and what it forgets.

Rules about reading, part of the cut: they are undone like any edit, and no entry ever changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """Frames of a shot's take that are never read."""

    shot_id: str
    start: int
    """First frame of the take that is left out."""
    after: int
    """Frame after the last one that is left out."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """What a shot would read when the editor took its take as it is."""

    take_id: str
    keys: tuple[str, ...]
    """Short names of what it read, in order."""
    inputs: str
    """Digest of everything else that the take is asked to be made from."""


@dataclass(frozen=True, kw_only=True)
class ShotMemory:
    """What a shot reads of the shots before it."""

    system: str = "frame_preservation"
    strength: float | None = None
    """Memory guidance scale. None = the model's default, 0 = none."""
    pins: tuple[str, ...] = ()
    """Shots that are always read."""
    forgotten: tuple[str, ...] = ()
    """Shots that are never read."""
    hidden: tuple[Forgotten, ...] = ()
    """Parts of shots that are never read."""
    accepted: Accepted | None = None
    """Set by "accept as is". None = the take counts as it was made."""


def memory_to_json(memory: ShotMemory) -> dict[str, Any]:
    """Return the memory of a shot as a JSON object."""
    value: dict[str, Any] = {
        "system": memory.system,
        "strength": float_or_none(memory.strength),
        "pins": list(memory.pins),
        "forgotten": list(memory.forgotten),
    }
    if memory.hidden:
        value["hidden"] = [[part.shot_id, part.start, part.after] for part in memory.hidden]
    if memory.accepted is not None:
        accepted = memory.accepted
        value["accepted"] = {
            "take_id": accepted.take_id,
            "keys": list(accepted.keys),
            "inputs": accepted.inputs,
        }
    return value


def memory_from_json(value: Mapping[str, Any]) -> ShotMemory:
    """Return the memory of a JSON object; missing fields get defaults."""
    return ShotMemory(
        system=str(value.get("system", ShotMemory().system)),
        strength=float_or_none(value.get("strength")),
        pins=tuple(str(shot_id) for shot_id in value.get("pins", ())),
        forgotten=tuple(str(shot_id) for shot_id in value.get("forgotten", ())),
        hidden=tuple(
            Forgotten(shot_id=str(shot_id), start=int(start), after=int(after))
            for shot_id, start, after in value.get("hidden", ())
        ),
        accepted=_accepted_from_json(value.get("accepted")),
    )


def _accepted_from_json(value: Mapping[str, Any] | None) -> Accepted | None:
    if value is None:
        return None
    return Accepted(
        take_id=str(value["take_id"]),
        keys=tuple(str(key) for key in value["keys"]),
        inputs=str(value["inputs"]),
    )


def float_or_none(value: float | None) -> float | None:
    """Return a number as a float, so that 1 and 1.0 are stored alike."""
    return None if value is None else float(value)
