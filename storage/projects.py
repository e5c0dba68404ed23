"""Projects: a name, the size and rate of the frames, and a history that starts empty."""

from __future__ import annotations

import json

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from storage import history, schema
from storage.canonical import canonical, new_id
from storage.database import now
from storage.errors import NotFound, Refused
from storage.records import Cut, Json, Project, Rate

_project = schema.project


def create(
    tx: Connection, name: str, rate: Rate, width: int, height: int, settings: Json | None = None
) -> Project:
    """Store a project with an empty cut as its root node and a branch `main`, and return it."""
    _require(name, rate, width, height)
    made = Project(
        id=new_id(),
        name=name.strip(),
        rate=rate,
        width=width,
        height=height,
        created_at=now(tx),
        settings=settings or {},
    )
    tx.execute(
        insert(_project).values(
            id=made.id,
            name=made.name,
            rate_numerator=rate[0],
            rate_denominator=rate[1],
            width=width,
            height=height,
            settings_json=canonical(made.settings).decode(),
            created_at=made.created_at,
        )
    )
    history.start(tx, project_id=made.id, cut=Cut(rate=rate, width=width, height=height))
    return made


def get(tx: Connection, project_id: str) -> Project:
    """Return a project, deleted ones too, or raise `NotFound`."""
    row = tx.execute(select(_project).where(_project.c.id == project_id)).one_or_none()
    if row is None:
        raise NotFound(f"No project {project_id!r}. List the projects to see which there are.")
    return _record(row)


def list_all(tx: Connection, *, include_deleted: bool = False) -> list[Project]:
    """Return the projects, newest first."""
    query = select(_project).order_by(_project.c.created_at.desc(), _project.c.id.desc())
    if not include_deleted:
        query = query.where(_project.c.deleted_at.is_(None))
    return [_record(row) for row in tx.execute(query)]


def rename(tx: Connection, project_id: str, name: str) -> None:
    """Give a project another name."""
    if not name.strip():
        raise Refused("A project without a name. Give it one.")
    _update(tx, project_id, name=name.strip())


def change_settings(tx: Connection, project_id: str, settings: Json) -> None:
    """Replace the settings of a project."""
    _update(tx, project_id, settings_json=canonical(settings).decode())


def delete(tx: Connection, project_id: str) -> None:
    """Hide a project from the list. Nothing of it is removed."""
    _update(tx, project_id, deleted_at=now(tx))


def restore(tx: Connection, project_id: str) -> None:
    """Bring a deleted project back."""
    _update(tx, project_id, deleted_at=None)


def _update(tx: Connection, project_id: str, **values: object) -> None:
    done = tx.execute(update(_project).where(_project.c.id == project_id).values(**values))
    if done.rowcount != 1:
        raise NotFound(f"No project {project_id!r}. List the projects to see which there are.")


def _require(name: str, rate: Rate, width: int, height: int) -> None:
    if not name.strip():
        raise Refused("A project without a name. Give it one.")
    if rate[0] < 1 or rate[1] < 1:
        raise Refused(f"A rate of {rate[0]}/{rate[1]} frames per second. Expected two positives.")
    if width < 1 or height < 1:
        raise Refused(f"A frame of {width} x {height} pixels. Expected at least 1 x 1.")


def _record(row: Row[tuple[object, ...]]) -> Project:
    values = dict(row._mapping)
    rate = (values.pop("rate_numerator"), values.pop("rate_denominator"))
    return Project(rate=rate, settings=json.loads(values.pop("settings_json")), **values)
