"""Killed processes: what was acknowledged is there afterwards, and nothing is half there."""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import random
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from storage import history, jobs, projects, references, takes, tree, waiting
from storage.check import check
from storage.database import Library
from storage.records import Project
from tests.storage import scene


def work(folder: str, seed: int, pipe: Connection) -> None:
    """Edit, undo and finish jobs as fast as possible; acknowledge each after its commit."""
    chosen = random.Random(seed)
    with Library.open(Path(folder)) as library:
        with library.write() as tx:
            (project,) = projects.list_all(tx)
            jobs.requeue_lost(tx, lambda _worker: False)
        for number in itertools.count():
            act = chosen.choice((edit, edit, undo, render))
            pipe.send_bytes(json.dumps(act(library, project, f"{seed}.{number}")).encode())


def edit(library: Library, project: Project, name: str) -> dict[str, object]:
    with library.write() as tx:
        branch, cut = history.head(tx, project.id)
        shot = scene.shot("s1", prompt=f"rain {name}")
        node = scene.append(tx, project, scene.with_shots(cut, shot), name)
    return {"node": node.id, "state": node.state_digest, "rev": branch.rev + 1}


def undo(library: Library, project: Project, _name: str) -> dict[str, object]:
    with library.write() as tx:
        history.undo(tx, project.id)
        branch, _ = history.head(tx, project.id)
    return {"rev": branch.rev}


def render(library: Library, project: Project, name: str) -> dict[str, object]:
    with library.write() as tx:
        history.ensure_shots(tx, project.id, ["s1"])
    scene.queue(library, project, "s1")
    done = scene.finish(library, scene.claim(library), name)
    (take,) = done.takes
    return {"take": take.id, "media": take.media_digest, "row": take.row_digest}


def kill_once(folder: Path, seed: int, after: float) -> list[dict[str, object]]:
    """Run `work` in a process, kill it after so many seconds, return what it acknowledged."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(str(folder), seed, there))
    process.start()
    there.close()
    assert process.pid is not None
    assert here.poll(20), "the process did not acknowledge anything in 20 s"
    time.sleep(after)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    acknowledged = []
    with contextlib.suppress(EOFError), here:
        while True:
            acknowledged.append(json.loads(here.recv_bytes()))
    return acknowledged


def require_all(library: Library, project: Project, acknowledged: list[dict[str, object]]) -> None:
    with library.read() as tx:
        for told in acknowledged:
            if "node" in told:
                node = tree.get(tx, str(told["node"]))
                assert node.state_digest == told["state"]
                references.read(tx, node.state_digest)
            if "take" in told:
                take = takes.get(tx, str(told["take"]))
                assert (take.media_digest, take.row_digest) == (told["media"], told["row"])
                library.blobs.read(take.media_digest)
        branch, _ = history.head(tx, project.id)
    revs = [told["rev"] for told in acknowledged if "rev" in told]
    if revs:
        assert isinstance(revs[-1], int)
        assert branch.rev >= revs[-1]


def survive(folder: Path, *, num_kills: int, seed: int) -> int:
    """Kill the process that often, look after each kill, return how much was acknowledged."""
    chosen = random.Random(seed)
    with Library.open(folder) as library:
        project = scene.make_project(library)
    total = 0
    for number in range(num_kills):
        acknowledged = kill_once(folder, seed * 10_000 + number, chosen.random() * 0.08)
        total += len(acknowledged)
        with Library.open(folder) as library:
            require_all(library, project, acknowledged)
            assert check(library, read_data=number % 10 == 0).problems == []
    return total


def test_five_kills_lose_nothing_that_was_acknowledged(folder: Path) -> None:
    assert survive(folder, num_kills=5, seed=1) >= 5


@pytest.mark.faults
def test_a_hundred_kills_lose_nothing_that_was_acknowledged(folder: Path) -> None:
    assert survive(folder, num_kills=100, seed=2) >= 100


def test_a_kill_between_claim_and_finish_returns_the_job_once(folder: Path) -> None:
    with Library.open(folder) as library:
        project = scene.make_project(library)
        scene.add_shots(library, project, "s1")
        job = scene.queue(library, project, "s1")
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=claim_and_hang, args=(str(folder), there))
    process.start()
    assert here.recv_bytes() == b"claimed"
    process.kill()
    process.join()
    with Library.open(folder) as library:
        with library.write() as tx:
            back = jobs.requeue_lost(tx, lambda _worker: False)
            assert [(j.id, j.state, j.attempts) for j in back] == [(job.id, "queued", 1)]
            assert jobs.requeue_lost(tx, lambda _worker: False) == []
        scene.finish(library, scene.claim(library), "second run")
        with library.read() as tx:
            assert len(takes.of_shot(tx, "s1")) == 1


def claim_and_hang(folder: str, pipe: Connection) -> None:
    library = Library.open(Path(folder))
    scene.claim(library)
    pipe.send_bytes(b"claimed")
    time.sleep(60)


def test_a_kill_leaves_the_order_the_pause_and_the_failed_jobs_of_the_queue(folder: Path) -> None:
    with Library.open(folder) as library:
        project = scene.make_project(library)
        made = [scene.queue(library, project).id for _ in range(4)]
        failed = scene.claim(library)
        with library.write() as tx:
            jobs.fail(tx, failed.id, failed.fence, {"message": "no memory left"})
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=order_pause_and_hang, args=(str(folder), made[3], there))
    process.start()
    assert here.recv_bytes() == b"claimed"
    process.kill()
    process.join()
    with Library.open(folder) as library, library.write() as tx:
        jobs.requeue_lost(tx, lambda _worker: False)
        assert waiting.is_paused(tx)
        assert [j.id for j in jobs.active(tx)] == [made[1], made[3], made[2]]
        assert [j.id for j in waiting.failed(tx, project.id)] == [made[0]]
        assert jobs.claim(tx, "w", waiting.startable(tx, jobs.KINDS)) is None


def order_pause_and_hang(folder: str, moved: str, pipe: Connection) -> None:
    library = Library.open(Path(folder))
    with library.write() as tx:
        waiting.reorder(tx, moved, 1)
    scene.claim(library)
    with library.write() as tx:
        waiting.set_paused(tx, paused=True)
    pipe.send_bytes(b"claimed")
    time.sleep(60)
