"""From noise to clean latents: a generator that yields what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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


def denoise(
    velocity: Callable[[torch.Tensor, float], torch.Tensor],
    latents_BCTHW: torch.Tensor,
    scheduler: Any,
    num_steps: int,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Step]:
    """Yield the steps of a stock scheduler from noise to clean latents.

    `velocity` gets the latents and the noise level, the scheduler's timestep / 1000. The scheduler
    is made anew from its configuration, since it keeps a history.

    Raises:
        Cancelled: between two steps, when `is_cancelled` says so.
        ValueError: fewer than one step.
    """
    if num_steps < 1:
        raise ValueError(f"{num_steps} sampling steps. Expected at least 1.")
    scheduler = type(scheduler).from_config(scheduler.config)
    scheduler.set_timesteps(num_steps, device=latents_BCTHW.device)
    for index, timestep in enumerate(scheduler.timesteps):
        if is_cancelled():
            raise Cancelled(f"Stopped after step {index} of {num_steps}.")
        direction = velocity(latents_BCTHW, float(timestep) / 1000.0)
        estimate = latents_BCTHW - float(scheduler.sigmas[index]) * direction
        latents_BCTHW = scheduler.step(direction, timestep, latents_BCTHW, return_dict=False)[0]
        yield Step(
            index=index + 1,
            num_steps=num_steps,
            sigma=float(scheduler.sigmas[index + 1]),
            latents_BCTHW=latents_BCTHW,
            estimate_BCTHW=estimate,
        )
