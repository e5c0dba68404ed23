"""How every edit is committed: checked against its revision, one transaction, one label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from storage import history, takes
from storage.errors import Conflict
from storage.records import Cut, Json
from studio.actions.waiting_jobs import follow
from studio.session import Session
from studio.timeline.edit import Edit, Material

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
        follow(session, tx, project_id, cut, edit.cut)
    session.changed(project_id)
    return Done(rev=branch.rev + 1, node_id=node.id, label=node.label)


class Materials(Mapping[str, Material]):
    """What shots of a project may show, by take id: looked up as an edit asks for it.

    An edit is about a few shots. Reading what all takes of a long film measure would be most of it.
    """

    def __init__(self, tx: Connection, project_id: str) -> None:
        """Look into an open transaction."""
        self._tx, self._project_id = tx, project_id

    def __getitem__(self, take_id: str) -> Material:
        found = takes.lengths_of_project(self._tx, self._project_id, take_id)
        if not found:
            raise KeyError(take_id)
        ((_, number, num_frames),) = found
        return Material(take_id=take_id, number=number, num_frames=num_frames)

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in takes.lengths_of_project(self._tx, self._project_id))

    def __len__(self) -> int:
        return len(takes.lengths_of_project(self._tx, self._project_id))
