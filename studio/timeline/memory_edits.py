"""Operations on what shots read: accept a take as it is, forget frames, presets, the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from storage.records import Cut, Shot
from storage.shot_memory import Accepted, Forgotten
from studio.timeline.edit import (
    Edit,
    EditRefused,
    edited,
    find_shot,
    find_unlocked,
    known,
    name_of,
    names_of,
)
from studio.timeline.reading import LEAST_BUDGET, MOST_BUDGET

PRESETS = {
    "cut": "Cut",
    "same_place": "Same place",
    "same_character": "Same character",
    "continuous": "Continuous",
}
CONTINUOUS_STRENGTH = 3.0
"""Leans further towards memory than the model's default of 2; chosen by eye."""
MOST_PARTS = 200
"""Ranges that one shot may forget."""


def accept(cut: Cut, shot_ids: Sequence[str], accepted: Mapping[str, Accepted]) -> Edit:
    """Take the takes of shots as they are: what they would read now counts as what they read."""
    label = f"Accept {names_of(cut, known(cut, shot_ids))} as is"
    for shot_id in shot_ids:
        if shot_id not in accepted:
            name = name_of(cut, shot_id)
            raise EditRefused(f"{name} has no generated take. There is nothing to accept.")
    chosen = set(shot_ids)
    shots = tuple(
        _with(shot, accepted=accepted[shot.shot_id]) if shot.shot_id in chosen else shot
        for shot in cut.shots
    )
    return edited("accept", label, cut, shots)


def forget_frames(cut: Cut, shot_id: str, parts: Sequence[Forgotten]) -> Edit:
    """Set which frames of earlier shots' takes a shot never reads. Their pictures stay."""
    shot = find_unlocked(cut, shot_id)
    if len(parts) > MOST_PARTS:
        raise EditRefused(f"{len(parts)} ranges to forget. Expected at most {MOST_PARTS}.")
    for part in parts:
        name = name_of(cut, find_shot(cut, part.shot_id).shot_id)
        if not 0 <= part.start < part.after:
            raise EditRefused(
                f"Frames {part.start} to {part.after} of {name}. Expected 0 <= first < end."
            )
    kept = tuple(dict.fromkeys(parts))
    added = [part for part in kept if part not in shot.memory.hidden]
    label = f"Change what {name_of(cut, shot_id)} forgets"
    if len(added) == 1:
        one = added[0]
        what = f"frames {one.start} to {one.after - 1} of {name_of(cut, one.shot_id)}"
        label = f"Forget {what} in {name_of(cut, shot_id)}"
    return edited("forget_frames", label, cut, _put(cut, _with(shot, hidden=kept)))


def use_preset(cut: Cut, shot_id: str, preset: str) -> Edit:
    """Set strength and what is read by one word.

    Cut: nothing. Same place: the shot before it, as it is. Same character: everything, with the
    model's own strength. Continuous: everything, more strongly, the shot before it always.
    """
    if preset not in PRESETS:
        raise EditRefused(f"No preset {preset[:40]!r}. Expected one of {sorted(PRESETS)}.")
    shot = find_unlocked(cut, shot_id)
    earlier = [s.shot_id for s in cut.shots[: cut.shots.index(shot)] if not s.muted]
    before = tuple(earlier[-1:])
    memory = replace(shot.memory, strength=None, pins=(), forgotten=(), hidden=())
    if preset == "cut":
        memory = replace(memory, strength=0.0)
    elif preset == "same_place":
        memory = replace(memory, strength=1.0, forgotten=tuple(earlier[:-1]))
    elif preset == "continuous":
        memory = replace(memory, strength=CONTINUOUS_STRENGTH, pins=before)
    label = f"Set the memory of {name_of(cut, shot_id)} to {PRESETS[preset]}"
    return edited("memory_preset", label, cut, _put(cut, replace(shot, memory=memory)))


def set_budget(cut: Cut, tokens: int | None) -> Edit:
    """Set how many memory tokens a shot reads at most; None = the studio's default."""
    if tokens is not None and not LEAST_BUDGET <= tokens <= MOST_BUDGET:
        raise EditRefused(
            f"A budget of {tokens:,} tokens. Expected {LEAST_BUDGET:,} to {MOST_BUDGET:,}."
        )
    label = "Reset the memory budget" if tokens is None else f"Set the memory budget to {tokens:,}"
    return Edit(kind="set_budget", label=label, cut=replace(cut, memory_budget=tokens))


def _with(shot: Shot, **changes: object) -> Shot:
    return replace(shot, memory=replace(shot.memory, **changes))  # type: ignore[arg-type]


def _put(cut: Cut, shot: Shot) -> tuple[Shot, ...]:
    return tuple(shot if s.shot_id == shot.shot_id else s for s in cut.shots)
