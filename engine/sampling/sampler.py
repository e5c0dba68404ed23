"""From noise to clean latents: a generator that yields what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from engine.errors import Cancelled


@dataclass(frozen=True, kw_only=True)
class Step:
    """One denoising step was taken."""

    index: int
    """From 1."""
    num_steps: int
    sigma: float
    """Noise level after the step."""
    latents_BCTHW: torch.Tensor
    estimate_BCTHW: torch.Tensor
    """What the clean latents look like from here: the preview."""


def noise(shape: tuple[int, ...], seed: int, device: str | torch.device) -> torch.Tensor:
    """Return Gaussian noise that depends on the seed alone, not on device or batch."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device)


def euler(
    velocity: Callable[[torch.Tensor, float], torch.Tensor],
    latents_BCTHW: torch.Tensor,
    sigmas: torch.Tensor,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Step]:
    """Yield the steps of x += (sigma_next - sigma) v from sigma = 1 to 0.

    Raises:
        Cancelled: between two steps, when `is_cancelled` says so.
    """
    num_steps = len(sigmas) - 1
    for index in range(num_steps):
        if is_cancelled():
            raise Cancelled(f"Stopped after step {index} of {num_steps}.")
        sigma, following = float(sigmas[index]), float(sigmas[index + 1])
        direction = velocity(latents_BCTHW, sigma)
        estimate = latents_BCTHW - sigma * direction
        latents_BCTHW = latents_BCTHW + (following - sigma) * direction
        yield Step(
            index=index + 1,
            num_steps=num_steps,
            sigma=following,
            latents_BCTHW=latents_BCTHW,
            estimate_BCTHW=estimate,
        )
