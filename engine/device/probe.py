"""What this machine does best: device, threads, and the faster number format, measured at start."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where and in which format the model runs."""

    name: str
    """`cpu`, `cuda` or `mps`."""
    dtype: torch.dtype
    """Format of the matrix products, and of the transformer's matrices; all else is float32."""
    threads: int
    milliseconds: dict[str, float]
    """Median time of the probe by format: one convolution and one matrix product."""

    def autocast(self) -> torch.autocast:
        """Return the context in which the model runs."""
        return torch.autocast(
            "cuda" if self.name == "cuda" else "cpu",
            dtype=torch.bfloat16,
            enabled=self.dtype == torch.bfloat16,
        )


def choose_threads(threads: int) -> int:
    """Return the threads to use: as asked, or for 0 all cores up to 2, else one fewer."""
    if threads > 0:
        return threads
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, cores if cores <= 2 else cores - 1)


def choose_device(*, threads: int = 0) -> Device:
    """Set the thread count and return the device with its faster format.

    bf16 is 3 to 4 times faster where the processor has AVX512-BF16 or AMX and usually slower
    elsewhere, so both are timed.
    """
    count = choose_threads(threads)
    torch.set_num_threads(count)
    if torch.cuda.is_available():
        return Device(name="cuda", dtype=torch.bfloat16, threads=count, milliseconds={})
    timed = time_formats()
    return Device(name="cpu", dtype=faster_format(timed), threads=count, milliseconds=timed)


def time_formats() -> dict[str, float]:
    """Return the median milliseconds of the probe on the CPU by number format."""
    return {name: _median_ms(dtype) for name, dtype in _FORMATS.items()}


def faster_format(milliseconds: Mapping[str, float]) -> torch.dtype:
    """Return the format that took the least time."""
    return _FORMATS[min(milliseconds, key=lambda name: milliseconds[name])]


_FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@torch.no_grad()
def _median_ms(dtype: torch.dtype) -> float:
    conv = nn.Conv3d(32, 32, 3, padding=1).to(dtype)
    linear = nn.Linear(256, 1024).to(dtype)
    clip, tokens = torch.zeros(1, 32, 5, 24, 40, dtype=dtype), torch.zeros(1, 435, 256, dtype=dtype)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        conv(clip)
        linear(tokens)
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1e3
