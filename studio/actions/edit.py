"""Change the cut by one operation of the page: move, trim, delete, insert, split, set and so on."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from storage import takes
from storage.canonical import new_id
from storage.records import Cut, Json
from storage.shot_memory import Accepted
from studio.actions.committing import Done, Materials, commit
from studio.actions.reading import staleness_of
from studio.session import Session
from studio.timeline.edit import Edit
from studio.timeline.operation import Setting, run


def edit(session: Session, project_id: str, op: Json, *, base_rev: int | None = None) -> Done:
    """Carry out `op` on the newest cut and commit it; raises as `commit` does."""

    def make(tx: Connection, cut: Cut) -> Edit:
        setting = Setting(
            facts=session.facts(cut.rate),
            materials=Materials(tx, project_id),
            new_id=new_id,
            accepted=_accepted(session, tx, project_id, cut) if op.get("kind") == "accept" else {},
        )
        return run(cut, op, setting)

    return commit(session, project_id, op, make, base_rev=base_rev)


def _accepted(session: Session, tx: Connection, project_id: str, cut: Cut) -> dict[str, Accepted]:
    known = {take.id: take for take in takes.of_project(tx, project_id)}
    graded = staleness_of(session, cut, known)
    found = {shot.shot_id: graded.accept(shot) for shot in cut.shots}
    return {shot_id: accepted for shot_id, accepted in found.items() if accepted is not None}
