"""A point of the history read without going there: its cut, and what differs from another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sqlalchemy.engine import Connection

from storage import history, takes, tree
from storage.errors import NotFound
from storage.records import Cut, Json, Shot, Take
from studio.actions.stamp import when
from studio.actions.take_document import take_to_json
from studio.session import Session
from studio.timeline.cut import starts, total_frames
from studio.timeline.difference import difference


def compare_points(session: Session, project_id: str, a: str, b: str) -> Json:
    """Return two cuts of the history with their pictures, and what differs from `a` to `b`.

    Raises:
        NotFound: a node that is not of this project.
    """
    with session.library.read() as tx:
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        before, after = (_cut(tx, project_id, node_id) for node_id in (a, b))
        return {
            "a": _point(tx, a, before, known),
            "b": _point(tx, b, after, known),
            "difference": dataclasses.asdict(difference(before, after)),
        }


def shot_row(shot: Shot, index: int, start: int, known: Mapping[str, Take]) -> Json:
    """Return a shot as lists of another cut's shots show it."""
    take = known.get(shot.take_id) if shot.take_id else None
    return {
        "shot_id": shot.shot_id,
        "name": shot.title if shot.title.strip("0123456789") else f"Shot {index + 1}",
        "prompt": shot.prompt,
        "start": start,
        "in": shot.in_,
        "out": shot.out,
        "muted": shot.muted,
        "take": take_to_json(take, num_sources=0) if take else None,
    }


def _cut(tx: Connection, project_id: str, node_id: str) -> Cut:
    if tree.get(tx, node_id).project_id != project_id:
        raise NotFound(f"Node {node_id} belongs to another project. Choose one of this history.")
    return history.cut_at(tx, node_id)


def _point(tx: Connection, node_id: str, cut: Cut, known: Mapping[str, Take]) -> Json:
    node = tree.get(tx, node_id)
    return {
        "id": node.id,
        "label": node.label,
        "created_at": when(node.created_at),
        "rate": list(cut.rate),
        "total_frames": total_frames(cut),
        "shots": [
            shot_row(shot, index, start, known)
            for index, (shot, start) in enumerate(zip(cut.shots, starts(cut), strict=True))
        ],
    }
