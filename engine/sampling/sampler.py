"""From noise to clean latents: a generator that yields what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from engine.sampling.known import Hold, Known
from engine.sampling.schedule import levels_from, num_steps_from

Velocity = Callable[[torch.Tensor, float], torch.Tensor]
"""(latents B C T H W, noise level) -> velocity B C T H W."""
SOLVER_FIELDS = (
    "model_outputs",
    "timestep_list",
    "last_sample",
    "lower_order_nums",
    "this_order",
    "_step_index",
)
"""What the stock schedulers that may be loaded change at each step: their whole history."""


@dataclass(frozen=True, kw_only=True)
class SamplerState:
    """Where sampling stands between two steps: going on from here is bit-equal to never stopping.

    No random number is drawn after the noise, which the seed alone gives again.
    """

    step: int
    """Steps that were taken."""
    latents_BCTHW: torch.Tensor
    solver: Mapping[str, Any] = field(default_factory=dict)
    """The scheduler's own fields: numbers, tensors and lists of both."""


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
    solver: Mapping[str, Any] = field(default_factory=dict)
    """The scheduler's fields after the step, for `SamplerState`."""

    @property
    def state(self) -> SamplerState:
        """From where sampling can go on."""
        return SamplerState(step=self.index, latents_BCTHW=self.latents_BCTHW, solver=self.solver)


def noise(shape: tuple[int, ...], seed: int, device: str | torch.device) -> torch.Tensor:
    """Return Gaussian noise that depends on the seed alone, not on device or batch."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device)


def denoise(
    velocity: Velocity,
    latents_BCTHW: torch.Tensor,
    scheduler: Any,
    num_steps: int,
    *,
    known: Known | None = None,
    resume: SamplerState | None = None,
) -> Iterator[Step]:
    """Yield the steps of a stock scheduler from noise to clean latents.

    `velocity` gets the latents and the noise level, the scheduler's timestep / 1000. The scheduler
    is made anew from its configuration, since it keeps a history. Frames that are `known` and held
    come out bit-equal; with nothing left to make there is one step, which gives what is known.
    With `resume` only the steps after it are taken; `latents_BCTHW` is the noise all the same.

    Raises:
        ValueError: fewer than one step.
    """
    if num_steps < 1:
        raise ValueError(f"{num_steps} sampling steps. Expected at least 1.")
    if known is not None and known.is_all:
        clean = known.latents_BCTHW.to(latents_BCTHW)
        yield Step(index=1, num_steps=1, sigma=0.0, latents_BCTHW=clean, estimate_BCTHW=clean)
        return
    hold = None if known is None else Hold(known, latents_BCTHW)
    strength = 1.0 if known is None else known.strength
    scheduler = _scheduler(scheduler, num_steps, strength, latents_BCTHW.device)
    sigmas = [float(sigma) for sigma in scheduler.sigmas]
    num_steps = len(scheduler.timesteps)
    if hold is not None:
        latents_BCTHW = hold.begin(sigmas[0])
    if resume is not None:
        latents_BCTHW = _go_on(scheduler, resume, latents_BCTHW)
    done = 0 if resume is None else resume.step
    for index, timestep in enumerate(scheduler.timesteps[done:], done):
        if hold is not None:
            latents_BCTHW = hold.at(latents_BCTHW, sigmas[index])
        direction = velocity(latents_BCTHW, float(timestep) / 1000.0)
        if hold is not None:
            direction = hold.direction(direction)
        estimate = latents_BCTHW - sigmas[index] * direction
        latents_BCTHW = scheduler.step(direction, timestep, latents_BCTHW, return_dict=False)[0]
        if hold is not None and index + 1 == num_steps:
            latents_BCTHW = hold.clean(latents_BCTHW)
        yield Step(
            index=index + 1,
            num_steps=num_steps,
            sigma=sigmas[index + 1],
            latents_BCTHW=latents_BCTHW,
            estimate_BCTHW=estimate,
            solver=_solver(scheduler),
        )


def _solver(scheduler: Any) -> dict[str, Any]:
    """Return the scheduler's history; its lists are changed in place, its tensors never."""
    found = {name: getattr(scheduler, name, None) for name in SOLVER_FIELDS}
    return {
        name: list(value) if isinstance(value, list) else value
        for name, value in found.items()
        if value is not None
    }


def _go_on(scheduler: Any, resume: SamplerState, noise_BCTHW: torch.Tensor) -> torch.Tensor:
    """Give a new scheduler the history of an earlier one, and return the latents."""
    for name, value in resume.solver.items():
        setattr(scheduler, name, _on(value, noise_BCTHW.device))
    return resume.latents_BCTHW.to(noise_BCTHW)


def _on(value: Any, device: torch.device) -> Any:
    if isinstance(value, list):
        return [_on(item, device) for item in value]
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _scheduler(stock: Any, num_steps: int, strength: float, device: torch.device) -> Any:
    """Return the scheduler anew, with its own levels or with those below `strength`."""
    scheduler = type(stock).from_config(stock.config)
    if strength == 1.0:
        scheduler.set_timesteps(num_steps, device=device)
    else:
        count = num_steps_from(strength, num_steps)
        levels = levels_from(strength, count, scheduler.config.num_train_timesteps)
        scheduler.set_timesteps(sigmas=levels, device=device)
    return scheduler
