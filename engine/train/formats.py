"""The number format that training on a CPU runs in: the one that this machine is faster in.

Probed once a process. With AVX512-BF16 or AMX bfloat16 is three to four times as fast as float32;
where it has to be emulated it took ten times as long.
"""

from functools import cache

import torch

from engine.device.probe import faster_format, time_formats


@cache
def fast_format() -> torch.dtype:
    """Return bfloat16 or float32."""
    return faster_format(time_formats())


def is_bfloat16_fast() -> bool:
    """Return whether bfloat16 is the faster one: the default of every stage."""
    return fast_format() == torch.bfloat16


def fast_autocast() -> torch.autocast:
    """Return the context in which what is computed once, without gradients, runs."""
    return torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16_fast())
