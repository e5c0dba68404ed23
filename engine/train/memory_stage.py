"""The loop that both memory stages share: batches in, losses out, curve, sheet, exact resume."""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import WanPipeline
from torch import Tensor

from engine.context import EMPTY, Ports
from engine.memory.memory_encoder import MemoryEncoder
from engine.memory.registry import MemorySite, load_encoder
from engine.models.lora import save_lora
from engine.train.assemble import build_scheduler, write_checkpoint, write_encoder
from engine.train.attention import compile_blocks
from engine.train.batches import (
    BatchStream,
    MemoryBatch,
    StoryPool,
    first_shot_batch,
    next_shot_batch,
)
from engine.train.formats import is_bfloat16_fast
from engine.train.latents import validation_stories
from engine.train.loop import Budget, Curve, Ema, TrainState, warm_constant_decay
from engine.train.memory_sheet import write_memory_sheet
from engine.train.objectives import Loss, ObjectiveOptions, next_shot_loss, retrieval_loss
from engine.train.trainee import Trainee, TraineeOptions, optimisers, set_learning_rate
from engine.train.world.vocabulary import COLOURS

NEXT_SHOT_SIGMA = 0.95
"""Where identity is decided: the held-out loss of the dashboard is taken here."""
DETAIL_SIGMA = 0.4
"""Where faces and letters are made."""
MEMORIES = ("own", "unnamed", "none", "wrong")
COLUMNS = ("step", "seconds", "train", "recall", *MEMORIES, "detail", "told", "mistold")


@dataclass(frozen=True, kw_only=True)
class MemoryStage:
    """How to train the transformer with its memory."""

    checkpoint: Path
    """Wan folder to start from."""
    latents: Path
    """Folder of story shards; new ones are picked up while training."""
    out: Path
    """Folder for state, curve and the exported checkpoint."""
    next_shot_share: float
    """Share of next-shot batches; the others are frame retrieval."""
    budget_seconds: float | None = None
    budget_steps: int | None = None
    batch_size: int = 8
    learning_rate: float = 3e-3
    """Peak rate of Muon; AdamW runs at a quarter."""
    lora_rank: int = 0
    """Rank of a LoRA on the base; 0 = all weights are trained."""
    seed: int = 0
    save_seconds: float = 300.0
    use_bfloat16: bool = field(default_factory=is_bfloat16_fast)
    is_compiled: bool = False
    """Whether the blocks are fused by PyTorch's compiler: worth its minutes in a run of hours."""
    num_validation: int = 16
    """Held-out stories behind the dashboard."""
    sheet_rows: int = 4
    """Stories on the contact sheet. 0 = no sheet."""
    objective: ObjectiveOptions = field(default_factory=ObjectiveOptions)


class MemoryTraining:
    """The trainee with everything that changes while it is trained."""

    def __init__(self, stage: MemoryStage) -> None:
        torch.manual_seed(stage.seed)
        self.stage = stage
        options = TraineeOptions(checkpoint=stage.checkpoint, lora_rank=stage.lora_rank)
        self.trainee = Trainee(options, load_phi(stage.checkpoint))
        if stage.is_compiled:
            compile_blocks(self.trainee.transformer)
        self.pair = optimisers(self.trainee, stage.learning_rate)
        self.ema = Ema(self.trainee, decay=0.998)
        self.pool = StoryPool(stage.latents)
        self.stream = BatchStream(self.pool, batch_size=stage.batch_size, seed=stage.seed)
        self.budget = Budget(seconds=stage.budget_seconds, steps=stage.budget_steps)
        self.curve = Curve(stage.out / "curve.csv", COLUMNS)
        self.state = TrainState(
            stage.out / "state.pt",
            {
                "trainee": self.trainee,
                "muon": self.pair[0],
                "adamw": self.pair[1],
                "ema": self.ema,
                "stream": self.stream,
                "budget": self.budget,
                "curve": self.curve,
            },
        )
        self.held_out = validation_stories(self.trainee.vae[0], stage.num_validation)

    def step(self) -> Loss:
        """Take one step and return its loss."""
        budget = self.budget
        factor = warm_constant_decay(budget.fraction, budget.step)
        set_learning_rate(self.pair, self.stage.learning_rate * factor)
        is_next = self.stream.rng.random() < self.stage.next_shot_share
        batch = self._next_batch() if is_next else self.stream.retrieval()
        objective = next_shot_loss if is_next else retrieval_loss
        with torch.autocast("cpu", torch.bfloat16, enabled=self.stage.use_bfloat16):
            loss = objective(self.trainee, batch, self.stage.objective)
        torch.autograd.backward(loss.value)
        weights = [w for w in self.trainee.parameters() if w.requires_grad]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimiser in self.pair:
            optimiser.step()
            optimiser.zero_grad()
        self.ema.update(self.trainee)
        budget.step += 1
        return Loss(value=loss.value.detach(), name=loss.name)

    def _next_batch(self) -> MemoryBatch:
        is_alone = self.stream.rng.random() < self.stage.objective.no_memory
        return self.stream.first_shot() if is_alone else self.stream.next_shot()

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return held-out losses: recall at sigma 1, next shot with own, no and wrong memory.

        `unnamed` is its own memory where nothing says who is in which past shot, `detail` the loss
        with its own memory at little noise.

        `told` and `mistold`: people without memory, by their description and one of other colours.
        """
        rng = random.Random(0)
        generator = torch.Generator().manual_seed(0)
        batch = next_shot_batch(self.held_out, 2, rng)
        noise = torch.randn(batch.target_BCTHW.shape, generator=generator)
        with (
            self.ema.averaged(self.trainee),
            torch.autocast("cpu", torch.bfloat16, enabled=self.stage.use_bfloat16),
        ):
            past, reduced = batch.past_BNCTHW, batch.past_lr_BNCTHW
            own = self.trainee.memory_context(past, reduced, batch.prompt_share_BN)
            unnamed = self.trainee.memory_context(past, reduced)
            # Another story's people: none of them is who is asked for.
            nobody = torch.zeros(past.shape[:2])
            wrong = self.trainee.memory_context(past.roll(3, 0), reduced.roll(3, 0), nobody)
            text = self.trainee.embed(batch.captions)
            losses = {
                "own": self._loss(batch, noise, text, own, NEXT_SHOT_SIGMA),
                "unnamed": self._loss(batch, noise, text, unnamed, NEXT_SHOT_SIGMA),
                "none": self._loss(batch, noise, text, EMPTY, NEXT_SHOT_SIGMA),
                "wrong": self._loss(batch, noise, text, wrong, NEXT_SHOT_SIGMA),
                "detail": self._loss(batch, noise, text, own, DETAIL_SIGMA),
            }
            losses["recall"] = self._recall_loss(batch)
            losses |= self._description_losses()
        return losses

    def draw_sheet(self) -> None:
        """Write what the averaged weights recall and draw beside the curve."""
        stories = self.held_out[: self.stage.sheet_rows]
        if not stories:
            return
        with (
            self.ema.averaged(self.trainee),
            torch.autocast("cpu", torch.bfloat16, enabled=self.stage.use_bfloat16),
        ):
            path = self.stage.out / "contact_sheet.png"
            write_memory_sheet(self.trainee, stories, path)

    def _description_losses(self) -> dict[str, float]:
        batch = first_shot_batch(self.held_out, random.Random(0), told=1.0)
        noise = torch.randn(batch.target_BCTHW.shape, generator=torch.Generator().manual_seed(2))
        losses = {}
        for name, captions in (
            ("told", batch.captions),
            ("mistold", [with_other_colours(caption) for caption in batch.captions]),
        ):
            text = self.trainee.embed(captions)
            error_BTHW = self._errors(batch, noise, text, EMPTY, NEXT_SHOT_SIGMA)
            weights_BTHW = batch.salience_BTHW
            losses[name] = float((error_BTHW * weights_BTHW).sum() / weights_BTHW.sum())
        return losses

    def _recall_loss(self, batch: MemoryBatch) -> float:
        """Return the error of one-step recall of the first past shot's second to fourth latent."""
        length = batch.past_BNCTHW.shape[3]
        target = batch.past_BNCTHW[:, 0, :, 1:4]
        times = torch.arange(1, 4).expand(len(target), -1) - 2 * length
        query = MemoryBatch(
            past_BNCTHW=batch.past_BNCTHW,
            past_lr_BNCTHW=batch.past_lr_BNCTHW,
            target_BCTHW=target,
            times_BT=times,
            captions=("",) * len(target),
            salience_BTHW=batch.salience_BTHW[:, :3],
            looks_BTHW=batch.looks_BTHW[:, :3],
        )
        noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(1))
        context = self.trainee.memory_context(batch.past_BNCTHW, batch.past_lr_BNCTHW)
        text = self.trainee.embed([""]).expand(len(target), -1, -1)
        return self._loss(query, noise, text, context, 1.0)

    def _loss(
        self, batch: MemoryBatch, noise: Tensor, text: Tensor, context: Any, sigma: float
    ) -> float:
        return float(self._errors(batch, noise, text, context, sigma).mean())

    def _errors(
        self, batch: MemoryBatch, noise: Tensor, text: Tensor, context: Any, sigma: float
    ) -> Tensor:
        noisy = (1 - sigma) * batch.target_BCTHW + sigma * noise
        levels = torch.full((len(noise),), sigma)
        velocity = self.trainee(noisy, levels, text, context, batch.times_BT)
        error: Tensor = (velocity.float() - (noise - batch.target_BCTHW)).pow(2).mean(1)
        return error


def train(stage: MemoryStage, *, resume: bool = True) -> Generator[dict[str, float], None, None]:
    """Train until the budget is spent; yield a row of the curve at every evaluation.

    A run in `out` is continued. Raises FileExistsError where `resume` forbids that.
    """
    stage.out.mkdir(parents=True, exist_ok=True)
    training = MemoryTraining(stage)
    if training.state.path.exists():
        if not resume:
            raise FileExistsError(f"{stage.out} holds a run. Choose another --out.")
        training.state.load()
    average, last = 0.0, time.monotonic()
    while not training.budget.is_spent:
        value = float(training.step().value)
        average = value if average == 0.0 else 0.98 * average + 0.02 * value
        if time.monotonic() - last >= stage.save_seconds or training.budget.is_spent:
            with training.budget.paused():
                yield _checkpoint(training, average)
            last = time.monotonic()
    export(training)


def export(training: MemoryTraining) -> Path:
    """Write the averaged weights as a checkpoint (or LoRA and phi) and return the folder."""
    trainee, folder = training.trainee, training.stage.out / "checkpoint"
    with training.ema.averaged(trainee):
        if training.stage.lora_rank:
            save_lora(trainee.transformer, folder)
            write_encoder(trainee.encoder, folder / "memory" / "frame_preservation")
            return folder
        pipeline = WanPipeline(
            tokenizer=trainee.tokenizer,
            text_encoder=_copy_of(trainee.text_encoder),
            vae=trainee.vae[0],
            scheduler=build_scheduler(),
            transformer=_copy_of(trainee.transformer),
        )
        write_checkpoint(pipeline, trainee.encoder, trainee.card, folder)
        trainee.vae[0].float()
    return folder


def _checkpoint(training: MemoryTraining, average: float) -> dict[str, float]:
    training.pool.refresh()
    budget = training.budget
    row = {"step": budget.step, "seconds": round(budget.spent_seconds, 1), "train": average}
    row |= training.evaluate()
    row = {name: round(value, 4) for name, value in row.items()}
    training.curve.add(**row)
    training.state.save()
    training.draw_sheet()
    export(training)
    return row


def with_other_colours(caption: str) -> str:
    """Return `caption` with every colour of clothes and things replaced by the next one."""
    names = list(COLOURS)
    after = dict(zip(names, [*names[1:], names[0]], strict=True))
    return re.sub(r"\b(" + "|".join(names) + r")\b", lambda word: after[word[0]], caption)


def _copy_of(module: Any) -> Any:
    # Rebuilt from its configuration: a deep copy would carry the hooks of the memory port.
    with torch.random.fork_rng(devices=[]):  # exporting must not change what is drawn next
        has_factory = hasattr(module, "from_config")
        copy = (
            type(module).from_config(module.config) if has_factory else type(module)(module.config)
        )
    copy.load_state_dict(module.state_dict())
    return copy


def load_phi(checkpoint: Path) -> MemoryEncoder:
    """Return the memory encoder of a checkpoint of ours."""
    ports = Ports(patch_embedding=lambda latents: latents)
    site = MemorySite(
        folder=checkpoint / "memory",
        ports=ports,
        latent_channels=16,
        width=256,
        token_timestep=0.0,
    )
    return load_encoder(site.folder / "frame_preservation", site)


def stage_parser(description: str) -> argparse.ArgumentParser:
    """Return the options that both stages share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--checkpoint", type=Path, required=True, help="Wan folder to start from")
    parser.add_argument("--latents", type=Path, required=True, help="folder of story shards")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; resumed if any")
    parser.add_argument("--budget-seconds", type=float, required=True, help="training time")
    parser.add_argument("--validation-stories", type=int, default=MemoryStage.num_validation)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="peak rate of Muon")
    parser.add_argument("--lora-rank", type=int, default=0, help="train a LoRA; 0 = all weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument(
        "--compile", action="store_true", help="fuse the blocks: minutes first, then faster steps"
    )
    return parser


def run_stage(
    arguments: argparse.Namespace,
    *,
    next_shot_share: float,
    objective: ObjectiveOptions | None = None,
) -> None:
    """Train as the command line says and print every row of the curve."""
    torch.set_num_threads(arguments.threads)
    stage = MemoryStage(
        checkpoint=arguments.checkpoint,
        latents=arguments.latents,
        out=arguments.out,
        next_shot_share=next_shot_share,
        budget_seconds=arguments.budget_seconds,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        lora_rank=arguments.lora_rank,
        seed=arguments.seed,
        num_validation=arguments.validation_stories,
        is_compiled=arguments.compile,
        objective=objective or ObjectiveOptions(),
    )
    for row in train(stage):
        print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    print(f"Exported to {stage.out / 'checkpoint'}.")
