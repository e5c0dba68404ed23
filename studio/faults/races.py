"""Races: tabs that edit at once, and clocks that jump while a job runs."""

from __future__ import annotations

import dataclasses
import random
import threading
from pathlib import Path

from storage import history, jobs, projects, takes
from storage.database import Library
from storage.errors import Conflict, Fenced
from storage.records import Job, Shot
from studio.faults import workload
from studio.faults.tally import Tally
from studio.faults.verify import look_after

_TABS = 6
_EDITS_A_TAB = 20
_CLAIMS = 48
_HOUR = 3_600_000_000


def concurrent_tabs(scratch: Path, chosen: random.Random) -> Tally:
    """Let tabs add shots at once, each on the revision it saw; every one must be in the cut."""
    tally = Tally(kind="concurrent tabs")
    folder = scratch / "library"
    project_id = workload.prepare(folder)
    seeds = [chosen.randrange(1 << 30) for _ in range(_TABS)]
    told: list[str] = []
    conflicts: list[int] = []
    with Library.open(folder) as library:
        tabs = [
            threading.Thread(target=_edit_all, args=(library, project_id, seed, told, conflicts))
            for seed in seeds
        ]
        for tab in tabs:
            tab.start()
        for tab in tabs:
            tab.join()
        with library.read() as tx:
            branch, cut = history.head(tx, project_id)
    there = {shot.shot_id for shot in cut.shots}
    tally.injected += len(conflicts)
    tally.acknowledged += len(told)
    tally.lost += len(set(told) - there)
    if branch.rev < len(told):
        tally.notes.append(f"{len(told)} edits made {branch.rev} revisions.")
    look_after(folder, [], tally)
    return tally


def _edit_all(
    library: Library, project_id: str, seed: int, told: list[str], conflicts: list[int]
) -> None:
    for number in range(_EDITS_A_TAB):
        name = f"tab-{seed}-{number}"
        while not _try_to_add(library, project_id, name):
            conflicts.append(number)
        told.append(name)


def _try_to_add(library: Library, project_id: str, name: str) -> bool:
    with library.read() as tx:
        seen, cut = history.head(tx, project_id)
    added = Shot(shot_id=name, prompt="", num_frames=9, in_=0, out=9, take_id=None)
    try:
        with library.write() as tx:
            history.append(
                tx,
                project_id=project_id,
                branch="main",
                expected_rev=seen.rev,
                op_kind="insert",
                op={"kind": "insert"},
                label=f"Add {name}",
                cut=dataclasses.replace(cut, shots=(*cut.shots, added)),
            )
    except Conflict:
        return False
    return True


class JumpingClock:
    """UTC microseconds that leap forwards and back by up to an hour."""

    def __init__(self, chosen: random.Random) -> None:
        self.chosen = chosen
        self.at = 1_800_000_000_000_000
        self.jumps = 0

    def __call__(self) -> int:
        """Return the time."""
        self.at += 1000
        return self.at

    def jump(self) -> None:
        """Leap."""
        self.at += self.chosen.randrange(-_HOUR, _HOUR)
        self.jumps += 1


def clock_jumps(scratch: Path, chosen: random.Random, *, num_jobs: int = 12) -> Tally:
    """Jump the clock between claim and finish: no living worker loses its job, no take doubles."""
    tally = Tally(kind="clock jump")
    clock = JumpingClock(chosen)
    folder = scratch / "library"
    workload.prepare(folder)
    with Library.open(folder, clock=clock) as library:
        for number in range(num_jobs):
            _one_job(library, clock, number, tally)
        with library.read() as tx:
            found = len(takes.of_shot(tx, workload.SHOT))
    tally.injected += clock.jumps
    tally.acknowledged += num_jobs
    if found != num_jobs:
        tally.lost += abs(num_jobs - found)
        tally.notes.append(f"{num_jobs} jobs left {found} takes.")
    look_after(folder, [], tally)
    return tally


def _one_job(library: Library, clock: JumpingClock, number: int, tally: Tally) -> None:
    with library.write() as tx:
        (project,) = projects.list_all(tx)
        spec = {"name": f"jump {number}"}
        jobs.add(tx, kind="generate", project_id=project.id, shot_id=workload.SHOT, spec=spec)
    first = _claim(library, "first")
    clock.jump()
    with library.write() as tx:
        taken = jobs.requeue_lost(tx, lambda worker: worker == "first")
    if taken:
        tally.lost += 1
        tally.notes.append("A living worker lost its job to the clock.")
        return
    clock.jump()
    with library.write() as tx:
        jobs.requeue_lost(tx, lambda _worker: False)  # now it is gone
    clock.jump()
    second = _claim(library, "second", tries=_CLAIMS, clock=clock)
    blobs = workload.put_blobs(library, f"jump {number}")
    try:
        workload.finish(library, first, blobs)
        tally.lost += 1
        tally.notes.append("A stale run was committed.")
    except Fenced:
        workload.finish(library, second, blobs)


def _claim(
    library: Library, worker: str, *, tries: int = 1, clock: JumpingClock | None = None
) -> Job:
    for _ in range(tries):
        with library.write() as tx:
            job = jobs.claim(tx, worker, {"generate"})
        if job is not None:
            return job
        if clock is not None:
            clock.at += _HOUR  # a clock that went back makes a job wait, never vanish
    raise LookupError("The job waits although the clock has caught up.")
