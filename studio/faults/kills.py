"""Kills: the server in mid-transaction, and the engine in mid-job."""

from __future__ import annotations

import contextlib
import json
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

from storage import jobs, projects, references, takes
from storage.blobs import BlobStore
from storage.database import Library
from storage.records import Job, Json
from studio.faults import victims, workload
from studio.faults.tally import Tally
from studio.faults.verify import look_after

_STARTS_IN = 60.0
_WORKS_FOR, _OPENS_IN, _WRITES_FOR = 0.05, 0.05, 0.01
_PIECES = ("media", "latents", "strip", "entry")


def server_kills(scratch: Path, chosen: random.Random, *, kills: int = 8) -> Tally:
    """Kill a working server at random instants; what it acknowledged must be there.

    One in four is killed while it opens the library, the others after they acknowledged something.
    """
    tally = Tally(kind="server kill")
    folder = scratch / "library"
    workload.prepare(folder)
    told: list[Json] = []
    for number in range(kills):
        after = chosen.random() * _OPENS_IN if number % 4 == 3 else None
        seed, works_for = chosen.randrange(1 << 30), chosen.random() * _WORKS_FOR
        told += _killed(folder, seed, works_for, after, tally)
        is_last = number == kills - 1
        look_after(folder, told if is_last else told[-20:], tally, read_data=is_last)
    return tally


def _killed(
    folder: Path, seed: int, works_for: float, after: float | None, tally: Tally
) -> list[Json]:
    here, process = victims.start(_serve, str(folder), seed)
    if after is not None:
        time.sleep(after)
    elif here.poll(_STARTS_IN):
        time.sleep(works_for)
    else:
        raise TimeoutError(f"The workload acknowledged nothing in {_STARTS_IN:.0f} s.")
    if victims.kill(process):
        tally.injected += 1
    else:
        tally.repairs += 1
        tally.notes.append(f"The server ended by itself, with code {process.exitcode}.")
    told = []
    with contextlib.suppress(EOFError, OSError), here:  # the last message may be cut off
        while True:
            told.append(json.loads(here.recv_bytes()))
    return told


def _serve(folder: str, seed: int, pipe: Connection) -> None:
    workload.work(
        Path(folder), seed, lambda told: pipe.send_bytes(json.dumps(told).encode()), count=1 << 30
    )


def engine_kills(scratch: Path, chosen: random.Random, *, num_jobs: int = 8) -> Tally:
    """Kill whoever runs a job at random instants; every job must end with exactly one take."""
    tally = Tally(kind="engine kill")
    folder = scratch / "library"
    workload.prepare(folder)
    with Library.open(folder) as library:
        for number in range(num_jobs):
            job_id = _queue(library, number)
            while not _run_once(library, job_id, chosen, tally):
                pass
            tally.acknowledged += 1
        with library.read() as tx:
            found = len(takes.of_shot(tx, workload.SHOT))
        if found != num_jobs:
            tally.lost += abs(found - num_jobs)
            tally.notes.append(f"{num_jobs} jobs left {found} takes.")
    look_after(folder, [], tally)
    return tally


def _queue(library: Library, number: int) -> str:
    with library.write() as tx:
        (project,) = projects.list_all(tx)
        spec = {"name": f"job {number}"}
        job = jobs.add(tx, kind="generate", project_id=project.id, shot_id=workload.SHOT, spec=spec)
    return job.id


def _run_once(library: Library, job_id: str, chosen: random.Random, tally: Tally) -> bool:
    """Let an engine run the job; return whether it was finished. Two in three are killed."""
    with library.write() as tx:
        job = jobs.claim(tx, "engine", {"generate"})
    assert job is not None and job.id == job_id
    here, process = victims.start(_engine, str(library.blobs.root), job.spec["name"])
    is_safe = job.attempts + 1 >= job.max_attempts  # a third death would quarantine the job
    num_pins = None if is_safe else chosen.randrange(len(_PIECES) + 1)
    blobs = _collect(library, job, here, num_pins)
    if blobs is None:
        time.sleep(chosen.random() * _WRITES_FOR)
    is_killed = victims.kill(process)
    here.close()
    if blobs is None:
        tally.injected += is_killed
        with library.write() as tx:
            jobs.release(tx, job.id, job.fence, {"message": "killed"})
        return False
    workload.finish(library, job, blobs)
    return True


def _collect(
    library: Library, job: Job, here: Connection, num_pins: int | None
) -> list[jobs.Blob] | None:
    """Answer the engine's pins as a server does; return its blobs, None after `num_pins` pins.

    Pins are counted, not seconds: a fast machine would have finished before any instant that a
    slow one needs.
    """
    answered = 0
    while answered != num_pins:
        if not here.poll(_STARTS_IN):
            raise TimeoutError(f"The engine sent nothing in {_STARTS_IN:.0f} s.")
        message = json.loads(here.recv_bytes())
        if "done" in message:
            return [(digest, size, "application/octet-stream") for digest, size in message["done"]]
        with library.write() as tx:
            references.pin(tx, message["pin"], job.id)
        here.send_bytes(b"pinned")
        answered += 1
    return None


def _engine(root: str, name: str, pipe: Connection) -> None:
    store = BlobStore(Path(root))

    def pin(digest: str) -> None:
        pipe.send_bytes(json.dumps({"pin": digest}).encode())
        pipe.recv_bytes()

    done = []
    for piece in _PIECES:
        blob = store.put(random.Random(f"{piece}{name}").randbytes(20_000), pin)
        done.append((blob.digest, blob.size))
    pipe.send_bytes(json.dumps({"done": done}).encode())
    pipe.recv_bytes()
