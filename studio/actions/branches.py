"""Lines of the history with names: begin one anywhere, go back and forth between them, rename.

The working line is the branch `main` of the storage, whatever it is called on the page: its name
is kept beside the history, and swapped when the editor goes on with another line.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection

from storage import history, settings
from storage.errors import Refused
from storage.records import Node
from studio.actions.committing import Done
from studio.actions.waiting_jobs import follow
from studio.session import Session

FIRST_LINE = "Main"
"""What the working line is called until it is renamed."""
MAX_NAME = 80
_NAME = "line_name:"


def line_name(tx: Connection, project_id: str) -> str:
    """Return what the working line is called."""
    return str(settings.get(tx, _NAME + project_id, FIRST_LINE))


def branch_here(session: Session, project_id: str, node_id: str, name: str) -> Done:
    """Begin a line of its own at a node and go there; the one before keeps its place and name.

    Raises:
        Refused: the name is empty, too long or taken.
        NotFound: the node is not of this project.
    """
    name = _clean(name)

    def move(tx: Connection, left: str) -> Node:
        _require_free(tx, project_id, name)
        return history.start_branch(tx, project_id, node_id, leave_as=left)

    return _travel(session, project_id, move, name)


def switch_branch(session: Session, project_id: str, name: str) -> Done:
    """Go on with another line where it was left; raises `Refused` or `NotFound`."""

    def move(tx: Connection, left: str) -> Node:
        return history.switch(tx, project_id, name, leave_as=left)

    return _travel(session, project_id, move, name)


def name_point(session: Session, project_id: str, node_id: str, name: str) -> None:
    """Give a node a name to come back to; the editor stays where they are."""
    name = _clean(name)
    with session.library.write() as tx:
        _require_free(tx, project_id, name)
        history.create_branch(tx, project_id, name, node_id)
    session.changed(project_id)
    session.publish(project_id, {"kind": "history"})


def rename_branch(session: Session, project_id: str, name: str, new_name: str) -> None:
    """Give a line another name, the working one included; raises `Refused` or `NotFound`."""
    new_name = _clean(new_name)
    with session.library.write() as tx:
        if new_name != name:
            _require_free(tx, project_id, new_name)
        if name == line_name(tx, project_id):
            settings.put(tx, _NAME + project_id, new_name)
        elif new_name != name:
            history.rename_branch(tx, project_id, name, new_name)
    session.changed(project_id)
    session.publish(project_id, {"kind": "history"})


def _travel(
    session: Session, project_id: str, move: Callable[[Connection, str], Node], name: str
) -> Done:
    with session.library.write() as tx:
        _, before = history.head(tx, project_id)
        node = move(tx, line_name(tx, project_id))
        settings.put(tx, _NAME + project_id, name)
        branch, after = history.head(tx, project_id)
        follow(session, tx, project_id, before, after)
    session.changed(project_id)
    return Done(rev=branch.rev, node_id=node.id, label=f"Go to {name}: {node.label}")


def _clean(name: str) -> str:
    name = name.strip()
    if len(name) > MAX_NAME:
        raise Refused(f"A name of {len(name)} characters. Expected at most {MAX_NAME}.")
    if name == "main":
        raise Refused("The name 'main' is the studio's own. Choose another one, such as 'Main'.")
    return name


def _require_free(tx: Connection, project_id: str, name: str) -> None:
    if name == line_name(tx, project_id):
        raise Refused(f"The line you are on is called {name!r} already. Choose another name.")
