"""The tree of a project's cuts: every edit and take, a picture of each, and the lines by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage import history, takes
from storage.records import Json, Node, Take
from studio.actions.branches import line_name
from studio.actions.stamp import when
from studio.session import Session


def history_to_json(session: Session, project_id: str) -> Json:
    """Return the nodes, oldest first, with the lines that end in them and where the editor is."""
    with session.library.read() as tx:
        branch, _ = history.head(tx, project_id)
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        nodes = history.nodes(tx, project_id)
        lines = history.branches(tx, project_id)
        name = line_name(tx, project_id)
    strips = pictures(nodes, known)
    return {
        "nodes": [
            {
                "id": node.id,
                "parent_id": node.parent_id,
                "label": node.label,
                "op_kind": node.op_kind,
                "author": node.author,
                "created_at": when(node.created_at),
                "strip": f"/media/{strips[node.id]}.jpg" if node.id in strips else None,
            }
            for node in nodes
        ],
        "head": branch.head_node,
        "tip": branch.tip_node,
        "branches": [
            {
                "name": name if b.name == branch.name else b.name,
                "head": b.head_node,
                "tip": b.tip_node,
                "is_current": b.name == branch.name,
            }
            for b in lines
        ],
    }


def pictures(nodes: Sequence[Node], known: Mapping[str, Take]) -> dict[str, str]:
    """Return the strip of what each node is about: its take, or what its shot showed by then.

    Nodes are given oldest first, so that a parent's pictures are known before its children's.
    """
    shown: dict[str, dict[str, str]] = {}
    found: dict[str, str] = {}
    for node in nodes:
        by_shot = shown.get(node.parent_id or "", {})
        take = next((known[i] for i in _named(node.op, "take") if i in known), None)
        if take is not None:
            # Only a new take makes a new table: between two of them all nodes share one.
            by_shot = {**by_shot, take.shot_id: take.strip_digest}
        shown[node.id] = by_shot
        strips = (by_shot[i] for i in _named(node.op, "shot") if i in by_shot)
        strip = take.strip_digest if take else next(strips, None)
        if strip is not None:
            found[node.id] = strip
    return found


def _named(op: Json, noun: str) -> list[str]:
    many, one = op.get(f"{noun}_ids"), op.get(f"{noun}_id")
    named = [*(many if isinstance(many, list) else ()), one]
    return [value for value in named if isinstance(value, str)]
