"""Make, rename, delete and restore projects."""

from __future__ import annotations

from storage import projects
from storage.records import Project
from studio.session import Session
from studio.timeline.edit import EditRefused

MAX_NAME = 200


def create_project(session: Session, name: str) -> Project:
    """Make a project with the size and rate of the loaded model.

    Raises:
        NotReady: the model folder cannot be read.
        EditRefused: no name, or one that is too long.
    """
    info = session.info()
    with session.library.write() as tx:
        made = projects.create(tx, _name(name), info.rate, info.width, info.height, {})
    session.changed(made.id)
    return made


def rename_project(session: Session, project_id: str, name: str) -> None:
    """Give a project another name."""
    with session.library.write() as tx:
        projects.rename(tx, project_id, _name(name))
    session.changed(project_id)


def delete_project(session: Session, project_id: str) -> None:
    """Hide a project from the list. Nothing of it is removed."""
    with session.library.write() as tx:
        projects.delete(tx, project_id)
    session.changed(project_id)


def restore_project(session: Session, project_id: str) -> None:
    """Bring a deleted project back."""
    with session.library.write() as tx:
        projects.restore(tx, project_id)
    session.changed(project_id)


def _name(name: str) -> str:
    trimmed = name.strip()
    if not trimmed or len(trimmed) > MAX_NAME or "\0" in trimmed:
        raise EditRefused(f"A name of {len(trimmed)} characters. Expected 1 to {MAX_NAME}.")
    return trimmed
