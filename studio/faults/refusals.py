"""Calls that fail: no room, I/O errors and no more handles, injected into the real program."""

from __future__ import annotations

import random
from pathlib import Path

from studio.faults import traced, workload
from studio.faults.tally import Tally
from studio.faults.verify import look_after

_CAUSES = (
    (("ENOSPC", "EDQUOT"), ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "rename")),
    (("EIO",), ("pread64", "pwrite64", "write", "fsync", "fdatasync", "rename", "unlink")),
    (("EMFILE", "ENFILE"), ("openat",)),
)
_CALLS_AN_ACT = {"pwrite64": 25, "pread64": 4, "fsync": 3, "openat": 4}
"""About how many an act makes, counted with strace -c. Of the others it is one or fewer."""


def failing_calls(scratch: Path, chosen: random.Random, *, acts: int = 20, runs: int = 4) -> Tally:
    """Let calls of one kind fail at random places of each run and look at what is left.

    What is counted is what strace says it injected.
    """
    tally = Tally(kind="failing call")
    for number in range(runs):
        folder, log = scratch / f"library{number}", scratch / f"injected{number}"
        workload.prepare(folder)
        fault = _fault(chosen, acts)
        told = traced.run(folder, chosen.randrange(1 << 30), acts, "-o", str(log), "-e", fault)
        tally.injected += log.read_bytes().count(b"(INJECTED)")
        before = len(tally.notes)
        look_after(folder, told, tally)
        if len(tally.notes) > before:
            tally.notes.append(f"with {fault}")
    return tally


def _fault(chosen: random.Random, acts: int) -> str:
    """Return what strace is to inject: one call some times in a row, or all again and again."""
    errors, calls = chosen.choice(_CAUSES)
    error = chosen.choice(errors)
    if chosen.random() < 0.5:
        step = chosen.randrange(12, 40)
        first = 1 + chosen.randrange(step)
        return f"inject={','.join(calls)}:error={error}:when={first}+{step}"
    call = chosen.choice(calls)
    first = 1 + chosen.randrange(_CALLS_AN_ACT.get(call, 1) * acts)
    last = first + chosen.choice((0, 0, 2, 9))
    return f"inject={call}:error={error}:when={first}..{last}"
