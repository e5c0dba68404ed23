"""Clips for the judge: frames of shots, drawn or through the VAE, with labels of what they show."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.models.judge import PICKS
from engine.train.clips import to_pixels
from engine.train.formats import fast_autocast
from engine.train.one_pass_vae import decode_parallel, encode_parallel
from engine.train.world.attributes import ATTRIBUTES, labels_of, visible_attributes
from engine.train.world.draw import draw_shot
from engine.train.world.script import ShotScript
from engine.train.world.story import WorldDials, tell

HIDDEN = -1
"""Label of an attribute that the frames do not show: no loss, no score."""
_NUM_FRAMES = 4 * ((PICKS[-1] + 3) // 4) + 1
_DIALS = WorldDials(text=0.35)


@dataclass(frozen=True)
class JudgedClips:
    """N shots as the judge sees them."""

    pixels_NFCHW: Tensor
    """uint8, the frames of `engine.models.judge.PICKS`."""
    labels_NK: Tensor
    """Index of each attribute's value in ATTRIBUTES, or HIDDEN."""

    def __len__(self) -> int:
        return len(self.labels_NK)

    def save(self, path: Path) -> None:
        """Write one safetensors file; whole or not at all."""
        part = path.with_suffix(".partial")
        save_file({"pixels": self.pixels_NFCHW, "labels": self.labels_NK}, part)
        part.replace(path)


def load_clips(path: Path) -> JudgedClips:
    """Return the clips that `JudgedClips.save` wrote."""
    tensors = load_file(path)
    return JudgedClips(tensors["pixels"], tensors["labels"])


def shot_of(seed: int) -> ShotScript:
    """Return one shot of the story of `seed`, with one person in it."""
    return random.Random(seed).choice(tell(seed, _DIALS).shots)


def draw_clips(seeds: Sequence[int]) -> JudgedClips:
    """Return clips as they are drawn."""
    shots = [shot_of(seed) for seed in seeds]
    pixels = [torch.from_numpy(draw_shot(shot, PICKS).frames_FHW3) for shot in shots]
    return JudgedClips(torch.stack(pixels).permute(0, 1, 4, 2, 3).contiguous(), _labels(shots))


@torch.no_grad()
def soft_clips(seeds: Sequence[int], vae: Any) -> JudgedClips:
    """Return the same clips through the VAE: as soft as the best the model can make."""
    shots = [shot_of(seed) for seed in seeds]
    pixels = []
    for shot in shots:
        clip_BCFHW = to_pixels(draw_shot(shot, range(_NUM_FRAMES)).frames_FHW3)[None]
        with fast_autocast():
            decoded = decode_parallel(vae, encode_parallel(vae, clip_BCFHW)[0])
        picked = decoded[0].transpose(0, 1)[list(PICKS)].float().clamp(-1, 1)
        pixels.append(picked.add(1).mul(127.5).round().to(torch.uint8))
    return JudgedClips(torch.stack(pixels), _labels(shots))


def _labels(shots: Sequence[ShotScript]) -> Tensor:
    rows = []
    for shot in shots:
        truth, seen = labels_of(shot), visible_attributes(shot, PICKS[::2])
        rows.append(
            [
                values.index(truth[name]) if name in seen else HIDDEN
                for name, values in ATTRIBUTES.items()
            ]
        )
    return torch.tensor(rows)
