"""Clips of the drawn world as tensors, drawn the moment they are needed."""

import random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.train.world.draw import draw_shot
from engine.train.world.story import TRAINING_SEEDS, VALIDATION_SEEDS, WorldDials, tell

_RICH_EVERY = 6  # one clip in six shows what the simple diet leaves out


def to_pixels(frames_FHW3: NDArray[np.uint8]) -> Tensor:
    """Return display frames as C F H W in [-1, 1]."""
    return torch.from_numpy(frames_FHW3).permute(3, 0, 1, 2).float().div(127.5).sub(1)


def draw_clip(seed: int, num_frames: int) -> Tensor:
    """Return one shot of the story of `seed`, C F H W in [-1, 1]."""
    dials = WorldDials(num_frames=num_frames, text=0.6)
    if seed % _RICH_EVERY == 0:
        dials = WorldDials(num_frames=num_frames, two_people=0.5, max_count=3, weather=0.3)
    shots = tell(seed, dials).shots
    return to_pixels(draw_shot(random.Random(seed).choice(shots)).frames_FHW3)


def validation_clips(num_clips: int, num_frames: int, first: int = 0) -> Tensor:
    """Return held-out clips N C F H W of the validation stories from number `first` on."""
    seeds = VALIDATION_SEEDS[first : first + num_clips]
    return torch.stack([draw_clip(seed, num_frames) for seed in seeds])


class ClipStream:
    """An endless stream of batches in which no training story comes twice before all have come."""

    def __init__(self, first_seed: int = 0) -> None:
        if first_seed not in TRAINING_SEEDS:
            raise ValueError(f"Seed {first_seed} is held out. Train on {TRAINING_SEEDS}.")
        self.next_seed = first_seed

    def batch(self, num_clips: int, num_frames: int) -> Tensor:
        """Return the next clips, B C F H W in [-1, 1]."""
        clips = []
        for _ in range(num_clips):
            clips.append(draw_clip(self.next_seed, num_frames))
            self.next_seed = (self.next_seed + 1) % len(TRAINING_SEEDS)
        return torch.stack(clips)

    def state_dict(self) -> dict[str, Any]:
        """Return the seed of the next story."""
        return {"next_seed": self.next_seed}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Continue at a saved seed."""
        self.next_seed = state["next_seed"]
