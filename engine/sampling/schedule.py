"""Noise levels: how the time between clean and noise is weighted."""

from __future__ import annotations

import torch


def shifted(sigma: torch.Tensor, shift: float) -> torch.Tensor:
    """Return sigma' = s * sigma / (1 + (s - 1) * sigma): more time at high noise for s > 1."""
    return shift * sigma / (1 + (shift - 1) * sigma)
