"""Noise levels: how the time between clean and noise is weighted."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch


def shifted(sigma: torch.Tensor, shift: float) -> torch.Tensor:
    """Return sigma' = s * sigma / (1 + (s - 1) * sigma): more time at high noise for s > 1."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def num_steps_from(strength: float, num_steps: int) -> int:
    """Return how many of `num_steps` a variation of `strength` takes: its share, at least 1."""
    return max(1, math.ceil(num_steps * strength - 1e-9))


def levels_from(strength: float, num_steps: int, num_levels: int) -> npt.NDArray[np.float64]:
    """Return noise levels from `strength` towards 0, as stock schedulers take them: not shifted.

    `num_levels` is what the model was trained with. Strength 1 gives a scheduler's own levels.
    """
    return np.linspace(strength, 1 / num_levels, num_steps + 1)[:-1]
