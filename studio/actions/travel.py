"""Undo, redo and rewind: only the head moves, every future keeps a name."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection

from storage import history
from storage.records import Node
from studio.actions.committing import Done
from studio.actions.waiting_jobs import follow
from studio.session import Session
from studio.timeline.edit import EditRefused


def undo(session: Session, project_id: str, *, base_rev: int | None = None) -> Done:
    """Move the head to its parent.

    Raises:
        EditRefused: at the first node.
        Conflict: the cut was edited since `base_rev`.
    """
    return _travel(
        session,
        project_id,
        lambda tx: history.undo(tx, project_id, expected_rev=base_rev),
        "There is nothing to undo: this is where the project began.",
    )


def redo(session: Session, project_id: str, *, base_rev: int | None = None) -> Done:
    """Move the head one node towards the tip; raises as `undo` does."""
    return _travel(
        session,
        project_id,
        lambda tx: history.redo(tx, project_id, expected_rev=base_rev),
        "There is nothing to redo: this is the newest edit.",
    )


def rewind(session: Session, project_id: str, node_id: str) -> Done:
    """Move the head to any node of the project; raises `NotFound` for others."""
    return _travel(
        session, project_id, lambda tx: history.rewind(tx, project_id, "main", node_id), ""
    )


def _travel(
    session: Session, project_id: str, move: Callable[[Connection], Node | None], at_end: str
) -> Done:
    with session.library.write() as tx:
        _, before = history.head(tx, project_id)
        node = move(tx)
        if node is None:
            raise EditRefused(at_end)
        branch, after = history.head(tx, project_id)
        follow(session, tx, project_id, before, after)
    session.changed(project_id)
    return Done(rev=branch.rev, node_id=node.id, label=node.label)
