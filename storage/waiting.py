"""What an editor does to the queue: order, specs of waiting jobs, the pause, what stays listed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from storage import checkpoints, queue, schema, settings
from storage.database import now
from storage.errors import Refused
from storage.records import FINISHED_STATES, Job, Json

PAUSE = "queue_paused"
"""Setting: whether waiting jobs are left waiting."""
WHILE_PAUSED = frozenset({"recall"})
"""Kinds that start in a paused queue too: an editor is looking at the place where they appear."""
MOST_LISTED = 200
_CLEARED = "queue_cleared_at:"
_FAILED = ("failed", "quarantined")

_job = schema.job


def is_paused(tx: Connection) -> bool:
    """Return whether waiting jobs are left waiting."""
    return bool(settings.get(tx, PAUSE, default=False))


def set_paused(tx: Connection, *, paused: bool) -> None:
    """Pause the queue, for this launch and the next ones, or let it go on."""
    settings.put(tx, PAUSE, paused)


def startable(tx: Connection, kinds: Collection[str]) -> frozenset[str]:
    """Return those of `kinds` that may be claimed now."""
    return frozenset(kinds) & WHILE_PAUSED if is_paused(tx) else frozenset(kinds)


def has_any(tx: Connection, kinds: Collection[str]) -> bool:
    """Return whether a job of those kinds waits and may be claimed by now."""
    query = select(_job.c.id).where(
        _job.c.state == "queued", _job.c.kind.in_(set(kinds)), _job.c.not_before <= now(tx)
    )
    return tx.execute(query.limit(1)).first() is not None


def reorder(tx: Connection, job_id: str, position: int) -> None:
    """Move a waiting job to an index (0 = next) among the waiting jobs of its priority."""
    job = _require_waiting(tx, job_id, "moved")
    rows = tx.execute(
        select(_job.c.id, _job.c.position)
        .where(_job.c.state == "queued", _job.c.priority == job.priority)
        .order_by(_job.c.position)
    ).all()
    order = [row.id for row in rows if row.id != job_id]
    order.insert(max(0, min(position, len(order))), job_id)
    for moved_id, row in zip(order, rows, strict=True):
        tx.execute(update(_job).where(_job.c.id == moved_id).values(position=row.position))


def of_project(tx: Connection, project_id: str, kind: str) -> list[Job]:
    """Return the project's waiting jobs of a kind, next one first."""
    query = (
        select(_job)
        .where(_job.c.project_id == project_id, _job.c.kind == kind, _job.c.state == "queued")
        .order_by(_job.c.priority.desc(), _job.c.position)
    )
    return [queue.record(row) for row in tx.execute(query)]


def change_spec(tx: Connection, job_id: str, spec: Json) -> Job:
    """Give a waiting job another spec; raises `Refused` for one that has begun."""
    job = _require_waiting(tx, job_id, "changed")
    values = {"spec": spec}
    return queue.change(tx, job_id, fence=job.fence, states=("queued",), values=values)


def failed(tx: Connection, project_id: str) -> list[Job]:
    """Return the failed jobs that the editor has not dismissed, oldest first.

    One whose shot was asked for again since, without failing, is not listed any more.
    """
    query = (
        select(_job)
        .where(_job.c.project_id == project_id, _job.c.state.in_(_FAILED))
        .order_by(_job.c.created_at.desc(), _job.c.id.desc())
        .limit(MOST_LISTED)
    )
    found = [queue.record(row) for row in tx.execute(query)]
    if not found:
        return []
    newer = _newest_that_did_not_fail(tx, project_id)
    return [
        job
        for job in reversed(found)
        if not (job.error or {}).get("dismissed")
        and newer.get((job.kind, job.shot_id or ""), 0) <= job.created_at
    ]


def dismiss(tx: Connection, job_id: str) -> Job:
    """Take a failed job off the list; it can still be read by its id."""
    job = queue.get(tx, job_id)
    if job.state not in _FAILED:
        raise Refused(f"Job {job_id} is {job.state}. Only a job that failed can be dismissed.")
    checkpoints.drop(tx, job_id)
    values = {"error": {**(job.error or {}), "dismissed": True}}
    return queue.change(tx, job_id, fence=job.fence, states=_FAILED, values=values)


def done(tx: Connection, project_id: str, *, since: int, limit: int = MOST_LISTED) -> list[Job]:
    """Return jobs of the project that were done after `since` and not cleared, newest first."""
    cleared: int = settings.get(tx, _CLEARED + project_id, 0)
    query = (
        select(_job)
        .where(
            _job.c.project_id == project_id,
            _job.c.state == "done",
            _job.c.finished_at > max(since, cleared),
        )
        .order_by(_job.c.finished_at.desc(), _job.c.id.desc())
        .limit(limit)
    )
    return [queue.record(row) for row in tx.execute(query)]


def newest_done(tx: Connection, kind: str, limit: int = 20) -> list[Job]:
    """Return the newest jobs of a kind that were done, of any project, newest first."""
    query = (
        select(_job)
        .where(_job.c.kind == kind, _job.c.state == "done")
        .order_by(_job.c.finished_at.desc(), _job.c.id.desc())
        .limit(limit)
    )
    return [queue.record(row) for row in tx.execute(query)]


def clear_done(tx: Connection, project_id: str, *, until: int) -> None:
    """List no job of the project as done that ended by `until`."""
    settings.put(tx, _CLEARED + project_id, until)


def _newest_that_did_not_fail(tx: Connection, project_id: str) -> dict[tuple[str, str], int]:
    gone = FINISHED_STATES - {"done"}
    query = (
        select(_job.c.kind, _job.c.shot_id, func.max(_job.c.created_at).label("newest"))
        .where(
            _job.c.project_id == project_id,
            _job.c.state.not_in(gone),
            _job.c.shot_id.is_not(None),
        )
        .group_by(_job.c.kind, _job.c.shot_id)
    )
    return {(row.kind, row.shot_id): row.newest for row in tx.execute(query)}


def _require_waiting(tx: Connection, job_id: str, verb: str) -> Job:
    job = queue.get(tx, job_id)
    if job.state != "queued":
        raise Refused(f"Job {job_id} is {job.state}. Only a waiting job can be {verb}.")
    return job
