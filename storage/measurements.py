"""Measurements kept by what was measured: fidelity of a take's memory, notes of the lint, grades.

A row can always be made again, so a full disk or a restored backup costs time, never work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from storage import schema
from storage.canonical import canonical
from storage.database import now
from storage.records import Json

_measurement = schema.measurement


def put(tx: Connection, key: str, kind: str, payload: Json) -> None:
    """Store what was measured under `key`, a digest of everything it depends on."""
    tx.execute(delete(_measurement).where(_measurement.c.key == key))
    values = {"key": key, "kind": kind, "payload_json": canonical(payload).decode()}
    tx.execute(insert(_measurement).values(**values, created_at=now(tx)))


def find(tx: Connection, kind: str, keys: Iterable[str]) -> dict[str, Json]:
    """Return what is stored of those keys."""
    query = select(_measurement).where(
        _measurement.c.kind == kind, _measurement.c.key.in_(list(keys))
    )
    return {row.key: json.loads(row.payload_json) for row in tx.execute(query)}
