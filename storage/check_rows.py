"""What must hold of one row: its digest, its chain, and whatever else it says of other rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, Row

from storage import memory, references, schema, states, takes, tree
from storage.records import Entry

AnyRow = Row[tuple[object, ...]]
Rule = Callable[[Connection, AnyRow], Iterator[str]]
"""Yields a sentence for everything that is wrong with a row."""


def node(tx: Connection, row: AnyRow) -> Iterator[str]:
    """Yield what is wrong with a node's own digest, its chain or its place in the tree."""
    found = tree.record(row)
    parent = None if found.parent_id is None else tree.get(tx, found.parent_id)
    if tree.row_digest(found) != row.row_digest:
        yield f"Node {found.id} ({found.label}) was changed after it was stored."
    chain = tree.chain_digest(
        parent.chain_digest if parent else "", found.project_id, found.op, found.state_digest
    )
    if chain != found.chain_digest:
        yield f"Node {found.id} ({found.label}) does not follow from the nodes before it."
    if found.depth != (parent.depth + 1 if parent else 0):
        yield f"Node {found.id} has depth {found.depth}, one more than its parent was expected."
    if found.jump_id != (tree.jump_of_child(tx, parent) if parent else None):
        yield f"Node {found.id} jumps to {found.jump_id}, which is not the ancestor it should be."


def state(tx: Connection, row: AnyRow) -> Iterator[str]:
    """Yield what is wrong with the cut of a node: readable, its pieces kept, its takes there."""
    cut = states.read(tx, str(row.state_digest))
    piece = schema.state_piece
    kept = select(piece.c.piece_digest).where(piece.c.state_digest == row.state_digest)
    named = set(states.pieces_of(references.read(tx, str(row.state_digest))))
    for digest in sorted(named - set(tx.execute(kept).scalars())):
        yield f"The cut of node {row.id} does not keep its piece {digest} from collection."
    wanted = {shot.take_id for shot in cut.shots if shot.take_id is not None}
    take = schema.take
    known = set(tx.execute(select(take.c.id).where(take.c.id.in_(wanted))).scalars())
    for take_id in sorted(wanted - known):
        yield f"The cut of node {row.id} shows take {take_id}, which is not stored."


def branch(tx: Connection, row: AnyRow) -> Iterator[str]:
    """Yield what is wrong with a branch: tip, and head and `rev` against the log of moves."""
    head, tip = tree.get(tx, str(row.head_node)), tree.get(tx, str(row.tip_node))
    if not tree.descends(tx, tip, head):
        yield f"The tip of branch {row.name} does not descend from its head."
    log = schema.reflog
    mine = (log.c.project_id == row.project_id, log.c.branch == row.name)
    moves = tx.execute(select(func.count()).where(*mine)).scalar_one()
    if moves != row.rev:
        yield f"Branch {row.name} is at revision {row.rev}; {moves} moves are on record."
    last = tx.execute(select(log.c.new_node).where(*mine).order_by(log.c.seq.desc()).limit(1))
    if last.scalar_one_or_none() not in (None, row.head_node):
        yield f"Branch {row.name} is not where its last move on record left it."


def take(_tx: Connection, row: AnyRow) -> Iterator[str]:
    """Yield what is wrong with a take's own digest."""
    if takes.row_digest(takes.record(row)) != row.row_digest:
        yield f"Take {row.id} was changed after it was stored."


def entry(_tx: Connection, row: AnyRow) -> Iterator[str]:
    """Yield what is wrong with an entry's own digest."""
    values = dict(row._mapping)
    del values["id"]
    if memory.row_digest(Entry(**values)) != row.row_digest:
        yield f"Entry {row.key} was changed after it was stored."
