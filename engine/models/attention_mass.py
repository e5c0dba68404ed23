"""How much a section attends to each past take: softmax mass of its queries on memory tokens.

Read beside the stock attention by hooks that only look: queries and keys of some tokens are
computed once more in the few forwards that are measured. Nothing of the output changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

MOST_QUERIES = 64
"""Tokens of the section whose attention is looked at, evenly spread."""
BLOCK_STRIDE = 2
"""Every other block is looked at: a shot must not be slowed."""


class AttentionMass:
    """Adds up attention mass per segment of the context, over heads, blocks and forwards."""

    def __init__(
        self, transformer: Any, segments: Sequence[int], mass: Sequence[float] = ()
    ) -> None:
        """Hold what is looked at.

        Args:
            transformer: a stock Wan transformer.
            segments: tokens of each past take, in the order of the context.
            mass: of each past take, what an earlier run of the same shot had added up.
        """
        self._blocks = list(transformer.blocks)[::BLOCK_STRIDE]
        self._segments = list(segments)
        self._mass = torch.zeros(len(segments), dtype=torch.float64)
        if mass:
            self._mass += torch.tensor(mass, dtype=torch.float64)

    @property
    def mass(self) -> tuple[float, ...]:
        """What was added up so far, for each past take."""
        return tuple(float(mass) for mass in self._mass)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Look at every forward inside."""
        handles = [
            block.attn1.register_forward_pre_hook(self._look, with_kwargs=True)
            for block in self._blocks
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def shares(self) -> tuple[float, ...]:
        """Return the share of each segment; they sum to 1, or are 0 if nothing was looked at."""
        total = float(self._mass.sum())
        return tuple(float(mass) / total if total else 0.0 for mass in self._mass)

    @torch.no_grad()
    def _look(self, attn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden_BLD = args[0] if args else kwargs["hidden_states"]
        rotary = args[3] if len(args) > 3 else kwargs["rotary_emb"]
        memory = sum(self._segments)
        length = hidden_BLD.shape[1]
        chosen = torch.arange(memory, length, max(1, (length - memory) // MOST_QUERIES))
        chosen = chosen.to(hidden_BLD.device)
        query = _heads(attn.norm_q(attn.to_q(hidden_BLD[:, chosen])), attn.heads)
        key = _heads(attn.norm_k(attn.to_k(hidden_BLD)), attn.heads)
        query = _rotated(query, [part[:, chosen] for part in rotary])
        key = _rotated(key, rotary)
        scores_BNLM = torch.einsum("blnk,bmnk->bnlm", query, key) * query.shape[-1] ** -0.5
        onto_M = scores_BNLM.softmax(-1).mean(dim=(0, 1, 2))[:memory]
        parts = onto_M.double().cpu().split(self._segments)
        self._mass += torch.stack([part.sum() for part in parts])


def _heads(x_BLD: torch.Tensor, heads: int) -> torch.Tensor:
    return x_BLD.float().reshape(*x_BLD.shape[:2], heads, -1)


def _rotated(x_BLNK: torch.Tensor, rotary: Sequence[torch.Tensor]) -> torch.Tensor:
    cos, sin = rotary[0][..., 0::2], rotary[1][..., 1::2]
    first, second = x_BLNK[..., 0::2], x_BLNK[..., 1::2]
    return torch.stack((first * cos - second * sin, first * sin + second * cos), -1).flatten(-2)
