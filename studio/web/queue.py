"""The JSON routes of the queue: its list, a job of it, and what an editor does to them."""

from __future__ import annotations

from fastapi import APIRouter

from storage import jobs
from studio.actions import document as documents
from studio.actions import job_control
from studio.actions.queue_list import queue_to_json
from studio.web.answers import Body, Open
from studio.web.api import Id, Json

router = APIRouter(prefix="/api")


class CancelBody(Body):
    """Whether what there is by then becomes a take."""

    keep: bool = False


class MoveBody(Body):
    """A place among the waiting jobs, 0 = next."""

    index: int


class PauseBody(Body):
    """Whether waiting jobs are left waiting."""

    paused: bool


@router.get("/projects/{project_id}/queue")
def read_queue(session: Open, project_id: Id) -> Json:
    """Return what runs, waits, failed and is done, with measured times."""
    return queue_to_json(session, project_id)


@router.post("/projects/{project_id}/queue/retry-failed")
def retry_failed(session: Open, project_id: Id) -> Json:
    """Queue every failed job of the project again."""
    return {"jobs": [job.id for job in job_control.retry_failed(session, project_id)]}


@router.post("/projects/{project_id}/queue/clear-done")
def clear_done(session: Open, project_id: Id) -> Json:
    """Empty the list of what is done."""
    job_control.clear_done(session, project_id)
    return {}


@router.post("/queue/pause")
def pause(session: Open, body: PauseBody) -> Json:
    """Leave waiting jobs waiting, or go on."""
    job_control.pause_queue(session, is_paused=body.paused)
    return {"paused": body.paused}


@router.get("/jobs/{job_id}")
def read_job(session: Open, job_id: Id) -> Json:
    """Return a job."""
    with session.library.read() as tx:
        job = jobs.get(tx, job_id)
    return documents.job_to_json(session, job)


@router.post("/jobs/{job_id}/cancel")
def cancel(session: Open, job_id: Id, body: CancelBody) -> Json:
    """Ask a job to end."""
    return {"state": job_control.cancel_job(session, job_id, keep=body.keep).state}


@router.post("/jobs/{job_id}/pause")
def pause_job(session: Open, job_id: Id) -> Json:
    """Ask a shot that is being generated to stop where it can go on later."""
    return {"state": job_control.pause_job(session, job_id).state}


@router.post("/jobs/{job_id}/resume")
def resume_job(session: Open, job_id: Id) -> Json:
    """Put a paused job back in the queue."""
    return {"state": job_control.resume_job(session, job_id).state}


@router.post("/engine/free")
def free_memory(session: Open) -> Json:
    """Give the engine's memory back until the next job."""
    job_control.free_memory(session)
    return {}


@router.post("/jobs/{job_id}/retry")
def retry(session: Open, job_id: Id) -> Json:
    """Queue a job again that failed."""
    return {"state": job_control.retry_job(session, job_id).state}


@router.post("/jobs/{job_id}/dismiss")
def dismiss(session: Open, job_id: Id) -> Json:
    """Take a failed job off the list."""
    return {"state": job_control.dismiss_job(session, job_id).state}


@router.post("/jobs/{job_id}/move")
def move(session: Open, job_id: Id, body: MoveBody) -> Json:
    """Move a waiting job."""
    job_control.move_job(session, job_id, body.index)
    return {}


@router.post("/jobs/{job_id}/duplicate")
def duplicate(session: Open, job_id: Id) -> Json:
    """Queue a shot's job once more with another seed."""
    return {"job": job_control.duplicate_job(session, job_id).id}
