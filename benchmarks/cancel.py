"""How fast a shot stops: until the queue says so, and until the engine computes nothing more.

Run as `python -m benchmarks.cancel --count 60 --out docs/measurements/cancel.md`. The real queue
and the real engine process render the embedded model; each shot is cancelled at a random moment.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import contains
from pathlib import Path
from typing import Any

from engine.client import LocalExecutor
from engine.evaluate.report import Report, Table, machine_facts, write_report
from engine.protocol import LAST, CancelledMessage, FromEngine, Progress
from engine.specs import Spec
from storage import checkpoints, history, jobs, references
from storage.database import Library
from studio.actions.generate import Wish, generate
from studio.actions.job_control import cancel_job
from studio.actions.manage_projects import create_project
from studio.actions.storyboards import import_storyboard
from studio.session import Session
from studio.settings import Settings
from studio.supervisor.supervisor import Supervisor

STORY = "00:00:00:00 Mia with red hair and a blue shirt walks in the park.\n"
PATIENCE_SECONDS = 900.0


@dataclass(frozen=True)
class Trial:
    """One cancel."""

    phase: str
    """What the engine was doing as far as it had told."""
    acknowledged: float
    """Seconds until the row said `cancelling`, committed."""
    stopped: float
    """Seconds until the engine said that it computes nothing more."""


@dataclass
class Timed(LocalExecutor):
    """The real executor, which notes when an engine said what."""

    settings: dict[str, Any]
    ended_at: dict[str, float] = field(default_factory=dict)
    was_cancelled: dict[str, bool] = field(default_factory=dict)
    phases: dict[str, str] = field(default_factory=dict)
    steps: list[float] = field(default_factory=list)
    """Seconds between two steps that followed each other."""

    def __post_init__(self) -> None:
        super().__init__(self.settings)

    def submit(self, job_id: str, spec: Spec) -> Iterator[FromEngine]:
        """Yield the job's messages and note their times."""
        last = 0.0
        for message in super().submit(job_id, spec):
            now = time.perf_counter()
            if isinstance(message, Progress):
                self.phases[job_id] = message.phase
                if message.phase == "denoising":
                    if last:
                        self.steps.append(now - last)
                    last = now
            if isinstance(message, LAST):
                self.was_cancelled[job_id] = isinstance(message, CancelledMessage)
                self.ended_at[job_id] = now
            yield message


def main() -> int:
    """Cancel many shots and print how long each took to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="cancels to measure")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None, help="markdown file to write")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mnemoreel-cancel-") as folder:
        settings = Settings(data_folder=Path(folder) / "data")
        with Library.open(settings.data_folder) as library:
            executor = Timed(dict(settings.engine_settings))
            session = Session(settings=settings, library=library, executor=executor)
            supervisor = Supervisor(session)
            supervisor.start()
            try:
                trials, whole = measure(session, executor, given.count, random.Random(given.seed))
                leftovers = left_behind(library)
            finally:
                supervisor.stop()
    write_report(report(trials, executor, whole, leftovers), given.out)
    return 0


def measure(
    session: Session, executor: Timed, count: int, rng: random.Random
) -> tuple[list[Trial], float]:
    """Return as many trials, and the seconds of a shot that nobody cancelled."""
    project_id = create_project(session, "Cancel").id
    import_storyboard(session, project_id, STORY, mode="append")
    wish = Wish(has_new_seed=True)

    def begin() -> str:
        (job_id,) = generate(session, project_id, shots, wish=wish)
        wait(partial(contains, executor.phases, job_id))
        return job_id

    shots = shot_ids(session, project_id)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        job_id = begin()
        wait(partial(contains, executor.ended_at, job_id))
        seconds.append(executor.ended_at[job_id] - start)
    whole = statistics.median(seconds)
    trials: list[Trial] = []
    while len(trials) < count:
        job_id = begin()
        time.sleep(rng.random() * whole)
        if job_id in executor.ended_at:
            continue  # it was done before it could be cancelled
        phase = executor.phases[job_id]
        start = time.perf_counter()
        state = cancel_job(session, job_id).state
        acknowledged = time.perf_counter() - start
        wait(partial(contains, executor.ended_at, job_id))
        wait(partial(is_over, session, job_id))
        if state == "cancelling" and executor.was_cancelled[job_id]:
            trials.append(Trial(phase, acknowledged, executor.ended_at[job_id] - start))
            print(f"{len(trials)} of {count}: {trials[-1]}", file=sys.stderr)
    return trials, whole


def shot_ids(session: Session, project_id: str) -> list[str]:
    """Return the shots of a project."""
    with session.library.read() as tx:
        return [shot.shot_id for shot in history.head(tx, project_id)[1].shots]


def is_over(session: Session, job_id: str) -> bool:
    """Return whether the queue is done with a job."""
    return job_id not in session.running


def wait(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, looking every two milliseconds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Nothing happened for {PATIENCE_SECONDS:.0f} s.")
        time.sleep(0.002)


def left_behind(library: Library) -> str:
    """Return what the cancels left in the queue."""
    with library.read() as tx:
        active = [job for job in jobs.active(tx) if job.kind == "generate"]
        pins = references.pinned(tx)
        stands = checkpoints.job_ids(tx)
    return f"{len(active)} unfinished jobs, {len(pins)} pins, {len(stands)} checkpoints"


def report(trials: Sequence[Trial], executor: Timed, whole: float, leftovers: str) -> Report:
    """Return the page."""
    phases = sorted({trial.phase for trial in trials})
    groups = [("all", list(trials))]
    groups += [(phase, [t for t in trials if t.phase == phase]) for phase in phases]
    rows = [
        (
            name,
            str(len(group)),
            *spread([t.acknowledged for t in group]),
            *spread([t.stopped for t in group]),
        )
        for name, group in groups
    ]
    step = statistics.median(executor.steps) if executor.steps else 0.0
    config = Path(executor.settings["checkpoint"]) / "transformer" / "config.json"
    blocks = int(json.loads(config.read_text())["num_layers"])
    info = executor.info
    table = Table(
        title="Seconds from the cancel, in milliseconds",
        columns=(
            "what ran",
            "n",
            "acknowledged, median",
            "p95",
            "largest",
            "stopped, median",
            "p95",
            "largest",
        ),
        rows=tuple(rows),
        note=(
            "*Acknowledged*: the row says `cancelling` and is committed. *Stopped*: the engine has "
            "said that it computes nothing more; its message and the queue's thread are in it. "
            f"A step took {1e3 * step:.0f} ms in the median; it runs the {blocks} blocks of the "
            "model once for each forward (1 to 3 with guidance), so one block is at "
            f"most {1e3 * step / blocks:.0f} ms. That nothing begins after the block in which the "
            "cancel came is a test: `tests/engine/models/test_stops.py`."
        ),
    )
    return Report(
        title="How fast a shot stops",
        facts=(
            ("Command", f"`python -m benchmarks.cancel {' '.join(sys.argv[1:])}`"),
            ("Model", "not known" if info is None else f"{info.model}, {info.dtype}"),
            *machine_facts(),
            ("A shot that nobody cancelled", f"{whole:.2f} s"),
            ("Left behind by all cancels", leftovers),
        ),
        tables=(table,),
    )


def spread(values: Sequence[float]) -> tuple[str, str, str]:
    """Return median, 95th percentile and largest in milliseconds."""
    if not values:
        return "-", "-", "-"
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return tuple(f"{1e3 * v:.1f}" for v in (statistics.median(ordered), p95, ordered[-1]))  # type: ignore[return-value]


if __name__ == "__main__":
    sys.exit(main())
