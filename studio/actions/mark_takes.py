"""What an editor says of takes: stars, into the trash, back out of it. Takes themselves stay."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from storage import history, marks, takes
from storage.errors import NotFound
from storage.records import Cut, Take
from studio.actions.committing import Done, Materials, commit
from studio.session import Session
from studio.timeline.edit import Edit, EditRefused
from studio.timeline.restoring import emptied


def rate_take(session: Session, project_id: str, take_id: str, rating: int) -> None:
    """Give a take 0 to 5 stars.

    Raises:
        NotFound: no such take in the project.
        EditRefused: another number of stars.
    """
    with session.library.write() as tx:
        _take(tx, project_id, take_id)
        try:
            marks.rate(tx, take_id, rating)
        except ValueError as error:
            raise EditRefused(str(error)) from error
    _tell(session, project_id)


def trash_take(
    session: Session,
    project_id: str,
    take_id: str,
    *,
    instead: str | None = None,
    may_leave_empty: bool = False,
    base_rev: int | None = None,
) -> Done | None:
    """Put a take into the trash; nothing of it is removed. Gives the edit, if the cut changed.

    A take that the cut shows needs another one in its place, or leave to empty its shots: that is
    an edit like any other, which undo takes back.

    Raises:
        NotFound: no such take in the project.
        EditRefused: the cut shows the take and nothing was said of what to show instead.
        Conflict: the cut was edited since `base_rev`.
    """
    with session.library.write() as tx:
        take = _take(tx, project_id, take_id)
        _, cut = history.head(tx, project_id)
        showing = [i + 1 for i, s in enumerate(cut.shots) if s.take_id == take_id]
        if not showing:
            marks.trash(tx, take_id)
    if not showing:
        _tell(session, project_id)
        return None
    if instead is None and not may_leave_empty:
        raise EditRefused(
            f"Shot {showing[0]} shows take {take.number}. Pick another take to show instead, or "
            "say that the shot may be empty."
        )

    def make(tx: Connection, cut: Cut) -> Edit:
        material = None
        if instead is not None:
            material = Materials(tx, project_id).get(instead)
            if material is None or instead == take_id:
                raise EditRefused("The take to show instead is not another take of this project.")
        edit = emptied(cut, take_id, instead=material, number=take.number)
        marks.trash(tx, take_id)
        return edit

    op = {"kind": "trash_take", "take_id": take_id, "instead": instead}
    done = commit(session, project_id, op, make, base_rev=base_rev)
    _tell(session, project_id)
    return done


def restore_take(session: Session, project_id: str, take_id: str) -> None:
    """Take a take out of the trash.

    Raises:
        NotFound: no such take in the project.
    """
    with session.library.write() as tx:
        _take(tx, project_id, take_id)
        marks.restore(tx, take_id)
    _tell(session, project_id)


def _take(tx: Connection, project_id: str, take_id: str) -> Take:
    found = next((t for t in takes.of_project(tx, project_id) if t.id == take_id), None)
    if found is None:
        raise NotFound(f"No take {take_id[:40]!r} in this project.")
    return found


def _tell(session: Session, project_id: str) -> None:
    session.publish(project_id, {"kind": "takes"})
