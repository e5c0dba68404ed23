"""What an editor does to the queue: cancel, retry, dismiss, move, duplicate, pause."""

from __future__ import annotations

import secrets

from sqlalchemy.engine import Connection

from storage import jobs, paused, waiting
from storage.database import now
from storage.errors import Refused
from storage.records import Job
from studio.session import Session

IN_ENGINE = frozenset({"generate", "encode", "recall", "lint", "measure"})
"""Kinds that the engine runs; the others have a media child."""


def cancel_job(session: Session, job_id: str, *, keep: bool = False) -> Job:
    """Ask a job to end: a waiting one is cancelled at once, a running one stops between steps.

    With `keep` a shot that is being generated ends after its step, and what the model expects it
    to be by then becomes a take.

    Raises:
        Refused: only a running shot leaves something that can be kept.
    """
    with session.library.write() as tx:
        before = jobs.get(tx, job_id)
        if keep and (before.kind != "generate" or before.state == "queued"):
            raise Refused("There is nothing to keep yet: only a shot that is being generated has.")
        job = jobs.cancel(tx, job_id, keep=keep)
    if job.state == "cancelling" and job.kind in IN_ENGINE:
        if jobs.is_kept(job):
            session.executor.stop_early(job.id)
        else:
            session.executor.cancel(job.id)
    if job.state == "cancelling":
        session.cancelling(job.id)
    _tell(session, job)
    return job


def pause_job(session: Session, job_id: str) -> Job:
    """Ask a running shot to stop after its step, so that it goes on from there later.

    Raises:
        Refused: it is no shot that is being generated.
    """
    with session.library.read() as tx:
        job = jobs.get(tx, job_id)
    if job.kind != "generate" or job.state != "running":
        raise Refused(
            f"A job of kind {job.kind!r} that is {job.state}. Only a shot that is being generated "
            "can be paused; cancel others, or pause the queue."
        )
    session.pausing(job.id)
    session.executor.pause(job.id)
    return job


def resume_job(session: Session, job_id: str) -> Job:
    """Put a paused job back at its place in the queue; raises `Refused` for others."""
    with session.library.write() as tx:
        job = paused.resume(tx, job_id)
    _tell(session, job)
    return job


def free_memory(session: Session) -> None:
    """Give the engine's memory back now; the model is loaded again for the next job.

    Raises:
        Refused: something is being made; the message says what to do.
    """
    busy = [one for one in session.running.values() if one.kind in IN_ENGINE]
    if busy:
        raise Refused("The engine is at work. Pause or cancel what runs, then free its memory.")
    session.is_resting = True
    session.wake()


def retry_job(session: Session, job_id: str) -> Job:
    """Queue a failed, cancelled or quarantined job again; raises `Refused` for others."""
    with session.library.write() as tx:
        job = jobs.retry(tx, job_id)
    _tell(session, job)
    return job


def retry_failed(session: Session, project_id: str) -> list[Job]:
    """Queue every failed job of a project again, in the order they were asked for."""
    with session.library.write() as tx:
        again = [jobs.retry(tx, job.id) for job in waiting.failed(tx, project_id)]
    for job in again:
        _tell(session, job)
    return again


def dismiss_job(session: Session, job_id: str) -> Job:
    """Take a failed job off the list; raises `Refused` for others."""
    with session.library.write() as tx:
        job = waiting.dismiss(tx, job_id)
    _tell(session, job)
    return job


def move_job(session: Session, job_id: str, index: int) -> None:
    """Move a waiting job to an index (0 = next) among the waiting ones; raises `Refused`."""
    with session.library.write() as tx:
        waiting.reorder(tx, job_id, index)
        job = jobs.get(tx, job_id)
    _tell(session, job)


def duplicate_job(session: Session, job_id: str) -> Job:
    """Queue a shot's job once more with another seed, right behind the one it copies.

    The same seed would make the same take. Raises `Refused` for other kinds of jobs.
    """
    with session.library.write() as tx:
        job = jobs.get(tx, job_id)
        if job.kind != "generate":
            raise Refused(f"A job of kind {job.kind!r}. Only shots can be asked for once more.")
        copy = jobs.add(
            tx,
            kind="generate",
            project_id=job.project_id,
            shot_id=job.shot_id,
            spec={**job.spec, "seed": secrets.randbits(32)},
            priority=job.priority,
        )
        _put_behind(tx, job, copy)
    _tell(session, copy)
    return copy


def pause_queue(session: Session, *, is_paused: bool) -> None:
    """Leave waiting jobs waiting, over restarts too, or go on; what runs is not touched."""
    with session.library.write() as tx:
        waiting.set_paused(tx, paused=is_paused)
    session.publish(None, {"kind": "queue", "paused": is_paused})
    session.wake()


def clear_done(session: Session, project_id: str) -> None:
    """Empty the list of what is done; takes and films stay."""
    with session.library.write() as tx:
        waiting.clear_done(tx, project_id, until=now(tx))
    session.publish(project_id, {"kind": "queue"})


def _put_behind(tx: Connection, job: Job, copy: Job) -> None:
    order = [j.id for j in jobs.active(tx) if j.state == "queued" and j.priority == job.priority]
    if job.state == "queued" and job.id in order:
        waiting.reorder(tx, copy.id, order.index(job.id) + 1)


def _tell(session: Session, job: Job) -> None:
    session.changed(job.project_id)
    session.publish(None, {"kind": "queue"})
