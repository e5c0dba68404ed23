"""Takes: one rendering of a shot each, numbered within the shot, never changed."""

from __future__ import annotations

import dataclasses
import json

from sqlalchemy import Select, func, insert, select
from sqlalchemy.engine import Connection, Row

from storage import schema
from storage.canonical import canonical, digest_of
from storage.database import now
from storage.errors import NotFound
from storage.records import Json, Take

_take, _shot = schema.take, schema.shot


def add(tx: Connection, take: Take) -> Take:
    """Store a take and return it with its number, time and row digest.

    Its blobs must have rows and its shot must be in a history already. A number or time that is
    given is kept.
    """
    if tx.execute(select(_shot.c.id).where(_shot.c.id == take.shot_id)).one_or_none() is None:
        raise NotFound(f"No shot {take.shot_id!r}. Add the shot to a cut before its takes.")
    newest = select(func.max(_take.c.number)).where(_take.c.shot_id == take.shot_id)
    take = dataclasses.replace(
        take,
        number=take.number or (tx.execute(newest).scalar_one() or 0) + 1,
        created_at=take.created_at or now(tx),
    )
    take = dataclasses.replace(take, row_digest=row_digest(take))
    tx.execute(insert(_take).values(**_columns(take)))
    return take


def get(tx: Connection, take_id: str) -> Take:
    """Return a take, or raise `NotFound`."""
    row = tx.execute(select(_take).where(_take.c.id == take_id)).one_or_none()
    if row is None:
        raise NotFound(f"No take {take_id!r}. It may belong to another library.")
    return record(row)


def of_shot(tx: Connection, shot_id: str) -> list[Take]:
    """Return the takes of a shot, oldest first."""
    query = select(_take).where(_take.c.shot_id == shot_id)
    return _records(tx, query.order_by(_take.c.number))


def of_project(tx: Connection, project_id: str) -> list[Take]:
    """Return the takes of every shot that was ever in the project, oldest first."""
    query = select(_take).join(_shot, _shot.c.id == _take.c.shot_id)
    query = query.where(_shot.c.project_id == project_id)
    return _records(tx, query.order_by(_take.c.created_at, _take.c.id))


def find_by_spec(tx: Connection, spec_digest: str) -> Take | None:
    """Return the newest take made from exactly this spec, or None."""
    query = select(_take).where(_take.c.spec_digest == spec_digest)
    found = _records(tx, query.order_by(_take.c.created_at.desc(), _take.c.id.desc()).limit(1))
    return found[0] if found else None


def row_digest(take: Take) -> str:
    """Return the digest over everything the take's row says."""
    values = dataclasses.asdict(take)
    del values["row_digest"]
    return digest_of(values)


def record(row: Row[tuple[object, ...]]) -> Take:
    """Return the take of a row."""
    values = dict(row._mapping)
    rate = (values.pop("rate_numerator"), values.pop("rate_denominator"))
    sources: list[Json] = json.loads(values.pop("sources_json"))
    return Take(
        rate=rate,
        spec=json.loads(values.pop("spec_json")),
        sources=tuple(sources),
        seconds=json.loads(values.pop("seconds_json")),
        **values,
    )


def _columns(take: Take) -> Json:
    values = {f.name: getattr(take, f.name) for f in dataclasses.fields(take)}
    numerator, denominator = values.pop("rate")
    for name in ("spec", "sources", "seconds"):
        values[f"{name}_json"] = canonical(values.pop(name)).decode()
    return {**values, "rate_numerator": numerator, "rate_denominator": denominator}


def _records(tx: Connection, query: Select[tuple[object, ...]]) -> list[Take]:
    return [record(row) for row in tx.execute(query)]
