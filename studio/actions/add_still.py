"""Take a picture of the editor's own into the library, at the size of the project's frames."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO

from storage import history, projects, references, settings
from storage.canonical import new_id
from storage.records import Json
from studio.media import child
from studio.media.child import HOSTILE, MediaRefused
from studio.session import Session
from studio.timeline.edit import EditRefused

MAX_STILL_BYTES = 64 << 20
MAX_STILLS = 2000
"""Of a project."""


def add_still(session: Session, project_id: str, stream: BinaryIO, name: str) -> Json:
    """Store a picture as a still and return its digest and address.

    It is opened in the media child, like every stranger's file, and cropped to the frame.

    Raises:
        EditRefused: not a picture, or too many of them.
        NotFound: no such project.
    """
    with session.library.read() as tx:
        projects.get(tx, project_id)
        _, cut = history.head(tx, project_id)
    scratch = session.settings.scratch_folder
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        original, out = Path(folder) / "original", Path(folder) / "still.png"
        original.write_bytes(stream.read(MAX_STILL_BYTES))
        size = {"width": cut.width, "height": cut.height}
        arguments = {"path": str(original), "out": str(out), "name": Path(name).name[:200], **size}
        try:
            child.run(
                "studio.media.stills:still_task",
                arguments,
                limits=HOSTILE,
                told=lambda _: None,
                cancelled=lambda: False,
            )
        except MediaRefused as error:
            raise EditRefused(str(error)) from error
        data = out.read_bytes()
    digest = _store(session, project_id, data)
    return {"digest": digest, "media": f"/media/{digest}.png"}


def _store(session: Session, project_id: str, data: bytes) -> str:
    owner = new_id()

    def pin(digest: str) -> None:
        with session.library.write() as tx:
            references.pin(tx, digest, owner)

    stored = session.library.blobs.put(data, pin)
    with session.library.write() as tx:
        references.add(tx, stored.digest, stored.size, "image/png")
        name = f"{settings.STILLS}{project_id}"
        kept: list[str] = settings.get(tx, name, [])
        if len(kept) >= MAX_STILLS:
            raise EditRefused(f"{len(kept)} stills. Expected at most {MAX_STILLS} in a project.")
        if stored.digest not in kept:
            settings.put(tx, name, [*kept, stored.digest])
        references.unpin(tx, owner)
    return stored.digest
