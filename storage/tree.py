"""The nodes of the history tree: made once, found by id, compared as ancestors in log n steps."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import CTE, Integer, Select, bindparam, case, insert, select
from sqlalchemy.engine import Connection, Row

from storage import schema, states
from storage.canonical import canonical, digest_of, new_id
from storage.database import now
from storage.errors import NotFound
from storage.records import Cut, Json, Node

_node = schema.node
# Made once: to build a statement costs several times what it costs to run it.
_BY_ID = select(_node).where(_node.c.id == bindparam("node_id"))
_INSERT = insert(_node)


def get(tx: Connection, node_id: str) -> Node:
    """Return a node, or raise `NotFound`."""
    row = tx.execute(_BY_ID, {"node_id": node_id}).one_or_none()
    if row is None:
        raise NotFound(f"No node {node_id!r} in any history.")
    return record(row)


def add(
    tx: Connection,
    *,
    parent: Node | None,
    project_id: str,
    cut: Cut,
    op: tuple[str, Json, str, str],
) -> Node:
    """Store the child of `parent` (None = a root); `op` is kind, arguments, label, author."""
    kind, arguments, label, author = op
    state = states.put(tx, cut)
    node = Node(
        id=new_id(),
        project_id=project_id,
        parent_id=parent.id if parent else None,
        op_kind=kind,
        op=arguments,
        label=label,
        state_digest=state,
        chain_digest=chain_digest(
            parent.chain_digest if parent else "", project_id, arguments, state
        ),
        author=author,
        created_at=now(tx),
        depth=parent.depth + 1 if parent else 0,
        jump_id=jump_of_child(tx, parent) if parent else None,
    )
    store(tx, [node])
    return node


def store(tx: Connection, nodes: Sequence[Node]) -> None:
    """Store nodes as they are, parents before children, each with the digest of its row."""
    rows = [
        {
            "id": node.id,
            "project_id": node.project_id,
            "parent_id": node.parent_id,
            "jump_id": node.jump_id,
            "depth": node.depth,
            "op_kind": node.op_kind,
            "op_json": canonical(node.op).decode(),
            "label": node.label,
            "state_digest": node.state_digest,
            "chain_digest": node.chain_digest,
            "author": node.author,
            "created_at": node.created_at,
            "row_digest": row_digest(node),
        }
        for node in nodes
    ]
    tx.execute(_INSERT, rows)


def ancestor_at(tx: Connection, node: Node, depth: int) -> Node:
    """Return the ancestor of `node` (or itself) with that depth, at most the node's own."""
    if node.depth == depth:
        return node
    found = tx.execute(_ANCESTOR, {"start": node.id, "goal": depth}).scalar_one()
    return get(tx, found)


def way_to(node: Node, depth: int) -> Select[tuple[str, int]]:
    """Return the question for the rows (id, depth) from `node` up to its ancestor of that depth."""
    return select(_WAY.c.id, _WAY.c.depth).params(start=node.id, goal=depth)


def _way() -> CTE:
    # One query, whatever the depth: each row jumps as far as it can without overshooting.
    depth = bindparam("goal", type_=Integer)
    jump, above = _node.alias("jump"), _node.alias("above")
    start = select(_node.c.id, _node.c.depth, _node.c.parent_id, _node.c.jump_id)
    walk = start.where(_node.c.id == bindparam("start")).cte("walk", recursive=True)
    target = case((jump.c.depth >= depth, walk.c.jump_id), else_=walk.c.parent_id)
    step = (
        select(above.c.id, above.c.depth, above.c.parent_id, above.c.jump_id)
        .select_from(walk)
        .join(jump, jump.c.id == walk.c.jump_id)
        .join(above, above.c.id == target)
        .where(walk.c.depth > depth)
    )
    return walk.union_all(step)


_WAY = _way()
_ANCESTOR = select(_WAY.c.id).where(_WAY.c.depth == bindparam("goal", type_=Integer))


def descends(tx: Connection, node: Node, ancestor: Node) -> bool:
    """Return whether `ancestor` is on the path from the root to `node`, ends included."""
    return node.depth >= ancestor.depth and ancestor_at(tx, node, ancestor.depth) == ancestor


def chain_digest(parent_chain: str, project_id: str, op: Json, state_digest: str) -> str:
    """Return the digest that ties a node to all the nodes before it."""
    return digest_of([parent_chain, project_id, op, state_digest])


def row_digest(node: Node) -> str:
    """Return the digest over everything a node's row says."""
    return digest_of(
        [
            node.id,
            node.project_id,
            node.parent_id,
            node.jump_id,
            node.depth,
            node.op_kind,
            node.op,
            node.label,
            node.state_digest,
            node.chain_digest,
            node.author,
            node.created_at,
        ]
    )


def jump_of_child(tx: Connection, parent: Node) -> str:
    """Return the ancestor that a child of `parent` jumps to."""
    # Skew-binary jumps (Myers 1983): two equal jumps in a row become one of twice the length.
    if parent.jump_id is None:
        return parent.id
    near = get(tx, parent.jump_id)
    if near.jump_id is None:
        return parent.id
    far = get(tx, near.jump_id)
    return far.id if parent.depth - near.depth == near.depth - far.depth else parent.id


def record(row: Row[tuple[object, ...]]) -> Node:
    """Return the node of a row."""
    values = dict(row._mapping)
    del values["row_digest"]
    return Node(op=json.loads(values.pop("op_json")), **values)
