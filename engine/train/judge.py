"""The judge's training: frames of the drawn world, sharp and soft, with what they show.

Run as `python -m engine.train.judge --vae runs/tiny_vae/vae --out runs/judge`. The judge only
measures: nothing of it is ever used to train the model.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.checkpoint import load_vae
from engine.models.judge import REPORTED_FROM, Accuracy, Judge, JudgeConfig, load_judge, save_judge
from engine.train.formats import is_bfloat16_fast
from engine.train.judged_clips import HIDDEN, JudgedClips, draw_clips, load_clips, soft_clips
from engine.train.loop import Budget, Curve, Ema, TrainState, warm_constant_decay
from engine.train.muon import muon_and_adamw
from engine.train.world.attributes import ATTRIBUTES
from engine.train.world.story import VALIDATION_SEEDS

FIRST_SEED = 500_000
FIRST_HELD_OUT = VALIDATION_SEEDS[50_000]
_SOFT_SHARE = 0.4
_LABEL_SMOOTHING = 0.05


@dataclass(frozen=True, kw_only=True)
class JudgeStage:
    """How to train the judge."""

    vae: Path
    """Diffusers folder of the VAE that makes the soft clips."""
    out: Path
    """Folder for clips, state, curve and the exported judge."""
    budget_seconds: float | None = None
    budget_steps: int | None = None
    init: Path | None = None
    """Folder of an exported judge to start from; None = random weights."""
    num_clips: int = 2800
    """Drawn training clips."""
    num_soft: int = 160
    """Training clips through the VAE."""
    num_held_out: int = 200
    """Validation clips of either kind behind every accuracy."""
    batch_size: int = 16
    learning_rate: float = 3e-3
    save_seconds: float = 300.0
    use_bfloat16: bool = field(default_factory=is_bfloat16_fast)


class JudgeTraining:
    """The judge with everything that changes while it is trained."""

    def __init__(self, stage: JudgeStage) -> None:
        self.clips = prepare_clips(stage)  # before the budget: drawing is not training
        torch.manual_seed(0)
        self.stage = stage
        self.judge = Judge(JudgeConfig(heads=ATTRIBUTES))
        if stage.init is not None:
            self.judge.load_state_dict(load_judge(stage.init).state_dict())
        self.optimisers = muon_and_adamw(self.judge, stage.learning_rate)
        self.ema = Ema(self.judge)
        self.budget = Budget(seconds=stage.budget_seconds, steps=stage.budget_steps)
        self.curve = Curve(stage.out / "curve.csv", ("step", "seconds", "loss", "frames", "soft"))
        self.state = TrainState(
            stage.out / "state.pt",
            {
                "judge": self.judge,
                "muon": self.optimisers[0],
                "adamw": self.optimisers[1],
                "ema": self.ema,
                "budget": self.budget,
                "curve": self.curve,
            },
        )

    def step(self) -> float:
        """Take one step on a mixed batch and return its loss."""
        factor = warm_constant_decay(self.budget.fraction, self.budget.step)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.stage.learning_rate * factor
        num_soft = round(_SOFT_SHARE * self.stage.batch_size)
        parts = [
            _sample(self.clips["sharp"], self.stage.batch_size - num_soft),
            _sample(self.clips["soft"], num_soft),
        ]
        pixels, labels_BK = mirrored(
            torch.cat([pixels for pixels, _ in parts]), torch.cat([labels for _, labels in parts])
        )
        pixels = augmented(pixels)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.stage.use_bfloat16):
            logits = self.judge(pixels)
        loss = judge_loss(logits, labels_BK)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.judge.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        self.ema.update(self.judge)
        self.budget.step += 1
        return float(loss.detach())


def prepare_clips(stage: JudgeStage) -> dict[str, JudgedClips]:
    """Return training and held-out clips, drawn once and kept in the folder of the run."""
    vae = load_vae(stage.vae)
    training = range(FIRST_SEED, FIRST_SEED + stage.num_clips)
    others = range(training.stop, training.stop + stage.num_soft)
    held_out = range(FIRST_HELD_OUT, FIRST_HELD_OUT + stage.num_held_out)
    makers: dict[str, Callable[[], JudgedClips]] = {
        "sharp": lambda: draw_clips(training),
        "soft": lambda: soft_clips(others, vae),
        "held_out": lambda: draw_clips(held_out),
        "held_out_soft": lambda: soft_clips(held_out, vae),
    }
    clips = {}
    for name, make in makers.items():
        path = stage.out / f"{name}.safetensors"
        if not path.exists():
            make().save(path)
        clips[name] = load_clips(path)
    return clips


def judge_loss(logits: dict[str, Tensor], labels_BK: Tensor) -> Tensor:
    """Return the mean cross-entropy over the attributes that are visible."""
    losses = [
        F.cross_entropy(
            rows_BV.float(),
            labels_BK[:, k],
            ignore_index=HIDDEN,
            label_smoothing=_LABEL_SMOOTHING,
            reduction="sum",
        )
        for k, rows_BV in enumerate(logits.values())
    ]
    return torch.stack(losses).sum() / (labels_BK != HIDDEN).sum().clamp_min(1)


def mirrored(pixels_BFCHW: Tensor, labels_BK: Tensor) -> tuple[Tensor, Tensor]:
    """Return half of the clips as seen in a mirror, where left and right have changed places."""
    column = list(ATTRIBUTES).index("action")
    left, right = (ATTRIBUTES["action"].index(f"walks {side}") for side in ("left", "right"))
    is_flipped = torch.rand(len(pixels_BFCHW)) < 0.5
    pixels_BFCHW, labels_BK = pixels_BFCHW.clone(), labels_BK.clone()
    pixels_BFCHW[is_flipped] = pixels_BFCHW[is_flipped].flip(-1)
    actions_B = labels_BK[:, column].clone()
    labels_BK[is_flipped & (actions_B == left), column] = right
    labels_BK[is_flipped & (actions_B == right), column] = left
    return pixels_BFCHW, labels_BK


def augmented(pixels_BFCHW: Tensor) -> Tensor:
    """Return clips moved, tinted, blurred and noised at random, frames of one clip alike.

    Generated shots are soft and their colours drift; a judge of crisp frames alone misreads them.
    """
    batch = len(pixels_BFCHW)
    pixels = torch.roll(
        pixels_BFCHW,
        (int(torch.randint(-3, 4, ())), int(torch.randint(-8, 9, ()))),
        dims=(-2, -1),
    )
    gain = 1 + 0.06 * (2 * torch.rand(batch, 1, 3, 1, 1) - 1)
    offset = 0.05 * (2 * torch.rand(batch, 1, 3, 1, 1) - 1)
    pixels = pixels * gain + offset
    chosen = torch.rand(batch) < 0.5
    if chosen.any():
        pixels[chosen] = _blurred(pixels[chosen], 0.5 + 1.1 * float(torch.rand(())))
    level = 0.06 * torch.rand(batch, 1, 1, 1, 1)
    return (pixels + level * torch.randn_like(pixels)).clamp(-1, 1)


@torch.no_grad()
def measured(judge: Judge, sharp: JudgedClips, soft: JudgedClips) -> dict[str, Accuracy]:
    """Return how often the judge is right, by attribute, over the clips that show it."""
    judge.eval()
    right = {kind: _is_right(judge, clips) for kind, clips in (("frames", sharp), ("soft", soft))}
    result = {}
    for k, name in enumerate(judge.config.heads):
        seen = sharp.labels_NK[:, k] != HIDDEN
        if not seen.any():
            continue
        shares = {kind: float(hits_NK[seen, k].float().mean()) for kind, hits_NK in right.items()}
        result[name] = Accuracy(
            frames=round(shares["frames"], 4),
            soft=round(shares["soft"], 4),
            num_shots=int(seen.sum()),
        )
    judge.train()
    return result


def _is_right(judge: Judge, clips: JudgedClips) -> Tensor:
    hits = []
    for first in range(0, len(clips), 16):
        pixels = clips.pixels_NFCHW[first : first + 16].float().div(127.5).sub(1)
        read = torch.stack([rows.argmax(-1) for rows in judge(pixels).values()], dim=1)
        hits.append(read == clips.labels_NK[first : first + 16])
    return torch.cat(hits)


def _sample(clips: JudgedClips, count: int) -> tuple[Tensor, Tensor]:
    chosen = torch.randint(len(clips), (count,))
    return clips.pixels_NFCHW[chosen].float().div(127.5).sub(1), clips.labels_NK[chosen]


def _blurred(pixels_BFCHW: Tensor, sigma: float) -> Tensor:
    taps = torch.exp(-torch.arange(-3, 4).float().pow(2) / (2 * sigma**2))
    taps = taps / taps.sum()
    flat = pixels_BFCHW.flatten(0, 2)[:, None]
    flat = F.conv2d(F.pad(flat, (3, 3, 0, 0), mode="replicate"), taps.view(1, 1, 1, 7))
    flat = F.conv2d(F.pad(flat, (0, 0, 3, 3), mode="replicate"), taps.view(1, 1, 7, 1))
    return flat.view_as(pixels_BFCHW)


def train(stage: JudgeStage) -> Iterator[dict[str, float]]:
    """Train until the budget is spent, continuing a run in `out`; yield rows of the curve."""
    stage.out.mkdir(parents=True, exist_ok=True)
    training = JudgeTraining(stage)
    if training.state.path.exists():
        training.state.load()
    loss, last = 0.0, time.monotonic()
    while not training.budget.is_spent:
        fresh = training.step()
        loss = fresh if loss == 0.0 else 0.97 * loss + 0.03 * fresh
        if time.monotonic() - last >= stage.save_seconds or training.budget.is_spent:
            with training.budget.paused():
                yield _checkpoint(training, loss)
            last = time.monotonic()


def export(training: JudgeTraining) -> Path:
    """Write the averaged weights with the accuracies of exactly these weights."""
    folder, judge = training.stage.out / "judge", training.judge
    with training.ema.averaged(judge):
        save_judge(judge, folder)
    shipped = load_judge(folder)  # rounded to bfloat16
    accuracy = measured(shipped, training.clips["held_out"], training.clips["held_out_soft"])
    shipped.config = replace(shipped.config, accuracy=accuracy)
    save_judge(shipped, folder)
    return folder


def describe(accuracy: dict[str, Accuracy]) -> str:
    """Return one line per attribute: right on drawn frames, right on VAE reconstructions."""
    lines = []
    for name, row in accuracy.items():
        verdict = "" if row.soft >= REPORTED_FROM else "  not reported"
        lines.append(
            f"{name:12} frames {row.frames:.3f}  soft {row.soft:.3f}  n {row.num_shots}{verdict}"
        )
    return "\n".join(lines)


def _checkpoint(training: JudgeTraining, loss: float) -> dict[str, float]:
    accuracy = load_judge(export(training)).config.accuracy
    budget = training.budget
    row = {
        "step": budget.step,
        "seconds": round(budget.spent_seconds, 1),
        "loss": round(loss, 4),
        "frames": round(sum(a.frames for a in accuracy.values()) / len(accuracy), 4),
        "soft": round(sum(a.soft for a in accuracy.values()) / len(accuracy), 4),
    }
    training.curve.add(**row)
    training.state.save()
    return row


def main() -> None:
    """Train from the command line; print every row of the curve and the final accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True, help="diffusers folder of the VAE")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; resumed if any")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--budget-seconds", type=float, help="training time")
    budget.add_argument("--budget-steps", type=int, help="steps instead of time; default 2500")
    parser.add_argument("--init", type=Path, help="folder of an exported judge to start from")
    parser.add_argument("--num-clips", type=int, default=JudgeStage.num_clips)
    parser.add_argument("--num-soft", type=int, default=JudgeStage.num_soft)
    parser.add_argument("--num-held-out", type=int, default=JudgeStage.num_held_out)
    parser.add_argument("--save-seconds", type=float, default=JudgeStage.save_seconds)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    stage = JudgeStage(
        vae=arguments.vae,
        out=arguments.out,
        budget_seconds=arguments.budget_seconds,
        budget_steps=arguments.budget_steps or (None if arguments.budget_seconds else 2500),
        init=arguments.init,
        num_clips=arguments.num_clips,
        num_soft=arguments.num_soft,
        num_held_out=arguments.num_held_out,
        save_seconds=arguments.save_seconds,
    )
    for row in train(stage):
        print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    print(describe(dict(load_judge(stage.out / "judge").config.accuracy)))


if __name__ == "__main__":
    main()
