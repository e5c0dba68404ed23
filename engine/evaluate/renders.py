"""What identity is judged on: test shots rendered with their own, no and another story's memory."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

import torch

from engine.evaluate.films import (
    NO_PAST,
    FilmedShot,
    Past,
    film,
    names_of,
    past_of,
    published_story,
)
from engine.evaluate.takes import Order, Renderer
from engine.models.judge import PICKS, Judge
from engine.train.world.attributes import labels_of, visible_attributes
from engine.train.world.characters import Character
from engine.train.world.script import ShotScript

MemoryKind = Literal["drawn", "VAE", "own", "unnamed", "none", "wrong", "film", "first"]
"""Whose memory a shot was rendered with. `drawn` and `VAE` are the true shot itself; `unnamed` is
its own memory where nothing says who is in which past shot; `film` is a shot of a whole film that
the model made, its own takes in memory; `first` is the first of it."""


@dataclass(frozen=True, kw_only=True)
class IdentityPlan:
    """What is rendered."""

    num_stories: int = 24
    num_shots: int = 10
    strengths: tuple[float, ...] = (1.0, 2.0, 3.0)
    """Memory strengths of the comparison; a wrong memory is read at the card's alone."""
    num_compared: int = 2
    """Shots of every story that are rendered with every memory."""
    with_positions: bool = True
    """Whether every shot index is rendered, with drawn shots in memory and as a film of its own."""
    seeds: tuple[int, ...] = (0,)
    group: int = 8
    """Stories filmed and rendered together."""


QUICK = IdentityPlan(num_stories=1, num_shots=3, strengths=(1.0, 2.0), num_compared=1)


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
    introduced: frozenset[str]
    """Attributes that the shot which describes the person shows. The others are told but never
    drawn there, so memory cannot hold them: a film guesses them, and keeps its guess."""
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
    def own(self) -> Past:
        """Everything before it, as memory holds it."""
        return past_of(self.past)

    @property
    def last_seen(self) -> FilmedShot:
        """The newest past shot of the person; a first shot has only itself."""
        same = self.script.same_person
        return self.past[same[-1]] if same else self.true_shot

    @property
    def introduction(self) -> FilmedShot:
        """The shot that describes the person: the first they are in."""
        same = self.script.same_person
        return self.past[same[0]] if same else self.true_shot


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A target with the memory and the seed it is rendered with."""

    target: Target
    memory: MemoryKind
    order: Order


def target_of(story: int, filmed: list[FilmedShot], index: int) -> Target:
    """Return shot `index` of a filmed story as a target."""
    return Target(
        story=story,
        position=index + 1,
        script=filmed[index].script,
        past=filmed[:index],
        true_shot=filmed[index],
    )


def targets_of(story: int, filmed: list[FilmedShot]) -> list[Target]:
    """Return the shots whose caption names a person without describing them again."""
    return [
        target_of(story, filmed, index)
        for index, shot in enumerate(filmed)
        if index and not shot.script.described
    ]


def render_all(renderer: Renderer, judge: Judge, plan: IdentityPlan) -> Iterator[Outcome]:
    """Yield every outcome of the plan, a group of stories at a time."""
    for first in range(0, plan.num_stories, plan.group):
        numbers = range(first, min(first + plan.group, plan.num_stories))
        filmed = {
            number: film(
                renderer.model,
                published_story(number, num_shots=plan.num_shots),
                shelf=renderer.shelf,
            )
            for number in (*numbers, numbers[-1] + 1)
        }
        for seed in plan.seeds:
            asked: list[Asked] = []
            for number in numbers:
                asked += _asked(renderer, filmed[number], filmed[number + 1], number, (plan, seed))
            yield from _rendered(renderer, judge, asked)
            if plan.with_positions:
                yield from _own_films(renderer, judge, [(n, filmed[n]) for n in numbers], seed)
        for number in numbers:
            for target in compared_targets(number, filmed[number], plan):
                shot = target.true_shot
                yield judged(judge, target, shot.drawn_FHW3, "drawn", 0.0)
                yield judged(judge, target, shot.soft_frames, "VAE", 0.0)


def compared_targets(number: int, filmed: list[FilmedShot], plan: IdentityPlan) -> list[Target]:
    """Return the targets of a story that are rendered with every memory, chosen by its number."""
    targets = targets_of(number, filmed)
    count = min(plan.num_compared, len(targets))
    return random.Random(number).sample(targets, count)


def _asked(
    renderer: Renderer,
    filmed: list[FilmedShot],
    stranger: list[FilmedShot],
    number: int,
    what: tuple[IdentityPlan, int],
) -> Iterator[Asked]:
    plan, seed = what
    usual = renderer.model.card.strength
    compared = compared_targets(number, filmed, plan)
    for target in compared:
        own, wrong = target.own, past_of(stranger[: len(target.past)])
        yield ask(target, "none", NO_PAST, 1.0, seed)
        for strength in sorted({*plan.strengths, usual}):
            yield ask(target, "own", own, strength, seed)
        yield ask(target, "wrong", wrong, usual, seed)
        yield ask(target, "unnamed", replace(own, names=()), usual, seed)
    if plan.with_positions:
        done = {target.position for target in compared}
        for target in targets_of(number, filmed):
            if target.position not in done:
                yield ask(target, "own", target.own, usual, seed)


def ask(target: Target, memory: MemoryKind, past: Past, strength: float, seed: int) -> Asked:
    """Return `target` to be rendered with a memory; equal seeds start from equal noise."""
    noise = 10_000 * seed + 100 * target.story + target.position
    order = Order(script=target.script, past=past, strength=strength, seed=noise)
    return Asked(target=target, memory=memory, order=order)


def _rendered(renderer: Renderer, judge: Judge, asked: Sequence[Asked]) -> Iterator[Outcome]:
    pictures = renderer.pictures([item.order for item in asked])
    for item, frames in zip(asked, pictures, strict=True):
        yield judged(judge, item.target, frames, item.memory, item.order.strength)


def _own_films(
    renderer: Renderer, judge: Judge, stories: Sequence[tuple[int, list[FilmedShot]]], seed: int
) -> Iterator[Outcome]:
    """Render stories from their first caption on, as an editor would: only their takes remember."""
    strength = renderer.model.card.strength
    pasts = [NO_PAST] * len(stories)
    for index in range(len(stories[0][1])):
        asked = [
            ask(target_of(number, filmed, index), "film", past, strength, seed)
            for (number, filmed), past in zip(stories, pasts, strict=True)
        ]
        takes = renderer.takes([item.order for item in asked])
        pasts = [
            Past(
                state=(*past.state, *take.entries),
                names=(*past.names, names_of(item.target.script)),
            )
            for past, take, item in zip(pasts, takes, asked, strict=True)
        ]
        for item, take in zip(asked, takes, strict=True):
            if index == 0:
                yield judged(judge, item.target, take.frames_FHW3, "first", strength)
            elif not item.target.script.described:
                yield judged(judge, item.target, take.frames_FHW3, "film", strength)


def judged(
    judge: Judge, target: Target, frames_FHW3: torch.Tensor, memory: MemoryKind, strength: float
) -> Outcome:
    """Return what the judge reads in the frames of `target`, beside the truth."""
    other = _other_character(target)
    return Outcome(
        story=target.story,
        position=target.position,
        memory=memory,
        strength=strength,
        read=judge.read(frames_FHW3).values,
        truth=labels_of(target.script),
        visible=_shown(target.script),
        introduced=_shown(target.introduction.script),
        other=None if other is None else {"shirt": other.shirt, "hat": other.hat},
        caption=target.script.caption,
        frame_HW3=_middle(frames_FHW3),
        past_HW3=_middle(target.last_seen.drawn_FHW3),
    )


@lru_cache(maxsize=1024)  # a shot is rendered many times, and each answer draws 18 frames
def _shown(script: ShotScript) -> frozenset[str]:
    return visible_attributes(script, PICKS[::2])


def _middle(frames_FHW3: torch.Tensor) -> torch.Tensor:
    return frames_FHW3[len(frames_FHW3) // 2]


def _other_character(target: Target) -> Character | None:
    """Return who else the past shows."""
    name = target.script.character.name
    others = [shot.script.character for shot in target.past if shot.script.character.name != name]
    return others[-1] if others else None
