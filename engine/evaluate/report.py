"""A measurement as a page: what was run, on what, and its tables in Markdown."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from engine.context import weights_digest
from engine.recipes import Model


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a page."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    """What a reader must know to read it."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"A row of {len(row)} cells in {self.title!r}. Expected {len(self.columns)}."
                )

    def markdown(self) -> str:
        """Return title, note and table."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        note = f"{self.note}\n\n" if self.note else ""
        return f"## {self.title}\n\n{note}{table}\n"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One page of docs/measurements."""

    title: str
    facts: tuple[tuple[str, str], ...]
    """What it was measured with, as (name, value)."""
    tables: tuple[Table, ...]

    def markdown(self) -> str:
        """Return the whole page."""
        facts = "\n".join(f"* {name}: {value}" for name, value in self.facts)
        tables = "\n".join(table.markdown() for table in self.tables)
        return f"# {self.title}\n\n{facts}\n\n{tables}"


def write_report(report: Report, path: Path | None) -> None:
    """Print the page, and write it to `path` where one is given."""
    text = report.markdown()
    print(text)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"Written to {path}.")


def facts_of(model: Model, module: str, arguments: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return what every page says about its origin. No path or name of the machine is in it."""
    shown = [Path(word).name if Path(word).is_absolute() else word for word in arguments]
    digest = weights_digest(dict(model.parts.transformer.state_dict()))
    dtype = str(model.device.dtype).removeprefix("torch.")
    memory = ", ".join(system.info.title for system in model.memories.values())
    return (
        ("Command", f"`python -m {shlex.join([module, *shown])}`"),
        ("Date", datetime.now(UTC).strftime("%Y-%m-%d")),
        ("Model", f"{model.card.name}, transformer {digest[:12]}"),
        ("Memory systems", memory),
        *machine_facts(f"{model.device.threads} threads, {model.device.name} in {dtype}, "),
    )


def machine_facts(used: str = "") -> tuple[tuple[str, str], ...]:
    """Return the class of the machine, how busy it is, and the versions; `used` says how."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    capability = torch.backends.cpu.get_cpu_capability()
    return (
        ("Machine", f"{cores} cores ({capability}), {used}load {load:.1f}"),
        ("Software", f"torch {torch.__version__}, Python {sys.version.split()[0]}"),
    )


def run_facts(
    seeds: Sequence[int], num_rendered: int, started: float
) -> tuple[tuple[str, str], ...]:
    """Return seeds, renders and seconds of a table; `started` is a time of `time.monotonic`."""
    seconds = time.monotonic() - started
    facts = [("Made", f"{num_rendered} in {seconds:.0f} s; the others were kept in --cache")]
    if seeds:
        facts.insert(0, ("Seeds", ", ".join(str(seed) for seed in seeds)))
    return tuple(facts)
