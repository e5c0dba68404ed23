"""What a job works with, and what it says while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.context import Memory
from engine.errors import MemoryStateError
from engine.protocol import Phase
from engine.recipes import Model
from engine.takes import BlobDesk

NO_MEMORY = "none"
SAVE_SECONDS = 10.0
"""Between two times that the state of a long shot is saved while it is sampled."""


def _no() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Report:
    """How far a job is; `preview` is a JPEG where there is a new one."""

    phase: Phase
    step: int
    num_steps: int
    done: float
    eta_seconds: float | None = None
    preview: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a job works with."""

    model: Model
    desk: BlobDesk
    is_cancelled: Callable[[], bool]
    is_stopping: Callable[[], bool] = _no
    """The editor wants what there is by now."""
    is_pausing: Callable[[], bool] = _no
    """The editor wants the device, and this job to go on later."""
    save_seconds: float = SAVE_SECONDS


def memory_of(model: Model, system: str) -> Memory | None:
    """Return a memory system of the model, or None for `none`.

    Raises:
        MemoryStateError: the model has no such system.
    """
    if system == NO_MEMORY:
        return None
    if system not in model.memories:
        raise MemoryStateError(
            f"There is no memory system {system!r}. Expected one of "
            f"{[*sorted(model.memories), NO_MEMORY]}."
        )
    return model.memories[system]
