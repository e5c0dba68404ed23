"""Exports: the films that were made of the history's nodes."""

from __future__ import annotations

import json
from typing import Literal

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from storage import schema
from storage.canonical import canonical
from storage.errors import NotFound
from storage.records import Export

_export = schema.export


def add(tx: Connection, export: Export) -> Export:
    """Store an export; its blob, if any, must have a row."""
    tx.execute(
        insert(_export).values(
            id=export.id,
            project_id=export.project_id,
            node_id=export.node_id,
            spec_json=canonical(export.spec).decode(),
            media_digest=export.media_digest,
            state=export.state,
            created_at=export.created_at,
        )
    )
    return export


def finish(
    tx: Connection, export_id: str, state: Literal["done", "failed"], media_digest: str | None
) -> Export:
    """Record how an export ended and return it."""
    tx.execute(
        update(_export)
        .where(_export.c.id == export_id)
        .values(state=state, media_digest=media_digest)
    )
    return get(tx, export_id)


def get(tx: Connection, export_id: str) -> Export:
    """Return an export, or raise `NotFound`."""
    row = tx.execute(select(_export).where(_export.c.id == export_id)).one_or_none()
    if row is None:
        raise NotFound(f"No export {export_id!r}.")
    return _record(row)


def of_project(tx: Connection, project_id: str) -> list[Export]:
    """Return the exports of a project, newest first."""
    query = select(_export).where(_export.c.project_id == project_id)
    rows = tx.execute(query.order_by(_export.c.created_at.desc(), _export.c.id.desc()))
    return [_record(row) for row in rows]


def _record(row: Row[tuple[object, ...]]) -> Export:
    values = dict(row._mapping)
    return Export(spec=json.loads(values.pop("spec_json")), **values)
