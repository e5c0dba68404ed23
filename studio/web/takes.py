"""The JSON routes about takes: stars, the trash, stills to pin, presets to make takes with."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathPart
from pydantic import Field

from studio.actions import presets
from studio.actions.add_still import MAX_STILL_BYTES, add_still
from studio.actions.mark_takes import rate_take, restore_take, trash_take
from studio.web.answers import Body, Open
from studio.web.api import Id, Json
from studio.web.work import receive

router = APIRouter(prefix="/api")

Named = Annotated[str, PathPart(min_length=1, max_length=80)]


class RatingBody(Body):
    """Stars, 1 to 5; 0 takes them back."""

    stars: int = Field(ge=0, le=5)


class TrashBody(Body):
    """What a shot shows in place of the take, where the cut shows it."""

    instead: str | None = Field(None, max_length=64)
    may_leave_empty: bool = False
    base_rev: int | None = None


class PresetBody(Body):
    """A named set of parameters; null = the model's default."""

    num_steps: int = Field(0, ge=0, le=1000)
    guidance: float | None = Field(None, ge=0, le=30)
    strength: float | None = Field(None, ge=0, le=10)
    memory_system: str = Field(max_length=64)


@router.post("/projects/{project_id}/takes/{take_id}/rating")
def rate(session: Open, project_id: Id, take_id: Id, body: RatingBody) -> Json:
    """Give a take its stars."""
    rate_take(session, project_id, take_id, body.stars)
    return {}


@router.post("/projects/{project_id}/takes/{take_id}/trash")
def trash(session: Open, project_id: Id, take_id: Id, body: TrashBody) -> Json:
    """Put a take into the trash; an edit where the cut shows it."""
    done = trash_take(
        session,
        project_id,
        take_id,
        instead=body.instead,
        may_leave_empty=body.may_leave_empty,
        base_rev=body.base_rev,
    )
    return {} if done is None else {"rev": done.rev, "node_id": done.node_id, "label": done.label}


@router.post("/projects/{project_id}/takes/{take_id}/restore")
def restore(session: Open, project_id: Id, take_id: Id) -> Json:
    """Take a take out of the trash."""
    restore_take(session, project_id, take_id)
    return {}


@router.post("/projects/{project_id}/stills")
async def upload_still(
    session: Open,
    project_id: Id,
    request: Request,
    name: Annotated[str, Query(min_length=1, max_length=300)],
) -> Json:
    """Store a picture that shots can start from or land on."""
    folder = session.settings.scratch_folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        await receive(request, file, MAX_STILL_BYTES)
        file.seek(0)
        return await asyncio.to_thread(add_still, session, project_id, file, Path(name).name)


@router.get("/presets")
def read_presets(session: Open) -> Json:
    """Return the presets of the library."""
    return {"presets": presets.read_presets(session)}


@router.put("/presets/{name}")
def keep_preset(session: Open, name: Named, body: PresetBody) -> Json:
    """Keep a preset under a name; one of that name is replaced."""
    return {"presets": presets.keep_preset(session, name, body.model_dump())}


@router.delete("/presets/{name}")
def remove_preset(session: Open, name: Named) -> Json:
    """Forget a preset."""
    return {"presets": presets.remove_preset(session, name)}
