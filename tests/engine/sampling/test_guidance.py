"""Guidance: what is combined, and which forwards are saved where it does not act."""

from __future__ import annotations

import torch

from engine.context import EMPTY, Context
from engine.sampling.guidance import Guidance, guided

PROMPT, NO_PROMPT = torch.ones(1, 1, 1), torch.zeros(1, 1, 1)
MEMORY = Context(tokens_BLD=torch.zeros(1, 2, 4), positions_L3=torch.zeros(2, 3))
LATENTS = torch.zeros(1, 1, 1, 1, 1)


class Forwards:
    """A velocity that counts: 1 without anything, 10 more with the prompt, 100 more with memory."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, bool]] = []

    def __call__(
        self, latents: torch.Tensor, sigma: float, text: torch.Tensor, context: Context
    ) -> torch.Tensor:
        has_text, has_memory = bool(text.any()), context.num_tokens > 0
        self.asked.append((has_text, has_memory))
        return latents + 1.0 + 10.0 * has_text + 100.0 * has_memory


def value(guidance: Guidance, sigma: float, context: Context = MEMORY) -> tuple[float, int]:
    """Return the guided velocity and the forwards that it took."""
    forwards = Forwards()
    run = guided(forwards, guidance, PROMPT, NO_PROMPT, context)
    return float(run(LATENTS, sigma)), len(forwards.asked)


def test_both_guidances_lean_beyond_what_they_guide_away_from() -> None:
    both = Guidance(text=3.0, memory=2.0, memory_floor=0.5)
    assert value(both, 0.9) == (11.0 + 2 * 100.0 + 2 * 10.0, 3)


def test_below_its_floor_memory_guidance_takes_no_forward() -> None:
    guidance = Guidance(text=3.0, memory=2.0, memory_floor=0.8)
    assert value(guidance, 0.81) == (11.0 + 2 * 100.0 + 2 * 10.0, 3)
    assert value(guidance, 0.79) == (131.0, 2)


def test_without_memory_only_the_prompt_is_guided() -> None:
    assert value(Guidance(text=3.0, memory=2.0), 0.9, EMPTY) == (31.0, 2)


def test_strength_0_reads_no_memory() -> None:
    assert value(Guidance(text=1.0, memory=0.0), 0.9) == (11.0, 1)
