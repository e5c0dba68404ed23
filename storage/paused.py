"""A job that is set aside in the middle, and put back: it goes on from where it stood."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from storage import jobs, queue, references
from storage.errors import Refused
from storage.records import Job


def pause(tx: Connection, job_id: str, fence: int) -> Job:
    """Set a claimed job aside whose run has stopped where another one can go on.

    Raises:
        Fenced: the job was claimed again or ended since.
    """
    if queue.get(tx, job_id).state == "cancelling":
        return jobs.cancelled(tx, job_id, fence)
    values = {"state": "paused", "worker_id": None, "heartbeat_at": None, "lease_until": None}
    job = queue.change(tx, job_id, fence=fence, states=("running",), values=values)
    references.unpin(tx, job_id)
    queue.tell(tx, job, "job_paused")
    return job


def resume(tx: Connection, job_id: str) -> Job:
    """Put a paused job back at its place in the queue.

    If a newer job with the same queueing key waits already, that one is returned instead, and the
    paused one ends. Raises `Refused` for a job that is not paused.
    """
    job = queue.get(tx, job_id)
    if job.state != "paused":
        raise Refused(f"Job {job_id} is {job.state}. Only a paused job can go on.")
    newer = None if job.queueing_key is None else queue.waiting_for(tx, job.queueing_key)
    if newer is not None:
        jobs.cancel(tx, job_id)
        return newer
    values = {"state": "queued", "worker_id": None}
    changed = queue.change(tx, job_id, fence=job.fence, states=("paused",), values=values)
    queue.tell(tx, changed, "job_queued", {"attempts": changed.attempts})
    return changed
