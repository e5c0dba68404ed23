"""The JSON routes of the history: lines by name, points compared, shots brought back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from studio.actions import branches
from studio.actions.graft import deleted_shots, graft_shot
from studio.actions.points import compare_points
from studio.timeline.graft import Verb
from studio.web.answers import Body, Open
from studio.web.api import Id, Json, told

router = APIRouter(prefix="/api/projects/{project_id}")

NodeId = Annotated[str, Field(max_length=64)]
Name = Annotated[str, Field(max_length=200)]


class BranchBody(Body):
    """A name for a node; with `go` the editor goes there and begins a line of its own."""

    name: Name
    node_id: NodeId
    go: bool = True


class NameBody(Body):
    """A line by its name."""

    name: Name


class RenameBody(NameBody):
    """A line and its new name."""

    new_name: Name


class GraftBody(Body):
    """A shot as it is at a node of the history."""

    node_id: NodeId
    shot_id: NodeId
    verb: Verb = "graft"
    base_rev: int | None = None


@router.post("/branches")
def make_branch(session: Open, project_id: Id, body: BranchBody) -> Json:
    """Begin a line at a node, or only give the node a name."""
    if body.go:
        return told(branches.branch_here(session, project_id, body.node_id, body.name))
    branches.name_point(session, project_id, body.node_id, body.name)
    return {}


@router.post("/branches/switch")
def switch_branch(session: Open, project_id: Id, body: NameBody) -> Json:
    """Go on with another line where it was left."""
    return told(branches.switch_branch(session, project_id, body.name))


@router.post("/branches/rename")
def rename_branch(session: Open, project_id: Id, body: RenameBody) -> Json:
    """Give a line another name."""
    branches.rename_branch(session, project_id, body.name, body.new_name)
    return {}


@router.get("/compare")
def compare(
    session: Open,
    project_id: Id,
    a: Annotated[str, Query(max_length=64)],
    b: Annotated[str, Query(max_length=64)],
) -> Json:
    """Return two points of the history beside each other."""
    return compare_points(session, project_id, a, b)


@router.post("/graft")
def graft(session: Open, project_id: Id, body: GraftBody) -> Json:
    """Bring a shot over from another point."""
    done = graft_shot(
        session,
        project_id,
        body.node_id,
        body.shot_id,
        verb=body.verb,
        base_rev=body.base_rev,
    )
    return told(done)


@router.get("/deleted")
def read_deleted(session: Open, project_id: Id) -> Json:
    """Return the shots that were taken out on the way to the newest cut."""
    return {"shots": deleted_shots(session, project_id)}
