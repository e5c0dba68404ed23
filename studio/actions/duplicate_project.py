"""Copy a film: the cut where it stands now, with every take of its shots and what they remember."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from storage import history, marks, projects, takes
from storage.canonical import digest_of, new_id
from storage.records import Project, cut_from_json, cut_to_json
from studio.actions.manage_projects import MAX_NAME
from studio.session import Session

Ids = Mapping[str, str]


def duplicate_project(session: Session, project_id: str) -> Project:
    """Copy a project and return the copy. No picture is made again or stored twice.

    Memory is found by what the takes are, not by whose they are, so the copy remembers at once.
    The history of the copy starts with it; that of the original stays where it is.
    """
    with session.library.write() as tx:
        original = projects.get(tx, project_id)
        _, cut = history.head(tx, project_id)
        taken = {project.name for project in projects.list_all(tx)}
        made = projects.create(
            tx,
            _free_name(original.name, taken),
            cut.rate,
            cut.width,
            cut.height,
            original.settings,
        )
        ids = {shot.shot_id: new_id() for shot in cut.shots}
        history.ensure_shots(tx, made.id, ids.values())
        ids |= _copy_takes(tx, project_id, ids)
        history.append(
            tx,
            project_id=made.id,
            branch="main",
            expected_rev=history.head(tx, made.id)[0].rev,
            op_kind="copy",
            op={"project_id": project_id},
            label=f"Copy “{original.name}”",
            cut=cut_from_json(_renamed(cut_to_json(cut), ids)),
        )
    session.changed(made.id)
    return made


def _copy_takes(tx: Connection, project_id: str, shots: Ids) -> dict[str, str]:
    known = [take for take in takes.of_project(tx, project_id) if take.shot_id in shots]
    ids = {take.id: new_id() for take in known}
    every = {**shots, **ids}
    for take in known:
        spec = _renamed(take.spec, every)
        takes.add(
            tx,
            dataclasses.replace(
                take,
                id=ids[take.id],
                shot_id=shots[take.shot_id],
                spec=spec,
                spec_digest=digest_of(spec),
                sources=_renamed(take.sources, every),
                # The job that made it is the original's.
                job_id=None,
                fence=0,
            ),
        )
    for mark in marks.of_takes(tx, ids).values():
        if mark.rating:
            marks.rate(tx, ids[mark.take_id], mark.rating)
        if mark.trashed_at is not None:
            marks.trash(tx, ids[mark.take_id])
    return ids


def _renamed(value: Any, ids: Ids) -> Any:
    """Return a JSON value with every id that was copied in the place of its original."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, Mapping):
        return {ids.get(key, key): _renamed(item, ids) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_renamed(item, ids) for item in value)
    return value


def _free_name(name: str, taken: set[str]) -> str:
    for number in range(1, len(taken) + 2):
        copy = f"{name[: MAX_NAME - 12]} copy" + (f" {number}" if number > 1 else "")
        if copy not in taken:
            return copy
    raise AssertionError("more names than projects")
