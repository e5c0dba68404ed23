"""Renders and footage kept between tables: what two tables both need is computed once.

A shelf is a folder of safetensors files named by everything they were made from, so that other
weights, another world or another way of sampling never meet an old file. Deleting it is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.context import digest_of


@dataclass(frozen=True)
class Shelf:
    """Tensors by what they were made from."""

    folder: Path | None = None
    """None = nothing is kept."""

    def take(self, *made_from: object) -> dict[str, Tensor] | None:
        """Return what `put` kept under the same values, None where there is nothing."""
        path = self._path(made_from)
        return load_file(path) if path is not None and path.is_file() else None

    def put(self, tensors: Mapping[str, Tensor], *made_from: object) -> None:
        """Keep `tensors` under the values they were made from; whole or not at all."""
        path = self._path(made_from)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".partial")
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part)
        part.replace(path)

    def _path(self, made_from: tuple[object, ...]) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / f"{digest_of(*made_from)[:32]}.safetensors"


NO_SHELF = Shelf()
