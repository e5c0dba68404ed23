"""Change the cut by one operation of the page: move, trim, delete, insert, split, set and so on."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from storage.canonical import new_id
from storage.records import Cut, Json
from studio.actions.committing import Done, commit, materials_of
from studio.session import Session
from studio.timeline.edits import Edit
from studio.timeline.operation import Setting, run


def edit(session: Session, project_id: str, op: Json, *, base_rev: int | None = None) -> Done:
    """Carry out `op` on the newest cut and commit it; raises as `commit` does."""

    def make(tx: Connection, cut: Cut) -> Edit:
        setting = Setting(
            facts=session.facts(cut.rate),
            materials=materials_of(tx, project_id),
            new_id=new_id,
        )
        return run(cut, op, setting)

    return commit(session, project_id, op, make, base_rev=base_rev)
