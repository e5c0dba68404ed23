"""Cancel a job, or try one again that failed."""

from __future__ import annotations

from storage import jobs
from storage.records import Job
from studio.session import Session


def cancel_job(session: Session, job_id: str) -> Job:
    """Ask a job to end: a waiting one is cancelled at once, a running one stops between steps."""
    with session.library.write() as tx:
        job = jobs.cancel(tx, job_id)
    if job.state == "cancelling" and job.kind in ("generate", "encode", "recall"):
        session.executor.cancel(job.id)
    session.changed(job.project_id)
    return job


def retry_job(session: Session, job_id: str) -> Job:
    """Queue a failed, cancelled or quarantined job again; raises `Refused` for others."""
    with session.library.write() as tx:
        job = jobs.retry(tx, job_id)
    session.changed(job.project_id)
    return job
