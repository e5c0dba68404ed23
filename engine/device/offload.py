"""What is given up, one rung after the other, when a device runs out of memory.

A rung is climbed once for a size of picture and then kept, so that the next shot of that size does
not fail first. The picture stays the same, except that tiles meet in seams one can measure.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

import torch

Size = tuple[int, int]
"""Width and height in pixels."""
PARTS_WAIT = "text encoder and VAE wait in main memory"
STREAMED = "the transformer is streamed from main memory"
SMALL_TILES = "the VAE works in smaller tiles"
LEAST_TILE = 32
"""Pixels. Below, a tile has more overlap than picture."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that there was no memory left, on a device or in the machine."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # PyTorch has no class of its own for main memory.
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def free_caches() -> None:
    """Hand back what the allocators keep for later."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Ladder:
    """The rungs of one loaded model; which one a size needs is remembered for its life."""

    def __init__(self, parts: Mapping[str, Any], device: str) -> None:
        """Hold the model's `transformer`, `text_encoder` and `vae`; nothing changes yet."""
        self._parts = parts
        self._device = torch.device(device)
        self.rungs: tuple[str, ...] = (SMALL_TILES,)
        if self._device.type == "cuda":
            self.rungs = (PARTS_WAIT, STREAMED, SMALL_TILES)
        self._height: dict[Size, int] = {}
        self._streamed: set[str] = set()

    def use(self, size: Size) -> None:
        """Bring the model to the rung that this size needs."""
        taken = self.rungs[: self._height.get(size, 0)]
        # What was moved off the device stays off: moving it back is what ran out before.
        if PARTS_WAIT in taken:
            self._stream("text_encoder")
            self._stream("vae")
        if STREAMED in taken:
            self._stream("transformer")
        self._tile(size if SMALL_TILES in taken else None)

    def climb(self, size: Size) -> str:
        """Free what can be freed and take the next rung; empty = there is none left."""
        free_caches()
        height = self._height.get(size, 0)
        if height == len(self.rungs):
            return ""
        self._height[size] = height + 1
        self.use(size)
        return self.rungs[height]

    def _stream(self, name: str) -> None:
        if name in self._streamed:
            return
        from diffusers.hooks import apply_group_offloading  # loads hooks that nobody else needs

        self._streamed.add(name)
        apply_group_offloading(
            self._parts[name],
            onload_device=self._device,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
        )

    def _tile(self, size: Size | None) -> None:
        vae = self._parts["vae"]
        if size is None:
            vae.disable_tiling()
            return
        width, height = (max(LEAST_TILE, pixels // 2 // 16 * 16) for pixels in size)
        vae.enable_tiling(
            tile_sample_min_height=height,
            tile_sample_min_width=width,
            tile_sample_stride_height=height * 3 // 4 // 8 * 8,
            tile_sample_stride_width=width * 3 // 4 // 8 * 8,
        )
