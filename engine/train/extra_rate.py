"""Another memory rate for a finished checkpoint: a new phi is trained, all else stays as it is.

Run as `python -m engine.train.extra_rate --checkpoint runs/finetune/checkpoint --latents
runs/latents --rate 2x2x4 --out runs/rate_2x2x4 --budget-seconds 600 --install`. The transformer is
frozen, so every other memory of the checkpoint reads and recalls as before.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from engine.memory import frame_preservation
from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig
from engine.memory.registry import rate_name
from engine.models.checkpoint import load_vae, load_weights
from engine.train.assemble import write_encoder
from engine.train.batches import BatchStream, MemoryBatch, StoryPool, next_shot_batch
from engine.train.formats import is_bfloat16_fast
from engine.train.latents import (
    StoryLatents,
    encode_rates,
    read_shard,
    with_rate,
    write_shard,
)
from engine.train.loop import Budget, Curve, Ema, TrainState, warm_constant_decay
from engine.train.objectives import ObjectiveOptions, next_shot_loss, retrieval_loss
from engine.train.trainee import (
    Trainee,
    TraineeOptions,
    optimisers,
    set_learning_rate,
    token_width,
)
from engine.train.world.story import VALIDATION_SEEDS, WorldDials, tell

Rate = tuple[int, int, int]
CHANNELS = (32, 64, 128, 80)
"""Narrower at the end than the default phi: 2.1 MB in bfloat16 at 2x2x4, and three stages fit."""
SHORTCUT = "patchifier.conv.weight"
COLUMNS = ("step", "seconds", "train", "recall", "own")


@dataclass(frozen=True, kw_only=True)
class RateStage:
    """How to train phi at another rate."""

    checkpoint: Path
    """Finished Wan folder."""
    latents: Path
    """Folder of story shards; their reduced clips are drawn again at the new rate."""
    out: Path
    """Folder for shards, state, curve and the exported encoder."""
    rate_hwt: Rate
    num_stories: int = 384
    next_shot_share: float = 0.5
    budget_seconds: float | None = None
    budget_steps: int | None = None
    batch_size: int = 8
    learning_rate: float = 3e-3
    seed: int = 0
    save_seconds: float = 120.0
    use_bfloat16: bool = field(default_factory=is_bfloat16_fast)
    num_validation: int = 8
    objective: ObjectiveOptions = field(
        default_factory=lambda: ObjectiveOptions(window=0.0, no_memory=0.0)
    )


def prepare(stage: RateStage) -> None:
    """Encode the reduced clips of stories at the new rate; shards that exist are kept."""
    folder = stage.out / "latents"
    folder.mkdir(parents=True, exist_ok=True)
    vae = load_vae(stage.checkpoint / "vae")
    done = 0
    for shard in sorted(stage.latents.glob("*.safetensors")):
        if done >= stage.num_stories:
            break
        path = folder / shard.name
        if not path.exists():
            stories = [s for s in read_shard(shard) if _fits(s, stage.rate_hwt)]
            write_shard(path, [with_rate(vae, story, stage.rate_hwt) for story in stories])
        done += sum(1 for _ in read_shard(path))


def _fits(story: StoryLatents, rate_hwt: Rate) -> bool:
    return (story.latents_SCTHW.shape[2] - 1) % rate_hwt[2] == 0


def build_encoder(checkpoint: Path, rate_hwt: Rate, *, width: int, seed: int) -> MemoryEncoder:
    """Return a new phi, with the tensors of the checkpoint's default one where shapes agree.

    Where that has a linear shortcut, a token begins as the mean of those whose place it takes.
    """
    torch.manual_seed(seed)
    found = load_weights(checkpoint / "memory" / frame_preservation.NAME, "model")
    has_shortcut = SHORTCUT in found
    config = MemoryEncoderConfig(
        rate_hwt=rate_hwt,
        width=width,
        channels=CHANNELS,
        hr="shortcut" if has_shortcut else "convolutions",
    )
    encoder = MemoryEncoder(config)
    own = encoder.state_dict()
    fitting = {k: v.float() for k, v in found.items() if k in own and own[k].shape == v.shape}
    encoder.load_state_dict({**own, **fitting})
    if has_shortcut:
        _begin_as_mean(own[SHORTCUT], found[SHORTCUT].float())
    return encoder


def _begin_as_mean(kernel: Tensor, default: Tensor) -> None:
    """Set a kernel E C t h w to the mean over the blocks of `default` that fit side by side.

    Where they do not, at a finer rate than the default one, it stays zero and is learnt.
    """
    counts = [ours // theirs for ours, theirs in zip(kernel.shape, default.shape, strict=True)]
    if all(counts) and kernel.shape == default.repeat(counts).shape:
        kernel.copy_(default.repeat(counts) / math.prod(counts))


class RateTraining:
    """The new phi with everything that changes while it is trained."""

    def __init__(self, stage: RateStage) -> None:
        self.stage = stage
        options = TraineeOptions(checkpoint=stage.checkpoint)
        width = token_width(stage.checkpoint)
        encoder = build_encoder(stage.checkpoint, stage.rate_hwt, width=width, seed=stage.seed)
        self.trainee = Trainee(options, encoder)
        self.trainee.transformer.requires_grad_(requires_grad=False)
        self.trainee.text_encoder.requires_grad_(requires_grad=False)
        self.pair = optimisers(self.trainee, stage.learning_rate)
        self.ema = Ema(self.trainee, decay=0.99)
        pool = StoryPool(stage.out / "latents")
        self.stream = BatchStream(pool, batch_size=stage.batch_size, seed=stage.seed)
        self.budget = Budget(seconds=stage.budget_seconds, steps=stage.budget_steps)
        self.curve = Curve(stage.out / "curve.csv", COLUMNS)
        self.state = TrainState(
            stage.out / "state.pt",
            {
                "encoder": self.trainee.encoder,
                "muon": self.pair[0],
                "adamw": self.pair[1],
                "ema": self.ema,
                "stream": self.stream,
                "budget": self.budget,
                "curve": self.curve,
            },
        )
        self.held_out = self._validation()

    def step(self) -> float:
        """Take one step and return its loss."""
        factor = warm_constant_decay(self.budget.fraction, self.budget.step)
        set_learning_rate(self.pair, self.stage.learning_rate * factor)
        is_next = self.stream.rng.random() < self.stage.next_shot_share
        batch = self.stream.next_shot() if is_next else self.stream.retrieval()
        objective = next_shot_loss if is_next else retrieval_loss
        with torch.autocast("cpu", torch.bfloat16, enabled=self.stage.use_bfloat16):
            loss = objective(self.trainee, batch, self.stage.objective).value
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.trainee.encoder.parameters(), 1.0)
        for optimiser in self.pair:
            optimiser.step()
            optimiser.zero_grad()
        self.ema.update(self.trainee)
        self.budget.step += 1
        return float(loss.detach())

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return held-out losses: one-step recall, and the next shot at sigma 0.95."""
        batch = next_shot_batch(self.held_out, 2, random.Random(0))
        length = batch.past_BNCTHW.shape[3]
        target = batch.past_BNCTHW[:, 0, :, 1:4]
        times = torch.arange(1, 1 + target.shape[2]).expand(len(target), -1) - 2 * length
        with (
            self.ema.averaged(self.trainee),
            torch.autocast("cpu", torch.bfloat16, enabled=self.stage.use_bfloat16),
        ):
            return {
                "recall": self._loss(batch, target, times, ("",) * len(target), 1.0),
                "own": self._loss(batch, batch.target_BCTHW, batch.times_BT, batch.captions, 0.95),
            }

    def _loss(
        self,
        batch: MemoryBatch,
        target: Tensor,
        times: Tensor,
        captions: tuple[str, ...],
        sigma: float,
    ) -> float:
        noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(1))
        # Recall asks for nobody; who is in a past shot matters to the next one alone.
        prompt_share_BN = batch.prompt_share_BN if any(captions) else None
        context = self.trainee.memory_context(
            batch.past_BNCTHW, batch.past_lr_BNCTHW, prompt_share_BN
        )
        noisy = (1 - sigma) * target + sigma * noise
        levels = torch.full((len(target),), sigma)
        text = self.trainee.embed(captions)
        velocity = self.trainee(noisy, levels, text, context, times)
        return float((velocity.float() - (noise - target)).pow(2).mean())

    def _validation(self) -> list[StoryLatents]:
        dials = WorldDials(min_shots=4, max_shots=4)
        rate = self.stage.rate_hwt
        if (dials.num_frames - 1) % (4 * rate[2]):
            dials = WorldDials(num_frames=33, min_shots=4, max_shots=4)
        vae = self.trainee.vae[0]
        seeds = VALIDATION_SEEDS[: self.stage.num_validation]
        return [encode_rates(vae, tell(seed, dials), (rate,))[rate] for seed in seeds]


def train(stage: RateStage) -> Generator[dict[str, float], None, None]:
    """Train until the budget is spent, continuing a run in `out`; yield rows of the curve."""
    stage.out.mkdir(parents=True, exist_ok=True)
    prepare(stage)  # before the budget: encoding is not training
    training = RateTraining(stage)
    if training.state.path.exists():
        training.state.load()
    average, last = 0.0, time.monotonic()
    while not training.budget.is_spent:
        value = training.step()
        average = value if average == 0.0 else 0.98 * average + 0.02 * value
        if time.monotonic() - last >= stage.save_seconds or training.budget.is_spent:
            with training.budget.paused():
                yield _checkpoint(training, average)
            last = time.monotonic()


def export(training: RateTraining, memory_folder: Path) -> Path:
    """Write the averaged phi under a checkpoint's `memory` folder and return its folder."""
    folder = memory_folder / rate_name(training.stage.rate_hwt)
    with training.ema.averaged(training.trainee):
        write_encoder(training.trainee.encoder, folder)
    return folder


def _checkpoint(training: RateTraining, average: float) -> dict[str, float]:
    budget = training.budget
    row = {"step": budget.step, "seconds": budget.spent_seconds, "train": average}
    row = {name: round(value, 4) for name, value in (row | training.evaluate()).items()}
    training.curve.add(**row)
    training.state.save()
    export(training, training.stage.out / "memory")
    return row


def install(stage: RateStage) -> Path:
    """Copy the trained phi into the checkpoint, where the studio finds it; return its folder."""
    name = rate_name(stage.rate_hwt)
    target = stage.checkpoint / "memory" / name
    target.mkdir(parents=True, exist_ok=True)
    for file in ("model.safetensors", "config.json"):  # weights first: they make it a system
        part = target / f"{file}.partial"
        part.write_bytes((stage.out / "memory" / name / file).read_bytes())
        part.replace(target / file)
    return target


def parse_rate(text: str) -> Rate:
    """Return the rate written as 2x2x4. Raises ValueError with what was expected."""
    match = re.fullmatch(r"(\d+)x(\d+)x(\d+)", text)
    if match is None:
        raise ValueError(f"A rate of {text!r}. Expected rows x columns x time, for example 2x2x4.")
    rows, columns, frames = (int(part) for part in match.groups())
    return rows, columns, frames


def main() -> None:
    """Train an extra rate from the command line and print every row of the curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="finished Wan folder")
    parser.add_argument("--latents", type=Path, required=True, help="folder of story shards")
    parser.add_argument("--rate", type=parse_rate, required=True, help="for example 2x2x4")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; resumed if any")
    parser.add_argument("--budget-seconds", type=float, required=True, help="training time")
    parser.add_argument("--stories", type=int, default=RateStage.num_stories)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--install", action="store_true", help="put it into the checkpoint")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    stage = RateStage(
        checkpoint=given.checkpoint,
        latents=given.latents,
        out=given.out,
        rate_hwt=given.rate,
        num_stories=given.stories,
        budget_seconds=given.budget_seconds,
        seed=given.seed,
    )
    for row in train(stage):
        print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    if given.install:
        print(f"Installed in {install(stage)}.")


if __name__ == "__main__":
    main()
