"""The JSON routes about projects: their cut, its edits, its history and its storyboard."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field

from engine.protocol import EngineInfo
from studio.actions import document as documents
from studio.actions import manage_projects as manage
from studio.actions import storyboards, travel
from studio.actions.committing import Done
from studio.actions.duplicate_project import duplicate_project
from studio.actions.edit import edit
from studio.actions.history_tree import history_to_json
from studio.actions.manage_projects import MAX_NAME
from studio.actions.take_list import takes_to_json
from studio.session import NotReady
from studio.timeline.storyboard import MAX_CHARACTERS
from studio.web.answers import Body, Open

router = APIRouter(prefix="/api")

Id = Annotated[str, Path(max_length=64)]
Json = dict[str, Any]


class Name(Body):
    """A project's name."""

    name: str = Field(max_length=MAX_NAME)


class EditBody(Body):
    """One operation, and the revision it was made on."""

    op: Json
    base_rev: int | None = None


class Revision(Body):
    """The revision that the page has seen."""

    base_rev: int | None = None


class NodeBody(Body):
    """A node of the history."""

    node_id: str = Field(max_length=64)


class TextBody(Body):
    """A storyboard's text."""

    text: str = Field(max_length=MAX_CHARACTERS)


class StoryboardBody(TextBody):
    """A storyboard's text and where its shots go."""

    mode: Literal["append", "replace"] = "append"
    base_rev: int | None = None


@router.get("/engine")
def read_engine(session: Open) -> Json:
    """Return the engine's state, and what the model can do as far as that is known."""
    info: EngineInfo | None
    try:
        info = session.info()
    except NotReady:
        info = None
    return {
        "state": session.engine.state,
        "message": session.engine.message,
        "info": None if info is None else dataclasses.asdict(info),
    }


@router.get("/projects")
def read_projects(session: Open) -> Json:
    """Return all projects, and apart from them those that were deleted."""
    return documents.project_list(session)


@router.post("/projects", status_code=201)
def create_project(session: Open, body: Name) -> Json:
    """Make a project."""
    return {"id": manage.create_project(session, body.name).id}


@router.patch("/projects/{project_id}")
def rename_project(session: Open, project_id: Id, body: Name) -> Json:
    """Give a project another name."""
    manage.rename_project(session, project_id, body.name)
    return {}


@router.delete("/projects/{project_id}")
def delete_project(session: Open, project_id: Id) -> Json:
    """Hide a project."""
    manage.delete_project(session, project_id)
    return {}


@router.post("/projects/{project_id}/restore")
def restore_project(session: Open, project_id: Id) -> Json:
    """Bring a deleted project back."""
    manage.restore_project(session, project_id)
    return {}


@router.post("/projects/{project_id}/duplicate", status_code=201)
def copy_project(session: Open, project_id: Id) -> Json:
    """Copy a project as it stands now."""
    made = duplicate_project(session, project_id)
    return {"id": made.id, "name": made.name}


@router.get("/projects/{project_id}")
def read_project(
    session: Open, project_id: Id, known: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Return the document of a project; of shots that the page knows already, the ids."""
    text = documents.document(session, project_id, known=known)
    # Written out on this thread: on the event loop a long film would hold up every page's push.
    return Response(text.encode(), media_type="application/json")


@router.post("/projects/{project_id}/edits")
def edit_project(session: Open, project_id: Id, body: EditBody) -> Json:
    """Carry out one operation."""
    return told(edit(session, project_id, body.op, base_rev=body.base_rev))


@router.post("/projects/{project_id}/undo")
def undo(session: Open, project_id: Id, body: Revision) -> Json:
    """Move the head to its parent."""
    return told(travel.undo(session, project_id, base_rev=body.base_rev))


@router.post("/projects/{project_id}/redo")
def redo(session: Open, project_id: Id, body: Revision) -> Json:
    """Move the head towards the tip."""
    return told(travel.redo(session, project_id, base_rev=body.base_rev))


@router.post("/projects/{project_id}/rewind")
def rewind(session: Open, project_id: Id, body: NodeBody) -> Json:
    """Move the head to any node."""
    return told(travel.rewind(session, project_id, body.node_id))


@router.get("/projects/{project_id}/history")
def read_history(session: Open, project_id: Id) -> Json:
    """Return the tree of the project's cuts."""
    return history_to_json(session, project_id)


@router.post("/projects/{project_id}/storyboard/plan")
def plan(session: Open, project_id: Id, body: TextBody) -> Json:
    """Return what a storyboard would become; nothing changes."""
    board, planned = storyboards.plan_storyboard(session, project_id, body.text)
    problems = [dataclasses.asdict(p) for p in board.problems]
    return dataclasses.asdict(planned) | {"problems": problems, "name": board.name}


@router.post("/projects/{project_id}/storyboard")
def import_storyboard(session: Open, project_id: Id, body: StoryboardBody) -> Json:
    """Add the shots of a storyboard to the cut."""
    done = storyboards.import_storyboard(
        session, project_id, body.text, mode=body.mode, base_rev=body.base_rev
    )
    return told(done)


@router.get("/projects/{project_id}/shots/{shot_id}/takes")
def read_takes(session: Open, project_id: Id, shot_id: Id) -> Json:
    """Return the takes of a shot."""
    return {"takes": takes_to_json(session, project_id, shot_id)}


def told(done: Done) -> Json:
    """Return where the editor stands after an edit."""
    return {"rev": done.rev, "node_id": done.node_id, "label": done.label}
