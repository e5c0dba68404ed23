"""Holding and varying latents: what is held comes back bit-equal, strength goes from 0 to 1."""

from __future__ import annotations

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from engine.sampling.known import Known
from engine.sampling.sampler import Step, denoise, noise
from engine.sampling.schedule import levels_from, num_steps_from
from engine.train.assemble import build_scheduler

SHAPE = (1, 4, 5, 3, 2)
STEPS = 8
BASE = noise(SHAPE, 1, "cpu")
SCHEDULERS = [build_scheduler(), FlowMatchEulerDiscreteScheduler(shift=3.0)]


def velocity(latents: torch.Tensor, sigma: float) -> torch.Tensor:
    """Mix neighbours in time, so that what is held reaches what is made."""
    return torch.tanh(latents + latents.roll(1, dims=2)) * (0.5 + sigma)


def held(*frames: int) -> torch.Tensor:
    return torch.tensor([index in frames for index in range(SHAPE[2])])


def run(known: Known | None, *, seed: int = 2, which: int = 0) -> list[Step]:
    start = noise(SHAPE, seed, "cpu")
    return list(denoise(velocity, start, SCHEDULERS[which], STEPS, known=known))


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("strength", [1.0, 0.6, 0.1])
def test_held_frames_come_back_bit_equal_and_the_others_are_new(
    which: int, strength: float
) -> None:
    known = Known(latents_BCTHW=BASE, held_T=held(0, 1, 4), strength=strength)
    made = run(known, which=which)[-1].latents_BCTHW
    assert torch.equal(made[:, :, [0, 1, 4]], BASE[:, :, [0, 1, 4]])
    assert not torch.isclose(made[:, :, [2, 3]], BASE[:, :, [2, 3]]).any()


def test_the_estimate_knows_held_frames_from_the_first_step_on() -> None:
    known = Known(latents_BCTHW=BASE, held_T=held(0, 4))
    for step in run(known):
        assert torch.allclose(step.estimate_BCTHW[:, :, [0, 4]], BASE[:, :, [0, 4]], atol=1e-5)


def test_a_held_frame_changes_what_is_made_beside_it() -> None:
    alone = run(None)[-1].latents_BCTHW
    known = Known(latents_BCTHW=BASE, held_T=held(1))
    assert not torch.isclose(run(known)[-1].latents_BCTHW[:, :, 2], alone[:, :, 2]).any()


@pytest.mark.parametrize("which", [0, 1])
def test_strength_one_with_nothing_held_is_a_new_generation(which: int) -> None:
    known = Known(latents_BCTHW=BASE, held_T=held(), strength=1.0)
    new, varied = run(None, which=which), run(known, which=which)
    assert torch.equal(new[-1].latents_BCTHW, varied[-1].latents_BCTHW)


def test_strength_zero_returns_the_take_without_asking_the_model() -> None:
    known = Known(latents_BCTHW=BASE, held_T=held(), strength=0.0)
    (only,) = run(known)
    assert torch.equal(only.latents_BCTHW, BASE)
    assert (only.index, only.num_steps, only.sigma) == (1, 1, 0.0)


def test_with_every_frame_held_the_take_comes_back() -> None:
    (only,) = run(Known(latents_BCTHW=BASE, held_T=held(0, 1, 2, 3, 4)))
    assert torch.equal(only.latents_BCTHW, BASE)


@pytest.mark.parametrize("which", [0, 1])
def test_a_stronger_variation_goes_further_from_the_take(which: int) -> None:
    weak = Known(latents_BCTHW=BASE, held_T=held(), strength=0.05)
    strong = Known(latents_BCTHW=BASE, held_T=held(), strength=0.9)
    far = (run(strong, which=which)[-1].latents_BCTHW - BASE).norm()
    assert (run(weak, which=which)[-1].latents_BCTHW - BASE).norm() < far


def test_the_seed_decides_a_variation() -> None:
    known = Known(latents_BCTHW=BASE, held_T=held(0), strength=0.5)
    again = run(known, seed=5)[-1].latents_BCTHW
    assert torch.equal(run(known, seed=5)[-1].latents_BCTHW, again)
    assert not torch.equal(run(known, seed=6)[-1].latents_BCTHW, again)


def test_steps_are_the_share_of_the_strength() -> None:
    assert [num_steps_from(s, 8) for s in (0.01, 0.125, 0.5, 0.51, 1.0)] == [1, 1, 4, 5, 8]
    assert len(run(Known(latents_BCTHW=BASE, held_T=held(), strength=0.5))) == 4


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_full_strength_levels_are_the_stock_ones(scheduler: object) -> None:
    stock, ours = (type(scheduler).from_config(scheduler.config) for _ in range(2))  # type: ignore[attr-defined]
    stock.set_timesteps(STEPS)
    ours.set_timesteps(sigmas=levels_from(1.0, STEPS, 1000))
    if isinstance(scheduler, FlowMatchEulerDiscreteScheduler):
        assert ours.sigmas[0] == pytest.approx(1.0)  # its own levels end earlier: shifted twice
    else:
        assert torch.equal(stock.sigmas, ours.sigmas)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_of_zero_and_one_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="Expected 0 to 1"):
        Known(latents_BCTHW=BASE, held_T=held(), strength=strength)


def test_marks_must_match_the_latent_frames() -> None:
    with pytest.raises(ValueError, match="3 marks for 5"):
        Known(latents_BCTHW=BASE, held_T=torch.ones(3, dtype=torch.bool))
