"""How every edit is committed: checked against its revision, one transaction, one label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from storage import history, takes
from storage.errors import Conflict
from storage.records import Cut, Json
from studio.session import Session
from studio.timeline.edits import Edit, Material

Make = Callable[[Connection, Cut], Edit]
"""Gives the edit of the newest cut."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """Where the editor stands after an edit."""

    rev: int
    node_id: str
    label: str


def commit(
    session: Session, project_id: str, op: Json, make: Make, *, base_rev: int | None
) -> Done:
    """Commit one edit of a project's cut. `base_rev` None = on whatever is newest.

    Raises:
        Conflict: the cut was edited since `base_rev`; carries the newer one.
        EditRefused: the edit does not fit the cut.
    """
    with session.library.write() as tx:
        branch, cut = history.head(tx, project_id)
        if base_rev is not None and base_rev != branch.rev:
            raise Conflict(
                f"The cut is at revision {branch.rev}, the edit was made on {base_rev}: "
                "it was changed meanwhile. Look at it and try again.",
                branch=branch,
                cut=cut,
            )
        edit = make(tx, cut)
        node = history.append(
            tx,
            project_id=project_id,
            branch=branch.name,
            expected_rev=branch.rev,
            op_kind=edit.kind,
            op=op,
            label=edit.label,
            cut=edit.cut,
        )
    session.changed(project_id)
    return Done(rev=branch.rev + 1, node_id=node.id, label=node.label)


def materials_of(tx: Connection, project_id: str) -> dict[str, Material]:
    """Return what shots of the project may show, by take id."""
    return {
        t.id: Material(take_id=t.id, number=t.number, num_frames=t.num_frames)
        for t in takes.of_project(tx, project_id)
    }
