"""Take a video file into the library and queue what turns it into shots of the cut."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from storage import history, jobs, references
from storage.canonical import new_id
from studio.session import Session
from studio.timeline.edit import EditRefused

ORIGINAL_TYPE = "application/octet-stream"
"""Originals are never served: their media type says nothing that a browser would run."""


def import_footage(
    session: Session, project_id: str, stream: BinaryIO, name: str, *, priority: int = 0
) -> str:
    """Store an original, queue its import at the end of the cut and return the job's id.

    Raises:
        EditRefused: an empty file.
        DiskFull: no room for it.
    """
    with session.library.read() as tx:
        history.head(tx, project_id)
    owner = new_id()

    def pin(digest: str) -> None:
        with session.library.write() as tx:
            references.pin(tx, digest, owner)

    stored = session.library.blobs.put(stream, pin)
    with session.library.write() as tx:
        if stored.size == 0:
            references.unpin(tx, owner)
            raise EditRefused(f"{name} is an empty file. Choose a video.")
        _, cut = history.head(tx, project_id)
        references.add(tx, stored.digest, stored.size, ORIGINAL_TYPE)
        job = jobs.add(
            tx,
            kind="ingest",
            project_id=project_id,
            spec={
                "original_digest": stored.digest,
                "name": Path(name).name[:200],
                "width": cut.width,
                "height": cut.height,
                "rate": list(cut.rate),
            },
            priority=priority,
        )
        references.unpin(tx, owner)
    session.changed(project_id)
    return job.id
