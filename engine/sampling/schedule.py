"""Noise levels of a sampling run: sigma falls from 1 to 0, shifted towards noise."""

from __future__ import annotations

import torch


def shifted(sigma: torch.Tensor, shift: float) -> torch.Tensor:
    """Return sigma' = s * sigma / (1 + (s - 1) * sigma): more time at high noise for s > 1."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def euler_sigmas(num_steps: int, shift: float) -> torch.Tensor:
    """Return num_steps + 1 noise levels from 1 to 0 of the flow-matching Euler scheduler."""
    if num_steps < 1:
        raise ValueError(f"{num_steps} sampling steps. Expected at least 1.")
    return shifted(torch.linspace(1.0, 0.0, num_steps + 1, dtype=torch.float64), shift)
