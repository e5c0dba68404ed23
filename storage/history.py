"""The history: an immutable tree of complete cuts, and branches whose heads move over it.

Undo, redo and rewind only move a head, in one UPDATE whatever the depth. An edit after a rewind
grows a sibling; the old future stays as a branch of its own. Nothing is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, insert, literal, select, update
from sqlalchemy.engine import Connection

from storage import events, schema, states, tree
from storage.database import now
from storage.errors import Conflict, NotFound, Refused
from storage.records import Branch, Cut, Json, Node, ReflogRow

_AT_ONCE = 500
"""Values in one statement: databases take so many, not any number."""
_branch, _node, _reflog, _shot = schema.branch, schema.node, schema.reflog, schema.shot
# Made once: to build a statement costs several times what it costs to run it.
_of_branch = (_branch.c.project_id == bindparam("of_project"), _branch.c.name == bindparam("named"))
_BRANCH = select(_branch).where(*_of_branch)
_MOVE = update(_branch).where(*_of_branch, _branch.c.rev == bindparam("seen_rev"))
_SHOTS = select(_shot.c.id).where(_shot.c.project_id == bindparam("of_project"))
_LOG_MOVE = insert(_reflog)


def start(tx: Connection, *, project_id: str, cut: Cut, author: str = "editor") -> Branch:
    """Give a new project its root node and the branch `main`, and return that."""
    root = tree.add(
        tx, parent=None, project_id=project_id, cut=cut, op=("create", {}, "New project", author)
    )
    return _insert_branch(
        tx, Branch(project_id=project_id, name="main", head_node=root.id, tip_node=root.id, rev=0)
    )


def head(tx: Connection, project_id: str, branch: str = "main") -> tuple[Branch, Cut]:
    """Return the branch and the cut at its head, or raise `NotFound`."""
    found = _get_branch(tx, project_id, branch)
    return found, cut_at(tx, found.head_node)


def append(  # noqa: PLR0913 - the columns of one row
    tx: Connection,
    *,
    project_id: str,
    branch: str,
    expected_rev: int,
    op_kind: str,
    op: Json,
    label: str,
    cut: Cut,
    author: str = "editor",
) -> Node:
    """Store an edit as a child of the head and move the head to it.

    Args:
        tx: an open write transaction.
        project_id: whose history.
        branch: which line of it.
        expected_rev: `rev` of the branch that the edit was made on.
        op_kind: the operation's name, such as "trim".
        op: the operation's arguments.
        label: the operation in an editor's words.
        cut: the complete cut after the edit.
        author: who did it.

    Raises:
        Conflict: the branch moved in the meantime; carries the newer branch and cut.
    """
    before = _expect(tx, project_id, branch, expected_rev)
    if before.head_node != before.tip_node:
        _keep_future(tx, before)
    parent = tree.get(tx, before.head_node)
    # The shots of the cut before have their rows: of a long film an edit brings a few new ones.
    known = {shot.shot_id for shot in states.read(tx, parent.state_digest).shots}
    ensure_shots(tx, project_id, {shot.shot_id for shot in cut.shots} - known)
    node = tree.add(
        tx, parent=parent, project_id=project_id, cut=cut, op=(op_kind, op, label, author)
    )
    _move(tx, before, node, tip=node.id, reason="edit")
    return node


def undo(
    tx: Connection, project_id: str, branch: str = "main", *, expected_rev: int | None = None
) -> Node | None:
    """Move the head to its parent and return that. None = at the root, nothing changed."""
    before = _expect(tx, project_id, branch, expected_rev)
    parent_id = tree.get(tx, before.head_node).parent_id
    if parent_id is None:
        return None
    node = tree.get(tx, parent_id)
    _move(tx, before, node, tip=before.tip_node, reason="undo")
    return node


def redo(
    tx: Connection, project_id: str, branch: str = "main", *, expected_rev: int | None = None
) -> Node | None:
    """Move the head one node towards the tip and return that. None = there already."""
    before = _expect(tx, project_id, branch, expected_rev)
    if before.head_node == before.tip_node:
        return None
    depth = tree.get(tx, before.head_node).depth + 1
    node = tree.ancestor_at(tx, tree.get(tx, before.tip_node), depth)
    _move(tx, before, node, tip=before.tip_node, reason="redo")
    return node


def rewind(
    tx: Connection,
    project_id: str,
    branch: str,
    node_id: str,
    *,
    expected_rev: int | None = None,
) -> Node:
    """Move the head to any node of the project and return that.

    The tip stays if it descends from the node. Otherwise the node becomes the tip, and the old
    tip a branch, so that every future keeps a name.
    """
    before = _expect(tx, project_id, branch, expected_rev)
    node = tree.get(tx, node_id)
    if node.project_id != project_id:
        raise NotFound(f"Node {node_id} belongs to another project. Choose one of this history.")
    if node.id == before.head_node:
        return node
    tip = tree.get(tx, before.tip_node)
    if not tree.descends(tx, tip, node):
        _keep_future(tx, before)
        tip = node
    _move(tx, before, node, tip=tip.id, reason="rewind")
    return node


def can_undo(tx: Connection, project_id: str, branch: str = "main") -> bool:
    """Return whether `undo` would move the head."""
    return tree.get(tx, _get_branch(tx, project_id, branch).head_node).parent_id is not None


def can_redo(tx: Connection, project_id: str, branch: str = "main") -> bool:
    """Return whether `redo` would move the head."""
    found = _get_branch(tx, project_id, branch)
    return found.head_node != found.tip_node


def create_branch(tx: Connection, project_id: str, name: str, node_id: str) -> Branch:
    """Make a branch that stands at a node of the project.

    Raises:
        Refused: the name is empty or taken.
        NotFound: the node is not of this project.
    """
    _require_name(tx, project_id, name)
    node = tree.get(tx, node_id)
    if node.project_id != project_id:
        raise NotFound(f"Node {node_id} belongs to another project. Choose one of this history.")
    made = Branch(project_id=project_id, name=name, head_node=node_id, tip_node=node_id, rev=1)
    _insert_branch(tx, made)
    _record_move(tx, made, old_node=None, label=node.label, reason="branch")
    return made


def start_branch(tx: Connection, project_id: str, node_id: str, *, leave_as: str) -> Node:
    """Move the working line `main` to a node as a line of its own, and return the node.

    Where it stood until now stays a branch called `leave_as`: undo and redo come back with it.

    Raises:
        Refused: the name is empty or taken.
        NotFound: the node is not of this project.
    """
    before = _get_branch(tx, project_id, "main")
    node = tree.get(tx, node_id)
    if node.project_id != project_id:
        raise NotFound(f"Node {node_id} belongs to another project. Choose one of this history.")
    _leave(tx, before, leave_as)
    _move(tx, before, node, tip=node.id, reason="branch")
    return node


def switch(tx: Connection, project_id: str, name: str, *, leave_as: str) -> Node:
    """Go on with another branch where it was left, and return the node of its head.

    The working line `main` takes its place, and its name is free; where `main` stood until now
    becomes a branch called `leave_as`.

    Raises:
        Refused: that is the working line itself, or `leave_as` is empty or taken.
        NotFound: there is no such branch.
    """
    before, found = _get_branch(tx, project_id, "main"), _get_branch(tx, project_id, name)
    if name == "main":
        raise Refused("That is the line you are on. Choose another branch.")
    _delete_branch(tx, found)
    _leave(tx, before, leave_as)
    node = tree.get(tx, found.head_node)
    _move(tx, before, node, tip=found.tip_node, reason="switch")
    return node


def rename_branch(tx: Connection, project_id: str, name: str, new_name: str) -> Branch:
    """Give a branch another name; raises `Refused` where it is empty, taken, or of `main`."""
    found = _get_branch(tx, project_id, name)
    if name == "main":
        raise Refused("The working line has no name in the history. Choose another branch.")
    _require_name(tx, project_id, new_name)
    _delete_branch(tx, found)
    renamed = Branch(**{**vars(found), "name": new_name})
    return _insert_branch(tx, renamed)


def cut_at(tx: Connection, node_id: str) -> Cut:
    """Return the complete cut of a node."""
    return states.read(tx, tree.get(tx, node_id).state_digest)


def nodes(tx: Connection, project_id: str) -> list[Node]:
    """Return every node of the project, oldest first."""
    query = (
        select(_node)
        .where(_node.c.project_id == project_id)
        .order_by(_node.c.created_at, _node.c.depth, _node.c.id)
    )
    return [tree.record(row) for row in tx.execute(query)]


def branches(tx: Connection, project_id: str) -> list[Branch]:
    """Return the branches of the project by name, `main` first."""
    query = (
        select(_branch)
        .where(_branch.c.project_id == project_id)
        .order_by(_branch.c.name != "main", _branch.c.name)
    )
    return [Branch(**row._mapping) for row in tx.execute(query)]


def reflog(tx: Connection, project_id: str, limit: int | None = 100) -> list[ReflogRow]:
    """Return the newest moves of the project's heads, newest first; None = all of them."""
    query = (
        select(_reflog)
        .where(_reflog.c.project_id == project_id)
        .order_by(_reflog.c.seq.desc())
        .limit(limit)
    )
    return [ReflogRow(**row._mapping) for row in tx.execute(query)]


def ensure_shots(tx: Connection, project_id: str, shot_ids: Iterable[str]) -> None:
    """Give every shot that is new its row, or raise `Refused` if another project has its id."""
    wanted = set(shot_ids)
    if not wanted:
        return
    # `all` fetches at once; a long film has as many rows as shots were ever in it.
    mine = tx.execute(_SHOTS, {"of_project": project_id}).scalars().all()
    fresh = sorted(wanted.difference(mine))
    for at in range(0, len(fresh), _AT_ONCE):
        some = fresh[at : at + _AT_ONCE]
        taken = tx.execute(select(_shot.c.id).where(_shot.c.id.in_(some)).limit(1)).scalar()
        if taken is not None:
            raise Refused(f"Shot {taken} belongs to another project. Give the copy a new id.")
        tx.execute(insert(_shot), [{"id": i, "project_id": project_id} for i in some])


def project_of_shot(tx: Connection, shot_id: str) -> str:
    """Return the project that a shot is or was in, or raise `NotFound`."""
    query = select(_shot.c.project_id).where(_shot.c.id == shot_id)
    found = tx.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"No shot {shot_id!r} in any project.")
    return str(found)


def _expect(tx: Connection, project_id: str, name: str, expected_rev: int | None) -> Branch:
    found = _get_branch(tx, project_id, name)
    if expected_rev is not None and found.rev != expected_rev:
        raise Conflict(
            f"Branch {name} is at revision {found.rev}, the edit was made on {expected_rev}. "
            "Load the newer cut and apply the edit again.",
            branch=found,
            cut=cut_at(tx, found.head_node),
        )
    return found


def _move(tx: Connection, before: Branch, node: Node, *, tip: str, reason: str) -> None:
    after = Branch(
        project_id=before.project_id,
        name=before.name,
        head_node=node.id,
        tip_node=tip,
        rev=before.rev + 1,
    )
    seen = {"of_project": before.project_id, "named": before.name, "seen_rev": before.rev}
    new = {"head_node": after.head_node, "tip_node": after.tip_node, "rev": after.rev}
    moved = tx.execute(_MOVE, {**seen, **new})
    if moved.rowcount != 1:  # only where transactions are not serialized, as on PostgreSQL
        newer = _get_branch(tx, before.project_id, before.name)
        raise Conflict(
            f"Branch {before.name} moved from revision {before.rev} to {newer.rev} meanwhile. "
            "Load the newer cut and apply the edit again.",
            branch=newer,
            cut=cut_at(tx, newer.head_node),
        )
    _record_move(tx, after, old_node=before.head_node, label=node.label, reason=reason)


def _record_move(
    tx: Connection, after: Branch, *, old_node: str | None, label: str, reason: str
) -> None:
    tx.execute(
        _LOG_MOVE,
        {
            "project_id": after.project_id,
            "branch": after.name,
            "old_node": old_node,
            "new_node": after.head_node,
            "reason": reason,
            "at": now(tx),
        },
    )
    events.add(
        tx,
        project_id=after.project_id,
        kind=reason,
        payload={
            "branch": after.name,
            "node_id": after.head_node,
            "label": label,
            "rev": after.rev,
        },
    )


def _keep_future(tx: Connection, before: Branch) -> None:
    """Name the branch's tip, unless another branch ends there already."""
    ends = select(literal(1)).where(
        _branch.c.project_id == before.project_id,
        _branch.c.name != before.name,
        _branch.c.tip_node == before.tip_node,
    )
    if tx.execute(ends.limit(1)).one_or_none() is not None:
        return
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now(tx))
    base = f"before-rewind-{at:%Y%m%dT%H%M%S.%fZ}"
    name, count = base, 1
    while _find_branch(tx, before.project_id, name) is not None:
        count += 1
        name = f"{base}-{count}"
    tip = before.tip_node
    _insert_branch(
        tx, Branch(project_id=before.project_id, name=name, head_node=tip, tip_node=tip, rev=0)
    )


def _leave(tx: Connection, before: Branch, name: str) -> None:
    _require_name(tx, before.project_id, name)
    _insert_branch(tx, Branch(**{**vars(before), "name": name, "rev": 0}))


def _require_name(tx: Connection, project_id: str, name: str) -> None:
    if not name.strip():
        raise Refused("A branch without a name. Give it one.")
    if _find_branch(tx, project_id, name) is not None:
        raise Refused(f"A branch {name!r} exists already. Choose another name.")


def _delete_branch(tx: Connection, found: Branch) -> None:
    tx.execute(
        delete(_branch).where(
            _branch.c.project_id == found.project_id, _branch.c.name == found.name
        )
    )


def _insert_branch(tx: Connection, made: Branch) -> Branch:
    tx.execute(insert(_branch).values(**vars(made)))
    return made


def _get_branch(tx: Connection, project_id: str, name: str) -> Branch:
    found = _find_branch(tx, project_id, name)
    if found is None:
        raise NotFound(
            f"Project {project_id!r} has no branch {name!r}, or there is no such project."
        )
    return found


def _find_branch(tx: Connection, project_id: str, name: str) -> Branch | None:
    row = tx.execute(_BRANCH, {"of_project": project_id, "named": name}).one_or_none()
    return None if row is None else Branch(**row._mapping)
