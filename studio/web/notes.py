"""The JSON routes of the editor's notes on continuity."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from studio.actions import lint
from studio.web.answers import Body, Open
from studio.web.api import Id, Json

router = APIRouter(prefix="/api/projects/{project_id}/notes")


class NoteBody(Body):
    """A note by its id."""

    id: str = Field(max_length=100)


@router.get("")
def read_notes(session: Open, project_id: Id) -> Json:
    """Return the notes on the newest cut."""
    return lint.notes_to_json(session, project_id)


@router.post("/check")
def check(session: Open, project_id: Id) -> Json:
    """Queue every comparison that was not made yet."""
    return {"queued": lint.check_all(session, project_id)}


@router.post("/dismiss")
def dismiss(session: Open, project_id: Id, body: NoteBody) -> Json:
    """Show a note no more."""
    lint.dismiss_note(session, project_id, body.id)
    return {}
