"""The judge: a small network that reads looks and staging off the frames of a shot.

It measures the embedded model and never trains it. Its classes come from its configuration, so
nothing here knows the drawn world.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.errors import CheckpointError
from engine.shapes import check

REPORTED_FROM = 0.95
"""An attribute the judge reads less often right on VAE reconstructions is not reported."""
PICKS = (4, 7, 11)
"""Frames of a shot that are read: instants at which every action of the world shows itself."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How often the judge is right on held-out shots that show the attribute."""

    frames: float
    """On drawn frames."""
    soft: float
    """On their VAE reconstructions."""
    num_shots: int
    """Shots of either kind that show the attribute."""


@dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """What the judge reads, and how large it is."""

    heads: Mapping[str, tuple[str, ...]]
    """Attributes with their values."""
    channels: tuple[int, int, int, int] = (16, 32, 64, 128)
    accuracy: Mapping[str, Accuracy] = field(default_factory=dict)
    """Held-out accuracy by attribute, empty before training."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the judge reads in one shot."""

    values: Mapping[str, str]
    confidence: Mapping[str, float]
    """Probability it gives to each value."""


class Judge(nn.Module):
    """Frames of a shot in, one distribution per attribute out.

    Frames pass a convolution trunk on their own, then meet in one convolution over time. Each
    attribute looks where and when it finds most: attention over all places of all frames.
    """

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        first, second, third, last = config.channels
        self.trunk = nn.Sequential(
            _layer(3, first, kernel=5, stride=2),
            _layer(first, second, stride=2),
            _layer(second, third, stride=2),
            _layer(third, third),
            _layer(third, last, stride=2),
            _layer(last, last),
        )
        self.motion = nn.Conv3d(last, last, (3, 1, 1), padding=(1, 0, 0))
        self.gaze = nn.Conv3d(last, len(config.heads), 1)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(last, len(values)) for name, values in config.heads.items()}
        )

    def forward(self, pixels_BFCHW: Tensor) -> dict[str, Tensor]:
        """Return logits B V by attribute, of frames in [-1, 1]."""
        check(pixels_BFCHW, "B F C H W", C=3)
        x = self.trunk(pixels_BFCHW.flatten(0, 1)).unflatten(0, pixels_BFCHW.shape[:2])
        x_BCFHW = x.transpose(1, 2)
        x_BCFHW = x_BCFHW + torch.relu(self.motion(x_BCFHW))
        gaze_BKL = self.gaze(x_BCFHW).flatten(2).float().softmax(-1)
        seen_BKC = gaze_BKL @ x_BCFHW.flatten(2).transpose(1, 2).float()
        return {name: head(seen_BKC[:, k]) for k, (name, head) in enumerate(self.heads.items())}

    @torch.no_grad()
    def read(self, frames_FHW3: Tensor) -> Reading:
        """Return what the shot with these display frames shows.

        Raises:
            ValueError: fewer frames than the judge looks at.
        """
        logits = self(judge_pixels(frames_FHW3)[None])
        values, confidence = {}, {}
        for name, row_BV in logits.items():
            best = row_BV[0].softmax(-1).max(-1)
            values[name] = self.config.heads[name][int(best.indices)]
            confidence[name] = float(best.values)
        return Reading(values=values, confidence=confidence)

    def is_reported(self, name: str) -> bool:
        """Return whether the attribute is read well enough on soft pictures to be published."""
        known = self.config.accuracy.get(name)
        return known is not None and known.soft >= REPORTED_FROM


def judge_pixels(frames_FHW3: Tensor) -> Tensor:
    """Return the picked frames F C H W in [-1, 1]. Raises ValueError for too short a shot."""
    if len(frames_FHW3) <= PICKS[-1]:
        raise ValueError(
            f"A shot of {len(frames_FHW3)} frames. The judge looks at frame {PICKS[-1]}: expected "
            f"at least {PICKS[-1] + 1}."
        )
    return frames_FHW3[list(PICKS)].permute(0, 3, 1, 2).float().div(127.5).sub(1)


def save_judge(judge: Judge, folder: Path) -> None:
    """Write config.json with the accuracies, and the weights in bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    config = judge.config
    values = {
        "heads": dict(config.heads),
        "channels": config.channels,
        "accuracy": {name: asdict(row) for name, row in config.accuracy.items()},
    }
    (folder / "config.json").write_text(json.dumps(values, indent=1) + "\n", "utf-8")
    tensors = {k: v.detach().to(torch.bfloat16).contiguous() for k, v in judge.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")


def load_judge(folder: Path) -> Judge:
    """Return the trained judge in `folder`, in eval mode and float32.

    Raises:
        CheckpointError: missing, or weights that do not fit.
    """
    try:
        values = json.loads((folder / "config.json").read_text("utf-8"))
        config = JudgeConfig(
            heads={name: tuple(words) for name, words in values["heads"].items()},
            channels=tuple(values["channels"]),
            accuracy={name: Accuracy(**row) for name, row in values["accuracy"].items()},
        )
        judge = Judge(config)
        tensors = load_file(folder / "model.safetensors")
        judge.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"The judge in {folder} cannot be loaded: {error}. Expected config.json and "
            "model.safetensors; restore assets/checkpoints/judge or run engine.train.judge."
        ) from error
    return judge.eval().requires_grad_(requires_grad=False)


def _layer(inside: int, outside: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, padding=kernel // 2),
        nn.GroupNorm(8, outside),
        nn.SiLU(),
    )
