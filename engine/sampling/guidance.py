"""Guidance: text against no text, memory against no memory, from as few forwards as possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from engine.context import EMPTY, Context

Velocity = Callable[[torch.Tensor, float, torch.Tensor, Context], torch.Tensor]
"""(latents B C T H W, sigma, text B L D, context) -> velocity B C T H W."""


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """How strongly a shot follows its prompt and its memory."""

    text: float = 1.0
    """Scale between empty prompt (0), prompt (1) and beyond. 1 = off, one forward less."""
    memory: float = 1.0
    """Scale between no memory (0), memory as it is (1) and beyond."""
    memory_floor: float = 0.3
    """Memory guidance acts while sigma is above this; below, memory is read as it is."""


def guided(
    velocity: Velocity,
    guidance: Guidance,
    text_BLD: torch.Tensor,
    empty_BLD: torch.Tensor,
    context: Context,
) -> Callable[[torch.Tensor, float], torch.Tensor]:
    """Return v(latents, sigma) with both guidances applied.

    v = v_none + w_m (v_memory - v_none), then v = v_empty + w_t (v - v_empty), where v_empty reads
    the same memory with an empty prompt.
    """
    if guidance.memory == 0.0:
        context = EMPTY

    def run(latents: torch.Tensor, sigma: float) -> torch.Tensor:
        result = velocity(latents, sigma, text_BLD, context)
        read = result
        if context.num_tokens and guidance.memory != 1.0 and sigma > guidance.memory_floor:
            without = velocity(latents, sigma, text_BLD, EMPTY)
            result = without + guidance.memory * (read - without)
        if guidance.text != 1.0:
            unprompted = velocity(latents, sigma, empty_BLD, context)
            result = result + (guidance.text - 1.0) * (read - unprompted)
        return result

    return run
