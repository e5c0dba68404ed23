"""Where a model can be stopped: before every transformer block, VAE layer, text and memory layer.

One step of a large model takes a minute when it is streamed from memory, and a VAE tile takes
seconds: asking between steps alone would keep an editor waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from engine.context import Memory
from engine.errors import Cancelled


class Stops:
    """Asks before each piece of work whether to go on. Outside `asking` it does nothing."""

    def __init__(self, parts: Mapping[str, nn.Module], memories: Mapping[str, Memory]) -> None:
        """Put a hook on the pieces of each part and of each memory system's encoder."""
        self.num_pieces = 0
        self._is_cancelled: Callable[[], bool] = _never
        seen: set[int] = set()
        for name, part in parts.items():
            self._watch(_listed(part), name, seen)
        for name, memory in memories.items():
            encoder = getattr(memory, "encoder", None)
            if isinstance(encoder, nn.Module):
                self._watch(_leaves(encoder), f"memory {name}", seen)

    @contextmanager
    def asking(self, is_cancelled: Callable[[], bool]) -> Iterator[None]:
        """Raise `Cancelled` before the next piece of work inside once `is_cancelled` says so."""
        before, self._is_cancelled = self._is_cancelled, is_cancelled
        try:
            yield
        finally:
            self._is_cancelled = before

    def _watch(self, pieces: Iterator[nn.Module], name: str, seen: set[int]) -> None:
        def ask(*_: Any) -> None:
            if self._is_cancelled():
                raise Cancelled(f"Stopped between two pieces of the {name}.")

        for piece in pieces:
            if id(piece) not in seen:
                seen.add(id(piece))
                piece.register_forward_pre_hook(ask)
                self.num_pieces += 1


def _never() -> bool:
    return False


def _listed(part: nn.Module) -> Iterator[nn.Module]:
    """Yield what stands in lists: blocks of transformers, layers of the VAE at each resolution."""
    for module in part.modules():
        if isinstance(module, nn.ModuleList):
            yield from (piece for piece in module if next(piece.children(), None) is not None)


def _leaves(part: nn.Module) -> Iterator[nn.Module]:
    """Yield the smallest layers, except inside attention: a hook would take its fast path away."""
    for child in part.children():
        if isinstance(child, nn.MultiheadAttention):
            continue
        if next(child.children(), None) is None:
            yield child
        else:
            yield from _leaves(child)
