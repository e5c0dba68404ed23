"""The JSON routes about the library as a whole: how it is, and projects as files."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from pathlib import Path as FilePath

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from storage.bundle import SUFFIX
from studio.actions import keep_library
from studio.settings import MIB
from studio.web.answers import Open
from studio.web.api import Id, Json
from studio.web.work import check_room, receive

router = APIRouter(prefix="/api")


@router.get("/library")
def read_library(session: Open) -> Json:
    """Return whether backups work, and what is damaged."""
    return keep_library.library_state(session)


@router.get("/projects/{project_id}/bundle")
def read_bundle(session: Open, project_id: Id) -> FileResponse:
    """Return a project as one file."""
    name = keep_library.project_name(session, project_id)
    folder = session.settings.scratch_folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=SUFFIX, delete=False) as file:
        path = FilePath(file.name)
    try:
        keep_library.export_bundle(session, project_id, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return FileResponse(
        path,
        media_type="application/octet-stream",
        filename=f"{name}{SUFFIX}",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


@router.post("/bundles", status_code=201)
async def upload_bundle(session: Open, request: Request) -> Json:
    """Take a project in from a file as it streams in; a file that is not right changes nothing."""
    length = request.headers.get("content-length", "")
    check_room(session, int(length) if length.isascii() and length.isdigit() else 0)
    folder = session.settings.scratch_folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=SUFFIX) as file:
        await receive(request, file, session.settings.max_upload_mib * MIB)
        file.flush()
        told = await asyncio.to_thread(keep_library.take_in_bundle, session, FilePath(file.name))
    return dataclasses.asdict(told)
