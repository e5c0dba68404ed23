"""`torture`: break a library on purpose, again and again, and print what came of it."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import platform
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from engine.protocol import Executor
from studio.cli.output import Output, UsageError
from studio.faults.tally import Tally, by_kind, table, total
from studio.faults.torture import KINDS, torture_for, torture_until
from studio.faults.traced import NoTracer
from studio.settings import Settings

HELP = "break libraries of its own on purpose and print what was lost (yours is not touched)"
EXAMPLES = """examples:
  python app.py torture --minutes 5 --seed 1
  python app.py torture --faults 20000 --seed 1 --json --out torture.md
  python app.py torture --minutes 2 --only "power cut" --only corruption
"""
_MINUTES = 2.0
_LEGEND = """Injected: faults that really happened. A process that SIGKILL ended; a disk other than
all before it; a call that strace reports as injected; a file with other bytes; an edit on a stale
revision; a clock that leapt. Acknowledged: edits, takes and moves that had been confirmed before
and were looked for afterwards. Rate below: 3 / n, which bounds the rate at 95 % where none of n
trials failed. Seconds: wall time, on a machine that was shared."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("--minutes", type=float, help=f"wall time ({_MINUTES:g})")
    parser.add_argument("--faults", type=int, help="at least so many, however long that takes")
    parser.add_argument("--seed", type=int, default=0, help="of every random choice (0)")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="a page, written as it goes")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(KINDS),
        metavar="FAULT",
        help=f"one of {', '.join(KINDS)}; may be given again",
    )


def run(given: argparse.Namespace, _settings: Settings, _engine: Executor, output: Output) -> int:
    """Inject what was asked for; exit code 1 if anything was lost, missed or left over."""
    rounds, tallies = _rounds(given), list[Tally]()
    logging.getLogger("storage").setLevel(logging.CRITICAL)  # what it warns of is wanted here
    try:
        for counted in rounds:
            tallies = by_kind([*tallies, counted])
            output.note(f"{_line(counted)} ({total(tallies).injected} so far)")
            if given.out is not None:
                given.out.write_text(_page(given, tallies), "utf-8")
    except NoTracer as error:
        raise UsageError(str(error)) from error
    every = total(tallies)
    kinds = {tally.kind: _counts(tally) for tally in tallies}
    output.result(
        {"seed": given.seed, **_counts(every), "kinds": kinds}, "\n".join(_words(tallies))
    )
    return 0 if every.is_clean else 1


def _rounds(given: argparse.Namespace) -> Iterator[Tally]:
    kinds = given.only or tuple(KINDS)
    if given.faults is not None and given.minutes is not None:
        raise UsageError("Both --minutes and --faults. Choose one of them.")
    if given.faults is not None:
        if given.faults < 1:
            raise UsageError(f"{given.faults} faults. Expected 1 or more.")
        return torture_until(given.faults, seed=given.seed, kinds=kinds)
    minutes = _MINUTES if given.minutes is None else given.minutes
    if not 0 < minutes <= 24 * 60:
        raise UsageError(f"{minutes} minutes. Expected more than 0, at most 1440 (a day).")
    return torture_for(minutes, seed=given.seed, kinds=kinds)


def _counts(tally: Tally) -> dict[str, object]:
    values = dataclasses.asdict(tally)
    return {name: value for name, value in values.items() if name != "kind"}


def _line(tally: Tally) -> str:
    verdict = "clean" if tally.is_clean else "; ".join(tally.notes[:3])
    return f"{tally.kind}: {tally.injected} in {tally.seconds:.0f} s, {verdict}"


def _words(tallies: list[Tally]) -> list[str]:
    notes = [f"{tally.kind}: {note}" for tally in tallies for note in tally.notes]
    return [table(tallies), *notes]


def _page(given: argparse.Namespace, tallies: list[Tally]) -> str:
    asked = f"--faults {given.faults}" if given.faults else f"--minutes {given.minutes or _MINUTES}"
    asked += "".join(f' --only "{kind}"' for kind in given.only or ())
    injected = total(tallies).injected
    short = f", broken off after {injected}" if injected < (given.faults or 0) else ""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    lines = [
        "# Faults",
        "",
        f"`python app.py torture {asked} --seed {given.seed}`{short}, "
        f"{time.strftime('%Y-%m-%d')}, {machine}, SQLite {sqlite3.sqlite_version}.",
        "",
        *_words(tallies),
        "",
        _LEGEND,
    ]
    return "\n".join(lines) + "\n"
