"""Batches for the memory stages, cut from stories: a past, a target, and where it stands."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.specs import LATER_SHARE
from engine.train.latents import Retakes, StoryLatents, read_shard
from engine.train.loop import RandomState
from engine.train.retakes import read_retakes

PAST_SHOTS = ((1, 0.22), (2, 0.26), (3, 0.2), (4, 0.14), (5, 0.1), (6, 0.05), (7, 0.03))
"""Number of past shots of a batch, with their shares."""
PICTURE_SHARE = 0.7
"""Share of the batches without a past that are pictures."""
PICTURES_A_CLIP = 4
"""Pictures in the place of a clip: about as many tokens."""

NEXT_PICTURE_SHARE = 0.5
"""Share of the batches with a past whose targets are pictures."""
NEXT_PICTURES_A_CLIP = 2
"""Pictures in the place of a clip: their past takes most of the tokens."""

FIRST_SHARE = 0.7
"""Share of the next shots that read the first shot of a person; the others read the latest."""
RETAKEN_SHARE = 0.6
"""Share of those that read later shots of the person with looks gone wrong: a film's own later
takes may be wrong, so what the first shows must be read there (docs/decisions/0015)."""
STRANGERS_SHARE = 0.06
"""Share of the next shots that read another story: people in it must not be taken for who is asked
for."""


@dataclass(frozen=True, kw_only=True)
class MemoryBatch:
    """One batch: N past shots, and the latents to be predicted at `times`."""

    past_BNCTHW: Tensor
    past_lr_BNCTHW: Tensor
    target_BCTHW: Tensor
    times_BT: Tensor
    """Times of the target in latent frames; the section after the past starts at 0."""
    captions: tuple[str, ...]
    """Empty strings for frame retrieval."""
    salience_BTHW: Tensor
    """Share of each target cell that people, props and signs cover, 0 to 1."""
    looks_BTHW: Tensor
    """How much each target cell says about looks (`engine.train.latents.looks_of`)."""
    prompt_share_BN: Tensor | None = None
    """How far a past shot reads the target's prompt, as in the studio: 1 for the first that shows
    who is in the target, `LATER_SHARE` for later ones, else 0. None = nobody said who is in it."""

    @property
    def num_past(self) -> int:
        """Past shots of every item."""
        return self.past_BNCTHW.shape[1]


class StoryPool:
    """Stories in memory, grouped by length; new shards are picked up while training."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shards: set[str] = set()
        self._stories: dict[int, list[StoryLatents]] = defaultdict(list)
        self.refresh()

    def __len__(self) -> int:
        return sum(len(stories) for stories in self._stories.values())

    @property
    def longest(self) -> int:
        """Shots of the longest story."""
        return max((len(s.captions) for group in self._stories.values() for s in group), default=0)

    def refresh(self) -> None:
        """Read the shards that are new in the folder."""
        for path in sorted(self.folder.glob("*.safetensors")):
            if path.name not in self._shards:
                self._shards.add(path.name)
                retakes = read_retakes(path)
                for read in read_shard(path):
                    story = replace(read, retakes=retakes.get(read.seed))
                    self._stories[story.latents_SCTHW.shape[2]].append(story)

    def pick(self, rng: random.Random, count: int, min_shots: int) -> list[StoryLatents]:
        """Return `count` stories of one length with at least `min_shots` shots.

        Raises:
            ValueError: there is no such story.
        """
        lengths = sorted(self._stories)
        weights = [len(self._stories[length]) for length in lengths]
        for _ in range(20):
            stories = self._stories[rng.choices(lengths, weights)[0]]
            fitting = [s for s in stories if len(s.captions) >= min_shots]
            if fitting:
                return rng.choices(fitting, k=count)
        raise ValueError(
            f"No story with {min_shots} shots among {len(self)} in {self.folder}. Run "
            "`python -m engine.train.latents` first."
        )


class BatchStream:
    """An endless, resumable stream of batches; everything random comes from its own generator."""

    def __init__(self, pool: StoryPool, *, batch_size: int, seed: int) -> None:
        self.pool = pool
        self.batch_size = batch_size
        self.rng = random.Random(seed)

    def first_shot(self) -> MemoryBatch:
        """Return a batch without a past: shots whose captions mostly tell the look.

        Most are pictures, their first latent alone: a look takes no motion to learn, and four
        times as many fit into a step.
        """
        if self.rng.random() < PICTURE_SHARE:
            stories = self.pool.pick(self.rng, PICTURES_A_CLIP * self.batch_size, 1)
            return first_shot_batch(stories, self.rng, num_latents=1)
        stories = self.pool.pick(self.rng, self.batch_size, 1)
        return first_shot_batch(stories, self.rng)

    def next_shot(self) -> MemoryBatch:
        """Return a batch whose target is the shot after the past (stage II).

        Some are pictures, as without a past: whose look is meant shows in the first latent.
        """
        num_past = min(_weighted(self.rng, PAST_SHOTS), self.pool.longest - 1)
        is_picture = self.rng.random() < NEXT_PICTURE_SHARE
        count = (NEXT_PICTURES_A_CLIP if is_picture else 1) * self.batch_size
        stories = self.pool.pick(self.rng, count, num_past + 1)
        num_latents = 1 if is_picture else None
        return next_shot_batch(
            stories, num_past, self.rng, num_latents=num_latents, mixture=PastMixture()
        )

    def retrieval(self) -> MemoryBatch:
        """Return a batch whose targets are latents of the past itself (stage I)."""
        num_past = min(4, _weighted(self.rng, PAST_SHOTS), self.pool.longest)
        stories = self.pool.pick(self.rng, self.batch_size, num_past)
        return retrieval_batch(stories, num_past, self.rng)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator."""
        return RandomState(self.rng).state_dict()

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Continue from a saved state."""
        RandomState(self.rng).load_state_dict(state)


def first_shot_batch(
    stories: Sequence[StoryLatents],
    rng: random.Random,
    *,
    told: float = 0.75,
    num_latents: int | None = None,
) -> MemoryBatch:
    """Return shots that are drawn from their caption alone.

    Every film begins with such a shot, and its look is what all others remember: a share `told` of
    the captions tells everything. The others teach what the model guesses without memory, for
    memory guidance. With `num_latents` only so many latents from the start are targets.
    """
    picked = [(story, rng.randrange(len(story.captions))) for story in stories]
    target_BCTHW = _stacked(story.latents_SCTHW[k][:, :num_latents] for story, k in picked)
    nothing = target_BCTHW[:, None][:, :0]
    return MemoryBatch(
        past_BNCTHW=nothing,
        past_lr_BNCTHW=nothing,
        target_BCTHW=target_BCTHW,
        times_BT=torch.arange(target_BCTHW.shape[2]).expand(len(picked), -1),
        captions=tuple(
            (story.descriptions if rng.random() < told else story.captions)[k]
            for story, k in picked
        ),
        salience_BTHW=_shares([story.salience_STHW[k][:num_latents] for story, k in picked]),
        looks_BTHW=_stacked(s.looks_STHW[k][:num_latents] for s, k in picked),
    )


@dataclass(frozen=True)
class PastMixture:
    """What next shots are taught to read. Evaluation reads the past as it is (`AS_DRAWN`)."""

    first: float = FIRST_SHARE
    retaken: float = RETAKEN_SHARE
    strangers: float = STRANGERS_SHARE


AS_DRAWN = PastMixture(first=0.0, retaken=0.0, strangers=0.0)


def next_shot_batch(
    stories: Sequence[StoryLatents],
    num_past: int,
    rng: random.Random,
    *,
    num_latents: int | None = None,
    mixture: PastMixture = AS_DRAWN,
) -> MemoryBatch:
    """Return past and next shot of each story, with how far each past shot reads the prompt.

    The latest shot of the person is always in the past; by `mixture` it is the first of them,
    later ones are retakes, or all are another story's. With `num_latents` only so many latents
    from the start of the next shot are targets.
    """
    pasts: list[list[_PastShot]] = []
    targets: list[int] = []
    for number, story in enumerate(stories):
        target = rng.randrange(num_past, len(story.captions))
        stranger = stories[(number + 1) % len(stories)]
        is_strange = mixture.strangers > 0 and rng.random() < mixture.strangers
        if is_strange and stranger.seed != story.seed:
            pasts.append(_of_a_stranger(stranger, num_past, rng))
        else:
            pasts.append(_own_past(story, target, num_past, rng, mixture))
        targets.append(target)
    picked = list(zip(stories, targets, strict=True))
    target_BCTHW = _stacked(s.latents_SCTHW[k][:, :num_latents] for s, k in picked)
    return MemoryBatch(
        past_BNCTHW=torch.stack(
            [_stacked(s.takes.latents_SCTHW[s.index] for s in past) for past in pasts]
        ),
        past_lr_BNCTHW=torch.stack(
            [_stacked(s.takes.lr_SCTHW[s.index] for s in past) for past in pasts]
        ),
        target_BCTHW=target_BCTHW,
        times_BT=torch.arange(target_BCTHW.shape[2]).expand(len(picked), -1),
        captions=tuple(story.captions[k] for story, k in picked),
        prompt_share_BN=torch.tensor([[shot.prompt_share for shot in past] for past in pasts]),
        salience_BTHW=_shares([story.salience_STHW[k][:num_latents] for story, k in picked]),
        looks_BTHW=_stacked(s.looks_STHW[k][:num_latents] for s, k in picked),
    )


@dataclass(frozen=True)
class _PastShot:
    takes: StoryLatents | Retakes
    index: int
    prompt_share: float


def _own_past(
    story: StoryLatents, target: int, num_past: int, rng: random.Random, mixture: PastMixture
) -> list[_PastShot]:
    """Return past shots, the latest of the person among them, or the first and perhaps retakes."""
    known = story.same_person[target]
    is_by_first = rng.random() < mixture.first
    is_retaken = is_by_first and story.retakes is not None and rng.random() < mixture.retaken
    past: list[_PastShot] = []
    share = 1.0
    for index in _chosen(known[:1] if is_by_first else known[-1:], target, num_past, rng):
        takes = story.retakes if is_retaken and index in known[1:] else None
        past.append(_PastShot(takes or story, index, share if index in known else 0.0))
        share = LATER_SHARE if index in known else share
    return past


def _of_a_stranger(stranger: StoryLatents, num_past: int, rng: random.Random) -> list[_PastShot]:
    indices = sorted(rng.sample(range(len(stranger.captions)), num_past))
    return [_PastShot(stranger, index, 0.0) for index in indices]


def _chosen(needed: Sequence[int], target: int, num_past: int, rng: random.Random) -> list[int]:
    """Return the indices of `num_past` shots before `target`, oldest first, `needed` among them."""
    others = [index for index in range(target) if index not in needed]
    return sorted({*needed, *rng.sample(others, num_past - len(needed))})


def _stacked(tensors: Iterable[Tensor]) -> Tensor:
    # Float first: under autocast, stacking refuses half precision.
    return torch.stack([tensor.float() for tensor in tensors])


def retrieval_batch(
    stories: Sequence[StoryLatents], num_past: int, rng: random.Random, *, num_queries: int = 3
) -> MemoryBatch:
    """Return past shots and random latents of them as targets (Omega, arXiv 2512.23851, 3.1).

    Six in ten ask for consecutive latents of one shot, as the inspector does; the others for
    latents anywhere. Query tokens carry the time of their place in the past.
    """
    past, reduced, targets, times, salience, looks = [], [], [], [], [], []
    for story in stories:
        shots = sorted(rng.sample(range(len(story.captions)), num_past))
        length = story.latents_SCTHW.shape[2]
        if rng.random() < 0.6:
            first = rng.randrange(num_past) * length + rng.randrange(length - num_queries + 1)
            omega = list(range(first, first + num_queries))
        else:
            omega = sorted(rng.sample(range(num_past * length), num_queries))
        latents_NCTHW = story.latents_SCTHW[shots].float()
        line_CLHW = latents_NCTHW.transpose(0, 1).flatten(1, 2)
        past.append(latents_NCTHW)
        reduced.append(story.lr_SCTHW[shots].float())
        targets.append(line_CLHW[:, omega])
        salience.append(story.salience_STHW[shots].flatten(0, 1)[omega])
        looks.append(story.looks_STHW[shots].flatten(0, 1)[omega])
        times.append(torch.tensor(omega) - num_past * length)
    return MemoryBatch(
        past_BNCTHW=torch.stack(past),
        past_lr_BNCTHW=torch.stack(reduced),
        target_BCTHW=torch.stack(targets),
        times_BT=torch.stack(times),
        captions=("",) * len(stories),
        salience_BTHW=_shares(salience),
        looks_BTHW=_stacked(looks),
    )


def _shares(salience: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(salience)).float() / 255


def _weighted(rng: random.Random, table: Sequence[tuple[int, float]]) -> int:
    values, weights = zip(*table, strict=True)
    return int(rng.choices(values, weights)[0])
