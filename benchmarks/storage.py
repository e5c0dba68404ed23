"""What an edit, a rewind and a page cost, by depth of the history and length of the cut.

Run as `python -m benchmarks.storage --out docs/measurements/storage.md`. Every edit is durable
(SQLite in WAL mode with FULL sync, on the disk of `--folder`). Wall time is what an editor waits;
processor time is what remains of it on a machine with nothing else to do, disk apart.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from storage import history, projects
from storage.database import Library
from storage.records import Branch, Cut, Project, Shot

RATE = (24, 1)
PROMPT = "Mia in a red striped shirt walks slowly along the pier, the sea behind her, medium shot"
EDIT_TARGET_MS, REWIND_TARGET_MS = 20.0, 25.0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Milliseconds of one verb, over all its trials."""

    verb: str
    shots: int
    depth: int
    wall: tuple[float, ...]
    processor: tuple[float, ...]
    num_bytes: int
    """Bytes that the database grew by, for each trial."""

    def row(self) -> str:
        """Return the line of the table."""
        p50, p95, p99 = (percentile(self.wall, share) for share in (0.5, 0.95, 0.99))
        own = percentile(self.processor, 0.95)
        return (
            f"| {self.verb} | {self.shots} | {self.depth} | {len(self.wall)} | {p50:.1f} | "
            f"{p95:.1f} | {p99:.1f} | {own:.1f} | {self.num_bytes / 1024:.1f} |"
        )


def percentile(values: tuple[float, ...], share: float) -> float:
    """Return the value that this share of all is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Bench:
    """A project of so many shots, and the verbs on it."""

    def __init__(self, library: Library, num_shots: int, seed: int) -> None:
        self.library = library
        self.chosen = random.Random(seed)
        with library.write() as tx:
            self.project: Project = projects.create(tx, f"{num_shots} shots", RATE, 832, 480)
            cut = Cut(rate=RATE, width=832, height=480, shots=tuple(map(_shot, range(num_shots))))
            self._append(tx, history.head(tx, self.project.id)[0], cut)
        self.num_shots = num_shots
        self.nodes: list[str] = []

    def edit(self) -> None:
        """Trim one shot: what dragging an edge commits."""
        with self.library.write() as tx:
            branch, cut = history.head(tx, self.project.id)
            at = self.chosen.randrange(len(cut.shots))
            trimmed = dataclasses.replace(cut.shots[at], in_=self.chosen.randrange(40))
            shots = (*cut.shots[:at], trimmed, *cut.shots[at + 1 :])
            self._append(tx, branch, dataclasses.replace(cut, shots=shots))

    def insert(self) -> None:
        """Insert a shot and take another one out."""
        with self.library.write() as tx:
            branch, cut = history.head(tx, self.project.id)
            at = self.chosen.randrange(len(cut.shots))
            made = _shot(self.chosen.randrange(1 << 30))
            shots = (*cut.shots[:at], made, *cut.shots[at + 1 :])
            self._append(tx, branch, dataclasses.replace(cut, shots=shots))

    def rewind(self) -> None:
        """Go to any node of the history, and read its cut."""
        node_id = self.chosen.choice(self.nodes)
        with self.library.write() as tx:
            history.rewind(tx, self.project.id, "main", node_id)
        with self.library.read() as tx:
            history.head(tx, self.project.id)

    def undo(self) -> None:
        """Undo, and redo if there is nothing to undo."""
        with self.library.write() as tx:
            if history.undo(tx, self.project.id) is None:
                history.redo(tx, self.project.id)

    def learn_nodes(self) -> None:
        """Remember the nodes that a rewind can go to."""
        with self.library.read() as tx:
            self.nodes = [node.id for node in history.nodes(tx, self.project.id)]

    def _append(self, tx: Connection, branch: Branch, cut: Cut) -> None:
        history.append(
            tx,
            project_id=self.project.id,
            branch="main",
            expected_rev=branch.rev,
            op_kind="trim",
            op={"op": "trim", "edge": "in", "delta": 1},
            label="Trim Shot 3 in by 1 frame",
            cut=cut,
        )


def _shot(number: int) -> Shot:
    return Shot(
        shot_id=f"019a0000-0000-7000-8000-{number:012x}",
        prompt=PROMPT,
        num_frames=81,
        in_=0,
        out=81,
        take_id=f"019a0000-0000-7000-9000-{number:012x}",
    )


def measure(bench: Bench, verb: str, act: Callable[[], None], trials: int) -> Timing:
    """Time a verb that often."""
    database = bench.library.folder / "library.sqlite3"
    with bench.library.read() as tx:
        depth = max(node.depth for node in history.nodes(tx, bench.project.id))
    before = _bytes(database)
    wall, processor = [], []
    for _ in range(trials):
        start, own = time.perf_counter(), time.thread_time()
        act()
        wall.append((time.perf_counter() - start) * 1000)
        processor.append((time.thread_time() - own) * 1000)
    grown = (_bytes(database) - before) // trials
    return Timing(
        verb=verb,
        shots=bench.num_shots,
        depth=depth,
        wall=tuple(wall),
        processor=tuple(processor),
        num_bytes=max(0, grown),
    )


def _bytes(database: Path) -> int:
    with_log = (database, database.with_name(database.name + "-wal"))
    return sum(path.stat().st_size for path in with_log if path.exists())


def run(folder: Path, *, trials: int, depth: int, shots: tuple[int, ...]) -> list[Timing]:
    """Measure every verb at every length, at the beginning of a history and deep in it."""
    found = []
    for count in shots:
        with Library.open(folder / f"library-{count}") as library:
            bench = Bench(library, count, seed=7)
            found.append(measure(bench, "edit", bench.edit, trials))
            found.append(measure(bench, "insert", bench.insert, trials))
            bench.learn_nodes()
            found.append(measure(bench, "rewind", bench.rewind, trials))
            bench.rewind()
            while len(bench.nodes) < depth:
                for _ in range(50):
                    bench.edit()
                bench.learn_nodes()
            found.append(measure(bench, "edit", bench.edit, trials))
            bench.learn_nodes()
            found.append(measure(bench, "rewind", bench.rewind, trials))
            found.append(measure(bench, "undo", bench.undo, trials))
    return found


def report(found: list[Timing], asked: str) -> str:
    """Return the page; `asked` is what was typed after the command's name."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    edits = [t for t in found if t.verb in ("edit", "insert")]
    rewinds = [t for t in found if t.verb in ("rewind", "undo")]
    worst = [
        f"* worst p95 of an edit: {max(percentile(t.wall, 0.95) for t in edits):.1f} ms "
        f"(target {EDIT_TARGET_MS:.0f} ms); processor alone "
        f"{max(percentile(t.processor, 0.95) for t in edits):.1f} ms",
        f"* worst p95 of a rewind, its new cut read: "
        f"{max(percentile(t.wall, 0.95) for t in rewinds):.1f} ms "
        f"(target {REWIND_TARGET_MS:.0f} ms); processor alone "
        f"{max(percentile(t.processor, 0.95) for t in rewinds):.1f} ms",
    ]
    return "\n".join(
        [
            "# Storage",
            "",
            f"`python -m benchmarks.storage {asked}`, "
            f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, "
            f"{os.cpu_count()} cores, load {load} before and during.",
            "",
            *worst,
            "",
            "| verb | shots | depth | n | p50 ms | p95 ms | p99 ms | p95 processor ms | KiB each |",
            "|---|---|---|---|---|---|---|---|---|",
            *(t.row() for t in found),
            "",
            "Depth is that of the deepest node before the trials. KiB: what database and log grew "
            "by; the log is reused, so a small figure may be zero.",
            "",
            "Wall time is what the load of the machine made of it: above a load of 1 only the "
            "processor's column says something about the storage.",
            "",
            f"Median edit: {statistics.median(percentile(t.wall, 0.5) for t in edits):.1f} ms.",
        ]
    )


def main() -> None:
    """Measure, print the page, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, metavar="FILE.md")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="on the disk to be measured")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--depth", type=int, default=1000)
    parser.add_argument("--shots", type=int, nargs="+", default=[100, 500])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        found = run(Path(name), trials=given.trials, depth=given.depth, shots=tuple(given.shots))
    page = report(found, " ".join(sys.argv[1:]))
    print(page)
    if given.out:
        given.out.write_text(page + "\n")


if __name__ == "__main__":
    main()
