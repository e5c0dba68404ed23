"""Durable facts in the order they were committed, so that a page that returns can catch up."""

from __future__ import annotations

import json

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection, Row

from storage import schema
from storage.canonical import canonical
from storage.database import now
from storage.records import Event, Json

_event = schema.event
_INSERT = insert(_event)


def add(
    tx: Connection, *, kind: str, payload: Json, project_id: str | None, job_id: str | None = None
) -> Event:
    """Store an event and return it with its number."""
    at = now(tx)
    result = tx.execute(
        _INSERT,
        {
            "project_id": project_id,
            "job_id": job_id,
            "kind": kind,
            "payload_json": canonical(payload).decode(),
            "at": at,
        },
    )
    seq = result.inserted_primary_key
    assert seq is not None
    return Event(
        seq=seq[0], project_id=project_id, job_id=job_id, kind=kind, payload=payload, at=at
    )


def since(tx: Connection, project_id: str, seq: int) -> list[Event]:
    """Return the project's events with a number above `seq`, oldest first."""
    query = (
        select(_event)
        .where(_event.c.project_id == project_id, _event.c.seq > seq)
        .order_by(_event.c.seq)
    )
    return [_record(row) for row in tx.execute(query)]


def last_seq(tx: Connection, project_id: str | None = None) -> int:
    """Return the number of the newest event, of one project or of all. 0 = none yet."""
    query = select(func.max(_event.c.seq))
    if project_id is not None:
        query = query.where(_event.c.project_id == project_id)
    return tx.execute(query).scalar_one() or 0


def _record(row: Row[tuple[object, ...]]) -> Event:
    return Event(
        seq=row.seq,
        project_id=row.project_id,
        job_id=row.job_id,
        kind=row.kind,
        payload=json.loads(row.payload_json),
        at=row.at,
    )
