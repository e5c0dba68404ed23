"""Variants of the memory encoder, trained by frame retrieval with equal CPU seconds and compared.

Run as `python -m engine.train.ablations --checkpoint runs/finetune/checkpoint --out runs/ablations
--budget-seconds 240`, then `python -m engine.evaluate.ablations --runs runs/ablations`. Every
variant starts from the same transformer with a fresh phi; both learn, the transformer through a
LoRA. A variant whose result is there is not trained again: running the command again continues.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from engine.latent_time import latent_of_frame
from engine.memory.frame_preservation import RECALL_WINDOW
from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig
from engine.models.checkpoint import load_vae
from engine.train.batches import BatchStream, StoryPool, next_shot_batch
from engine.train.formats import is_bfloat16_fast
from engine.train.latents import StoryLatents, encode_rates, read_shard, write_shard
from engine.train.loop import Ema, warm_constant_decay
from engine.train.objectives import ObjectiveOptions, next_shot_loss, retrieval_loss
from engine.train.trainee import (
    Trainee,
    TraineeOptions,
    optimisers,
    set_learning_rate,
    token_width,
)
from engine.train.world.draw import draw_shot
from engine.train.world.story import TEST_SEEDS, Story, WorldDials, tell
from engine.video import vae as video_vae
from engine.video.picture import psnr, ssim

Rate = tuple[int, int, int]
FIRST_SEED = 700_000
DIALS = WorldDials(num_frames=33, min_shots=3, max_shots=3, text=0.35)
"""33 frames: the shortest shot that all rates divide without repeating its last frame."""
NEXT_SIGMA = 0.95


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One row of the table."""

    name: str
    rate_hwt: Rate = (2, 2, 2)
    branches: Literal["both", "lr", "hr"] = "both"
    hr: Literal["convolutions", "patchifier", "shortcut"] = "convolutions"
    retrieval: float = 1.0
    """Part of the budget that trains frame retrieval; the rest trains the next shot."""


VARIANTS = (
    Variant(name="2x2x2"),
    Variant(name="4x4x2", rate_hwt=(4, 4, 2)),
    Variant(name="2x2x4", rate_hwt=(2, 2, 4)),
    Variant(name="2x2x1", rate_hwt=(2, 2, 1)),
    Variant(name="2x2x8", rate_hwt=(2, 2, 8)),
    Variant(name="only LR", branches="lr"),
    Variant(name="without LR", branches="hr"),
    Variant(name="large patchifier", hr="patchifier"),
    Variant(name="linear shortcut", hr="shortcut"),
    Variant(name="pretrained, then next shot", retrieval=0.5),
    Variant(name="next shot only", retrieval=0.0),
)


@dataclass(frozen=True, kw_only=True)
class AblationPlan:
    """What all variants share."""

    checkpoint: Path
    """Wan folder whose transformer every variant starts from."""
    out: Path
    budget_seconds: float = 240.0
    """CPU seconds of training for each variant; measuring does not count."""
    num_stories: int = 64
    num_test: int = 32
    """Published test stories behind the scores."""
    batch_size: int = 4
    lora_rank: int = 16
    learning_rate: float = 3e-3
    seed: int = 0
    use_bfloat16: bool = field(default_factory=is_bfloat16_fast)


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """One recalled frame of a test story."""

    story: int
    psnr: float
    ssim: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a variant learnt."""

    variant: Variant
    steps: int
    tokens_per_shot: int
    num_weights: int
    """Weights of phi."""
    seed: int
    budget_seconds: float
    lora_rank: int
    checkpoint: str
    """Name of the run that the transformer comes from."""
    recalled: tuple[Recalled, ...]
    next_loss: tuple[float, ...]
    """Held-out next-shot loss at sigma 0.95 of every test story, own memory."""


def prepare(plan: AblationPlan) -> None:
    """Encode training and test stories once, for every rate; what exists is kept."""
    vae = load_vae(plan.checkpoint / "vae")
    rates = sorted({variant.rate_hwt for variant in VARIANTS})
    for name, seeds in (
        ("train", range(FIRST_SEED, FIRST_SEED + plan.num_stories)),
        ("test", TEST_SEEDS[: plan.num_test]),
    ):
        if all((shard_folder(plan, name, rate) / "0.safetensors").exists() for rate in rates):
            continue
        stories = [encode_rates(vae, tell(seed, DIALS), rates) for seed in seeds]
        for rate in rates:
            folder = shard_folder(plan, name, rate)
            folder.mkdir(parents=True, exist_ok=True)
            write_shard(folder / "0.safetensors", [by_rate[rate] for by_rate in stories])


def shard_folder(plan: AblationPlan, name: str, rate: Rate) -> Path:
    """Return where the latents of a rate lie."""
    return plan.out / name / "x".join(str(r) for r in rate)


class AblationRun:
    """One variant while it is trained."""

    def __init__(self, plan: AblationPlan, variant: Variant) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.variant = plan, variant
        config = MemoryEncoderConfig(
            rate_hwt=variant.rate_hwt,
            width=token_width(plan.checkpoint),
            branches=variant.branches,
            hr=variant.hr,
        )
        options = TraineeOptions(checkpoint=plan.checkpoint, lora_rank=plan.lora_rank)
        self.trainee = Trainee(options, MemoryEncoder(config))
        self.trainee.text_encoder.requires_grad_(requires_grad=False)
        self.pair = optimisers(self.trainee, plan.learning_rate)
        self.ema = Ema(self.trainee, decay=0.99)
        pool = StoryPool(shard_folder(plan, "train", variant.rate_hwt))
        self.stream = BatchStream(pool, batch_size=plan.batch_size, seed=plan.seed)
        self.options = ObjectiveOptions(window=0.0, no_text=0.0)

    def train(self) -> int:
        """Train until the CPU seconds are used and return the number of steps."""
        start, steps = time.process_time(), 0
        while (spent := time.process_time() - start) < self.plan.budget_seconds:
            self.step(spent / self.plan.budget_seconds, steps)
            steps += 1
        return steps

    def step(self, fraction: float, steps: int) -> float:
        """Take one step of the objective that is due and return its loss."""
        factor = warm_constant_decay(fraction, steps)
        set_learning_rate(self.pair, self.plan.learning_rate * factor)
        is_retrieval = fraction < self.variant.retrieval
        batch = self.stream.retrieval() if is_retrieval else self.stream.next_shot()
        objective = retrieval_loss if is_retrieval else next_shot_loss
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.use_bfloat16):
            loss = objective(self.trainee, batch, self.options).value
        torch.autograd.backward(loss)
        weights = [w for w in self.trainee.parameters() if w.requires_grad]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimiser in self.pair:
            optimiser.step()
            optimiser.zero_grad()
        self.ema.update(self.trainee)
        return float(loss.detach())

    @torch.no_grad()
    def measured(self, steps: int) -> Result:
        """Return the scores of the averaged weights on the test stories."""
        folder = shard_folder(self.plan, "test", self.variant.rate_hwt)
        # Out of half precision first: autocast to bfloat16 cannot stack it.
        stories = [in_float(story) for story in read_shard(folder / "0.safetensors")]
        with (
            self.ema.averaged(self.trainee),
            torch.autocast("cpu", torch.bfloat16, enabled=self.plan.use_bfloat16),
        ):
            recalled = tuple(self._recall(number, story) for number, story in enumerate(stories))
            next_loss = tuple(self._next_loss(story) for story in stories)
        encoder, shape = self.trainee.encoder, stories[0].latents_SCTHW.shape
        time_, rows, columns = encoder.config.grid(*shape[2:])
        return Result(
            variant=self.variant,
            steps=steps,
            tokens_per_shot=time_ * rows * columns,
            num_weights=sum(weight.numel() for weight in encoder.parameters()),
            seed=self.plan.seed,
            budget_seconds=self.plan.budget_seconds,
            lora_rank=self.plan.lora_rank,
            checkpoint="/".join(self.plan.checkpoint.parts[-2:]),
            recalled=recalled,
            next_loss=next_loss,
        )

    def _recall(self, number: int, story: StoryLatents) -> Recalled:
        """Return one frame of a random past shot, drawn in one step from memory alone."""
        rng = random.Random(number)
        num_past, length = len(story.captions), story.latents_SCTHW.shape[2]
        shot, frame = rng.randrange(num_past), rng.randrange(DIALS.num_frames)
        latent, within = latent_of_frame(frame)
        first = max(0, latent - RECALL_WINDOW + 1)
        times = torch.arange(first, latent + 1) - (num_past - shot) * length
        shape = (1, *story.latents_SCTHW.shape[1:2], len(times), *story.latents_SCTHW.shape[3:])
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(number))
        context = self.trainee.memory_context(*_past_of(story, num_past))
        text = self.trainee.embed([""])
        velocity = self.trainee(noise, torch.ones(1), text, context, times[None])
        drawn = noise - velocity.float()
        frames = video_vae.decode(self.trainee.vae[0], drawn)
        index = 0 if latent == first else 1 + 4 * (latent - first - 1) + within
        truth = true_frame(tell(story.seed, DIALS), shot, frame)
        picture = frames[index : index + 1]
        return Recalled(story=number, psnr=psnr(picture, truth), ssim=ssim(picture, truth))

    def _next_loss(self, story: StoryLatents) -> float:
        batch = next_shot_batch([story], len(story.captions) - 1, random.Random(0))
        noise = torch.randn(
            batch.target_BCTHW.shape, generator=torch.Generator().manual_seed(story.seed)
        )
        noisy = (1 - NEXT_SIGMA) * batch.target_BCTHW + NEXT_SIGMA * noise
        context = self.trainee.memory_context(
            batch.past_BNCTHW, batch.past_lr_BNCTHW, batch.prompt_share_BN
        )
        text = self.trainee.embed(batch.captions)
        levels = torch.tensor([NEXT_SIGMA])
        velocity = self.trainee(noisy, levels, text, context, batch.times_BT)
        return float((velocity.float() - (noise - batch.target_BCTHW)).pow(2).mean())


def in_float(story: StoryLatents) -> StoryLatents:
    """Return a story of a shard in float32."""
    return replace(
        story, latents_SCTHW=story.latents_SCTHW.float(), lr_SCTHW=story.lr_SCTHW.float()
    )


def true_frame(story: Story, shot: int, frame: int) -> Tensor:
    """Return the drawn frame 1 H W 3."""
    return torch.from_numpy(draw_shot(story.shots[shot], (frame,)).frames_FHW3)


def _past_of(story: StoryLatents, num_past: int) -> tuple[Tensor, Tensor]:
    return (
        story.latents_SCTHW[None, :num_past],
        story.lr_SCTHW[None, :num_past],
    )


def run(plan: AblationPlan, names: Sequence[str] = ()) -> Iterator[Result]:
    """Train the variants that have no result yet; yield every result."""
    prepare(plan)
    for variant in VARIANTS:
        if names and variant.name not in names:
            continue
        path = plan.out / f"{variant.name.replace(' ', '-').replace(',', '')}.{plan.seed}.json"
        if not path.exists():
            trained = AblationRun(plan, variant)
            result = trained.measured(trained.train())
            part = path.with_suffix(".partial")
            part.write_text(json.dumps(asdict(result), indent=1) + "\n", "utf-8")
            part.replace(path)
        yield read_result(path)


def read_result(path: Path) -> Result:
    """Return a result that `run` wrote."""
    values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    variant = values["variant"]
    return Result(
        **{
            **values,
            "variant": Variant(**{**variant, "rate_hwt": tuple(variant["rate_hwt"])}),
            "recalled": tuple(Recalled(**row) for row in values["recalled"]),
            "next_loss": tuple(values["next_loss"]),
        }
    )


def main() -> None:
    """Train the variants from the command line; print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="Wan folder to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder of latents and results")
    parser.add_argument("--budget-seconds", type=float, default=AblationPlan.budget_seconds)
    parser.add_argument("--stories", type=int, default=AblationPlan.num_stories)
    parser.add_argument("--test-stories", type=int, default=AblationPlan.num_test)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=(), help="names of variants")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    plan = AblationPlan(
        checkpoint=arguments.checkpoint,
        out=arguments.out,
        budget_seconds=arguments.budget_seconds,
        num_stories=arguments.stories,
        num_test=arguments.test_stories,
        seed=arguments.seed,
    )
    for result in run(plan, arguments.only):
        decibels = sum(row.psnr for row in result.recalled) / len(result.recalled)
        print(f"{result.variant.name}: {result.steps} steps, {decibels:.2f} dB", flush=True)


if __name__ == "__main__":
    main()
