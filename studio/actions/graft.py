"""Bring a shot back: from another branch or point, or one that was deleted on the way here."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.engine import Connection

from storage import history, takes, tree
from storage.errors import NotFound
from storage.records import Cut, Json, Node
from studio.actions.committing import Done, commit
from studio.actions.points import shot_row
from studio.actions.stamp import when
from studio.session import Session
from studio.timeline.edit import Edit
from studio.timeline.graft import Verb, graft

MOST_DELETED = 100
"""Deleted shots that are listed, the newest first."""
_REMOVERS = frozenset({"delete", "apply_storyboard"})
"""Operations that take shots out of a cut."""


def graft_shot(
    session: Session,
    project_id: str,
    node_id: str,
    shot_id: str,
    *,
    verb: Verb = "graft",
    base_rev: int | None = None,
) -> Done:
    """Give the newest cut a shot as it is at a node; raises as `commit` does, or `NotFound`."""

    def make(tx: Connection, cut: Cut) -> Edit:
        node = tree.get(tx, node_id)
        if node.project_id != project_id:
            raise NotFound(f"Node {node_id} belongs to another project. Choose one of this one.")
        source = history.cut_at(tx, node_id)
        return graft(cut, source, shot_id, verb=verb, origin=node.label)

    op = {"kind": verb, "node_id": node_id, "shot_id": shot_id}
    return commit(session, project_id, op, make, base_rev=base_rev)


def deleted_shots(session: Session, project_id: str) -> list[Json]:
    """Return the shots that were taken out of the cut on the way to it, newest first.

    Each names the node that still shows it, for `graft_shot`.
    """
    with session.library.read() as tx:
        branch, cut = history.head(tx, project_id)
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        here = {shot.shot_id for shot in cut.shots}
        found: dict[str, Json] = {}
        for node, parent_id in _removals(tx, project_id, branch.head_node):
            before = history.cut_at(tx, parent_id)
            gone = _gone(tx, node, before)
            for index, shot in enumerate(before.shots):
                if shot.shot_id in gone and shot.shot_id not in here | set(found):
                    found[shot.shot_id] = shot_row(shot, index, 0, known) | {
                        "node_id": parent_id,
                        "label": node.label,
                        "deleted_at": when(node.created_at),
                    }
            if len(found) >= MOST_DELETED:
                break
    return list(found.values())[:MOST_DELETED]


def _removals(tx: Connection, project_id: str, head: str) -> Iterator[tuple[Node, str]]:
    """Yield the operations before `head` that may have removed shots, newest first."""
    by_id = {node.id: node for node in history.nodes(tx, project_id)}
    node = by_id[head]
    while node.parent_id is not None:
        if node.op_kind in _REMOVERS and node.op.get("mode") != "append":
            yield node, node.parent_id
        node = by_id[node.parent_id]


def _gone(tx: Connection, node: Node, before: Cut) -> set[str]:
    if node.op_kind == "delete":
        return set(node.op.get("shot_ids", ()))
    after = {shot.shot_id for shot in history.cut_at(tx, node.id).shots}
    return {shot.shot_id for shot in before.shots} - after
