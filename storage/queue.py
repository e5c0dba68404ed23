"""The rows of the queue: found, changed under their fence, and told about in events."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection, Row

from storage import events, schema
from storage.canonical import canonical
from storage.errors import Fenced, NotFound
from storage.records import Event, Job, Json

_job = schema.job


def get(tx: Connection, job_id: str) -> Job:
    """Return a job, or raise `NotFound`."""
    row = tx.execute(select(_job).where(_job.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"No job {job_id!r}.")
    return record(row)


def waiting_for(tx: Connection, queueing_key: str) -> Job | None:
    """Return the waiting job with that queueing key, or None."""
    query = select(_job).where(_job.c.queueing_key == queueing_key, _job.c.state == "queued")
    row = tx.execute(query).one_or_none()
    return None if row is None else record(row)


def last_position(tx: Connection) -> int:
    """Return the highest position of any job. 0 = there are none."""
    return tx.execute(select(func.max(_job.c.position))).scalar_one() or 0


def change(
    tx: Connection, job_id: str, *, fence: int, states: Collection[str], values: Json
) -> Job:
    """Change a job that is in one of `states` under that very claim, and return it.

    Raises:
        Fenced: the job was claimed again, cancelled or finished since; nothing changed.
    """
    done = tx.execute(
        update(_job)
        .where(_job.c.id == job_id, _job.c.fence == fence, _job.c.state.in_(states))
        .values(**to_columns(values))
    )
    job = get(tx, job_id)
    if done.rowcount != 1:
        raise Fenced(
            f"Job {job_id} is {job.state} under claim {job.fence}; this run has claim {fence} and "
            f"expected {' or '.join(sorted(states))}. Drop its result: another run counts."
        )
    return job


def tell(tx: Connection, job: Job, kind: str, payload: Json | None = None) -> Event:
    """Store an event about a job and return it."""
    about = {"kind": job.kind, "shot_id": job.shot_id, "state": job.state}
    return events.add(
        tx,
        kind=kind,
        payload={**about, **(payload or {})},
        project_id=job.project_id,
        job_id=job.id,
    )


def to_columns(values: Json) -> Json:
    """Return the columns of a job's fields: spec, error and result are stored as JSON."""
    columns = dict(values)
    for name in ("spec", "error", "result"):
        if name in columns:
            value = columns.pop(name)
            columns[f"{name}_json"] = None if value is None else canonical(value).decode()
    return columns


def record(row: Row[tuple[object, ...]]) -> Job:
    """Return the job of a row."""
    values = dict(row._mapping)
    for name in ("spec", "error", "result"):
        text = values.pop(f"{name}_json")
        values[name] = None if text is None else json.loads(text)
    return Job(**values)
