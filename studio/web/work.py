"""The JSON routes that queue work: generate, recall, export, import."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path as FilePath
from typing import IO, Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import Field

from engine.specs import RecallMode
from studio.actions.export_cut import MAX_TITLE, export_cut
from studio.actions.generate import MAX_TAKES, Wish, generate
from studio.actions.import_footage import import_footage
from studio.actions.recall import recall
from studio.session import Session
from studio.settings import MIB
from studio.timeline.anchors import Base
from studio.timeline.fields import MAX_SEED, MAX_TEXT
from studio.web.answers import Body, Open
from studio.web.api import Id, Json

router = APIRouter(prefix="/api")

SPARE_BYTES = 256 * MIB
"""Kept free on the disk beside an upload, for the normal form and the takes."""


class BaseBody(Body):
    """An earlier take, and which frames of it are made anew; the others are held."""

    take_id: str = Field(max_length=64)
    in_: int | None = Field(None, alias="in")
    out: int | None = None
    strength: float = Field(1.0, ge=0, le=1)

    def base(self) -> Base:
        """Return the wish for a take that keeps something of this one."""
        return Base(take_id=self.take_id, in_=self.in_, out=self.out, strength=self.strength)


class GenerateBody(Body):
    """Shots to generate; null = every unlocked shot without a take."""

    shot_ids: list[Annotated[str, Field(max_length=64)]] | None = Field(None, max_length=2000)
    new_seed: bool = False
    num_takes: int = Field(1, ge=1, le=MAX_TAKES)
    seed: int | None = Field(None, ge=0, le=MAX_SEED)
    prompt: str | None = Field(None, max_length=MAX_TEXT)
    base: BaseBody | None = None

    def wish(self) -> Wish:
        """Return how the takes differ from what their shots say."""
        return Wish(
            has_new_seed=self.new_seed,
            num_takes=self.num_takes,
            seed=self.seed,
            prompt=self.prompt,
            base=None if self.base is None else self.base.base(),
        )


class RecallBody(Body):
    """A frame of the cut."""

    frame: int
    mode: RecallMode = "mean"
    reader: str | None = Field(None, max_length=64)


class ExportBody(Body):
    """How the film is made."""

    title_card: str | None = Field(None, max_length=MAX_TITLE)


@router.post("/projects/{project_id}/generate")
def queue_generate(session: Open, project_id: Id, body: GenerateBody) -> Json:
    """Queue one job for each shot."""
    return {"jobs": generate(session, project_id, body.shot_ids, wish=body.wish())}


@router.post("/projects/{project_id}/recall")
def queue_recall(session: Open, project_id: Id, body: RecallBody) -> Json:
    """Queue the recall of a frame."""
    return {"job": recall(session, project_id, body.frame, body.mode, reader=body.reader)}


@router.post("/projects/{project_id}/export")
def queue_export(session: Open, project_id: Id, body: ExportBody) -> Json:
    """Queue the export of the cut."""
    return {"job": export_cut(session, project_id, title_card=body.title_card)}


@router.post("/projects/{project_id}/footage")
async def upload_footage(
    session: Open,
    project_id: Id,
    request: Request,
    name: Annotated[str, Query(min_length=1, max_length=300)],
) -> Json:
    """Store a video as it streams in, and queue its import."""
    length = request.headers.get("content-length", "")
    check_room(session, int(length) if length.isascii() and length.isdigit() else 0)
    folder = session.settings.scratch_folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        await receive(request, file, session.settings.max_upload_mib * MIB)
        file.seek(0)
        job = await asyncio.to_thread(
            import_footage, session, project_id, file, FilePath(name).name
        )
    return {"job": job}


def check_room(session: Session, length: int) -> None:
    """Refuse an upload that is too long, or that the disk has no room for."""
    limit = session.settings.max_upload_mib
    if length > limit * MIB:
        raise HTTPException(413, f"A file of {length // MIB} MB. Expected at most {limit} MB.")
    free = shutil.disk_usage(session.settings.data_folder).free
    # The body is written aside, then copied into the blob store.
    needed = 2 * length + SPARE_BYTES
    if free < needed:
        raise HTTPException(
            503, f"{free // MIB} MB are free, {needed // MIB} MB are needed. Free some disk space."
        )


async def receive(request: Request, file: IO[bytes], limit: int) -> None:
    """Write a body to `file` as it streams in, or answer 413 above `limit` bytes."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise HTTPException(413, f"A file above {limit // MIB} MB. Expected at most that.")
        try:
            await asyncio.to_thread(file.write, piece)
        except OSError as error:
            raise HTTPException(
                503, f"The file could not be written ({error.strerror}). Free some disk space."
            ) from error
