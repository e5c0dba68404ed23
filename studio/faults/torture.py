"""All kinds of faults in turn, until there were enough of each or the time is over."""

from __future__ import annotations

import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from studio.faults.corruption import corruptions
from studio.faults.kills import engine_kills, server_kills
from studio.faults.power_cuts import power_cuts
from studio.faults.races import clock_jumps, concurrent_tabs
from studio.faults.refusals import failing_calls
from studio.faults.tally import Tally

Round = Callable[[Path, random.Random], Tally]

KINDS: Mapping[str, Round] = MappingProxyType(
    {
        "server kill": server_kills,
        "engine kill": engine_kills,
        "power cut": power_cuts,
        "failing call": failing_calls,
        "corruption": corruptions,
        "concurrent tabs": concurrent_tabs,
        "clock jump": clock_jumps,
    }
)
SHARES: Mapping[str, int] = MappingProxyType(
    {
        "server kill": 4,
        "engine kill": 4,
        "power cut": 27,
        "failing call": 5,
        "corruption": 8,
        "concurrent tabs": 30,
        "clock jump": 22,
    }
)
"""How many of a hundred faults are of each kind, where a number of faults is asked for."""
_MEMORY = Path("/dev/shm")


def torture_for(
    minutes: float, *, seed: int, kinds: Sequence[str] = tuple(KINDS)
) -> Iterator[Tally]:
    """Inject faults for so long and yield what each round did.

    Every kind runs at least once; then the one that had the least time runs next. The seed chooses
    every fault; how many there are depends on the machine.
    """
    seconds, rounds = dict.fromkeys(kinds, 0.0), dict.fromkeys(kinds, 0)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end or not all(rounds.values()):
        name = min(kinds, key=lambda kind: (rounds[kind] > 0, seconds[kind]))
        counted = _round(name, seed, rounds[name])
        rounds[name] += 1
        seconds[name] += counted.seconds
        yield counted


def torture_until(
    faults: int, *, seed: int, kinds: Sequence[str] = tuple(KINDS)
) -> Iterator[Tally]:
    """Inject at least so many faults, by `SHARES`, and yield what each round did.

    The kind that is furthest from its share runs next, so a run that is broken off is one of all
    kinds too.
    """
    whole = sum(SHARES[kind] for kind in kinds)
    wanted = {kind: math.ceil(faults * SHARES[kind] / whole) for kind in kinds}
    injected, rounds = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0)
    while waiting := [kind for kind in kinds if injected[kind] < wanted[kind]]:
        name = min(waiting, key=lambda kind: injected[kind] / wanted[kind])
        counted = _round(name, seed, rounds[name])
        rounds[name] += 1
        injected[name] += counted.injected
        yield counted


def _round(name: str, seed: int, number: int) -> Tally:
    chosen = random.Random(f"{seed}.{name}.{number}")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mnemoreel-", dir=_scratch()) as folder:
        counted = KINDS[name](Path(folder), chosen)
    counted.seconds = time.monotonic() - start
    if not counted.is_clean:
        counted.notes.append(f"Seed {seed}, round {number} of {name}.")
    return counted


def _scratch() -> Path | None:
    # In memory where that exists: cuts and kills are simulated, so a real disk would only be slow.
    return _MEMORY if _MEMORY.is_dir() else None
