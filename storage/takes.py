"""Takes: one rendering of a shot each, numbered within the shot, never changed."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from collections.abc import Iterable

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection, Row

from storage import schema
from storage.canonical import canonical, digest_of
from storage.database import now
from storage.errors import NotFound
from storage.kept import Kept
from storage.records import Json, Take

_take, _shot = schema.take, schema.shot
_AT_ONCE = 500
"""Values in one statement: databases take so many, not any number."""
_Key = tuple[str, str]
"""Id and row digest, which is taken over everything that the row says."""
# A page asks for all takes of a film at every edit, and the spec of each names every entry that it
# read: reading them again would be most of an answer.
_kept: Kept[_Key, Take] = Kept(4096)


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
    return [record(row) for row in tx.execute(query.order_by(_take.c.number))]


def of_project(tx: Connection, project_id: str) -> list[Take]:
    """Return the takes of every shot that was ever in the project, oldest first."""
    query = select(_take.c.id, _take.c.row_digest).join(_shot, _shot.c.id == _take.c.shot_id)
    query = query.where(_shot.c.project_id == project_id)
    rows = tx.execute(query.order_by(_take.c.created_at, _take.c.id)).all()
    keys = [(take_id, row_digest) for take_id, row_digest in rows]
    return _kept.get_all(keys, functools.partial(_read, tx))


def lengths_of_project(
    tx: Connection, project_id: str, only: str | None = None
) -> list[tuple[str, int, int]]:
    """Return id, number and frames of the takes of the project, or of `only` one of them.

    A take's spec names each entry that it read. In a long film most of an edit would be reading
    specs that no edit looks at.
    """
    query = select(_take.c.id, _take.c.number, _take.c.num_frames)
    query = query.join(_shot, _shot.c.id == _take.c.shot_id)
    query = query.where(_shot.c.project_id == project_id)
    rows = tx.execute(query if only is None else query.where(_take.c.id == only)).all()
    return [(row.id, row.number, row.num_frames) for row in rows]


def find_by_spec(tx: Connection, spec_digest: str, *, project_id: str | None = None) -> Take | None:
    """Return the newest take made from exactly this spec, of one project or of all, or None."""
    query = select(_take).where(_take.c.spec_digest == spec_digest)
    if project_id is not None:
        query = query.join(_shot, _shot.c.id == _take.c.shot_id)
        query = query.where(_shot.c.project_id == project_id)
    newest = query.order_by(_take.c.created_at.desc(), _take.c.id.desc()).limit(1)
    row = tx.execute(newest).one_or_none()
    return None if row is None else record(row)


def find_by_latents(tx: Connection, digests: Iterable[str]) -> dict[str, list[Take]]:
    """Return the takes of the whole library that have those latents, newest first, by digest."""
    query = select(_take).where(_take.c.latents_digest.in_(set(digests)))
    found: dict[str, list[Take]] = {}
    for row in tx.execute(query.order_by(_take.c.created_at.desc(), _take.c.id.desc())):
        take = record(row)
        found.setdefault(take.latents_digest or "", []).append(take)
    return found


def project_of(tx: Connection, take_id: str) -> str | None:
    """Return the project that a take was made in, or None."""
    query = select(_shot.c.project_id).join(_take, _shot.c.id == _take.c.shot_id)
    return tx.execute(query.where(_take.c.id == take_id)).scalar_one_or_none()


def row_digest(take: Take) -> str:
    """Return the digest over everything the take's row says."""
    values = dataclasses.asdict(take)
    del values["row_digest"]
    return digest_of(values)


def record(row: Row[tuple[object, ...]]) -> Take:
    """Return the take of a row."""
    return _from_columns(dict(row._mapping))


def _from_columns(values: Json) -> Take:
    rate = (values.pop("rate_numerator"), values.pop("rate_denominator"))
    sources: list[Json] = json.loads(values.pop("sources_json"))
    spec: Json = json.loads(values.pop("spec_json"))
    if isinstance(keys := spec.get("memory_keys"), list):
        # The takes of a film read the same entries over and over: one text for each, not thousands.
        spec["memory_keys"] = [sys.intern(key) if type(key) is str else key for key in keys]
    return Take(
        rate=rate,
        spec=spec,
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


def _read(tx: Connection, keys: list[_Key]) -> dict[_Key, Take]:
    found: dict[_Key, Take] = {}
    for at in range(0, len(keys), _AT_ONCE):
        ids = [take_id for take_id, _ in keys[at : at + _AT_ONCE]]
        for row in tx.execute(select(_take).where(_take.c.id.in_(ids))):
            found[row.id, row.row_digest] = record(row)
    return found
