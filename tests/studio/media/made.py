"""Videos made for tests: every frame carries its number, so that order can be read back."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np

from studio.media import encode

BITS = 10
BLOCK = 8


def numbered(number: int, size: tuple[int, int] = (96, 64)) -> Any:
    """Return a picture whose top row of blocks spells `number` in black and white."""
    width, height = size
    pixels = np.full((height, width, 3), 90, np.uint8)
    pixels[height // 2 :, : (number * 7) % width] = (200, 60, 60)
    for bit in range(BITS):
        value = 235 if number >> bit & 1 else 20
        pixels[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = value
    return pixels


def number_of(pixels: Any) -> int:
    """Return the number that a picture spells."""
    grey = pixels[:BLOCK, : BITS * BLOCK].mean(axis=2)
    means = [grey[2:-2, b * BLOCK + 2 : (b + 1) * BLOCK - 2].mean() for b in range(BITS)]
    return sum(1 << b for b, mean in enumerate(means) if mean > 128)


def take(path: Path, numbers: range, rate: tuple[int, int] = (8, 1)) -> Path:
    """Write a take with the pinned encoding whose frames spell `numbers`."""
    encode.write(path, (encode.frame_of_rgb(numbered(n)) for n in numbers), rate)
    return path


def read(path: Path) -> list[Any]:
    """Return all frames of a video as RGB."""
    with av.open(str(path)) as container:
        return [
            f.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
            for f in container.decode(video=0)
        ]


def run_here(
    task: str, arguments: dict[str, Any], *, told: Any, **ignored: object
) -> dict[str, Any]:
    """Run a task of the media child in this process: a test of what it leads to needs no child."""
    module, _, function = task.partition(":")
    result: dict[str, Any] = getattr(importlib.import_module(module), function)(arguments, told)
    return result


def ffmpeg(*arguments: str | Path) -> None:
    """Run the bundled ffmpeg, which makes the awkward files."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)
