"""What identity is judged on: test shots rendered with their own, no and another story's memory."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch

from engine.context import MemoryState
from engine.evaluate.films import FilmedShot, film, make_take, published_story
from engine.models.judge import PICKS, Judge
from engine.recipes import Model
from engine.train.world.attributes import labels_of, visible_attributes
from engine.train.world.characters import Character
from engine.train.world.script import ShotScript

MemoryKind = Literal["drawn", "VAE", "own", "none", "wrong", "film"]
"""Whose memory a shot was rendered with. `drawn` and `VAE` are the true shot itself; `film` is a
shot of a whole film that the model made, its own takes in memory."""


@dataclass(frozen=True, kw_only=True)
class IdentityPlan:
    """What is rendered."""

    num_stories: int = 20
    num_shots: int = 10
    strengths: tuple[float, ...] = (1.0, 1.5, 2.0, 2.5, 3.0)
    """Memory strengths of the comparison."""
    with_positions: bool = True
    """Whether every shot index is rendered, with drawn shots in memory and as a film of its own."""
    seed: int = 0


QUICK = IdentityPlan(num_stories=1, num_shots=3, strengths=(1.0, 2.0), with_positions=False)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One shot, true or rendered, and what the judge read in it."""

    story: int
    position: int
    """Which shot of its story, from 1."""
    memory: MemoryKind
    strength: float
    read: Mapping[str, str]
    truth: Mapping[str, str]
    visible: frozenset[str]
    """Attributes that the true shot shows."""
    other: Mapping[str, str] | None
    """Look of the other character of the story where memory has seen both."""
    caption: str
    frame_HW3: torch.Tensor = field(repr=False)
    """The middle frame."""
    past_HW3: torch.Tensor = field(repr=False)
    """The middle frame of the newest drawn shot of the person."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A shot whose look only memory knows."""

    story: int
    position: int
    script: ShotScript
    past: list[FilmedShot]
    true_shot: FilmedShot

    @property
    def state(self) -> MemoryState:
        """The memory of everything before it."""
        return tuple(shot.entry for shot in self.past)

    @property
    def last_seen(self) -> FilmedShot:
        """The newest past shot of the person."""
        return self.past[self.script.same_person[-1]]


def targets_of(story: int, filmed: list[FilmedShot]) -> list[Target]:
    """Return the shots whose caption names a person without describing them again."""
    return [
        Target(
            story=story,
            position=index + 1,
            script=shot.script,
            past=filmed[:index],
            true_shot=shot,
        )
        for index, shot in enumerate(filmed)
        if index and not shot.script.described
    ]


def render_all(model: Model, judge: Judge, plan: IdentityPlan) -> Iterator[Outcome]:
    """Yield every outcome of the plan, story by story."""
    stories = [published_story(n, num_shots=plan.num_shots) for n in range(plan.num_stories + 1)]
    filmed = film(model, stories[0])
    for number in range(plan.num_stories):
        stranger = film(model, stories[number + 1])
        targets = targets_of(number, filmed)
        chosen = random.Random(plan.seed + number).choice(targets)
        yield from _compare(model, judge, chosen, stranger, plan)
        if plan.with_positions:
            yield from _by_position(model, judge, targets, plan, done=chosen)
            yield from _own_film(model, judge, targets, filmed, plan)
        filmed = stranger


def _compare(
    model: Model, judge: Judge, target: Target, stranger: list[FilmedShot], plan: IdentityPlan
) -> Iterator[Outcome]:
    shot = target.true_shot
    yield _judged(judge, target, shot.drawn_FHW3, "drawn", 0.0)
    yield _judged(judge, target, shot.soft_FHW3, "VAE", 0.0)
    seed = plan.seed + target.story
    wrong = tuple(other.entry for other in stranger[: len(target.past)])
    states: list[tuple[MemoryKind, MemoryState, float]] = [("none", (), 1.0)]
    states += [("own", target.state, strength) for strength in plan.strengths]
    states += [("wrong", wrong, strength) for strength in plan.strengths]
    for kind, state, strength in states:
        take = make_take(model, target.script, state, strength=strength, seed=seed)
        yield _judged(judge, target, take.frames_FHW3, kind, strength)


def _by_position(
    model: Model, judge: Judge, targets: list[Target], plan: IdentityPlan, *, done: Target
) -> Iterator[Outcome]:
    """Render every other target with drawn shots in memory, at the strength of the card."""
    strength = model.card.strength
    for target in targets:
        if target is not done or strength not in plan.strengths:
            take = make_take(
                model,
                target.script,
                target.state,
                strength=strength,
                seed=plan.seed + target.story,
            )
            yield _judged(judge, target, take.frames_FHW3, "own", strength)


def _own_film(
    model: Model,
    judge: Judge,
    targets: list[Target],
    filmed: list[FilmedShot],
    plan: IdentityPlan,
) -> Iterator[Outcome]:
    """Render the story from its first caption on, as an editor would: only its takes remember."""
    by_position = {target.position: target for target in targets}
    state: MemoryState = ()
    for index, shot in enumerate(filmed):
        seed = plan.seed + 1000 * targets[0].story + index
        take = make_take(model, shot.script, state, strength=model.card.strength, seed=seed)
        state = (*state, *take.entries)
        if index + 1 in by_position:
            target = by_position[index + 1]
            yield _judged(judge, target, take.frames_FHW3, "film", model.card.strength)


def _judged(
    judge: Judge, target: Target, frames_FHW3: torch.Tensor, memory: MemoryKind, strength: float
) -> Outcome:
    other = _other_character(target)
    return Outcome(
        story=target.story,
        position=target.position,
        memory=memory,
        strength=strength,
        read=judge.read(frames_FHW3).values,
        truth=labels_of(target.script),
        visible=visible_attributes(target.script, PICKS[::2]),
        other=None if other is None else {"shirt": other.shirt, "hat": other.hat},
        caption=target.script.caption,
        frame_HW3=_middle(frames_FHW3),
        past_HW3=_middle(target.last_seen.drawn_FHW3),
    )


def _middle(frames_FHW3: torch.Tensor) -> torch.Tensor:
    return frames_FHW3[len(frames_FHW3) // 2]


def _other_character(target: Target) -> Character | None:
    """Return who else the past shows."""
    name = target.script.character.name
    others = [shot.script.character for shot in target.past if shot.script.character.name != name]
    return others[-1] if others else None
