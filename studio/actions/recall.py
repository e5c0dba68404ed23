"""Queue the decoding of one frame of the cut out of memory."""

from __future__ import annotations

from engine.specs import RecallMode
from storage import history, jobs, takes
from storage.records import Shot
from studio.session import NO_MEMORY, Session
from studio.timeline.cut import index_of, locate, shot_of, takes_read, total_frames
from studio.timeline.edit import EditRefused


def recall(
    session: Session,
    project_id: str,
    frame: int,
    mode: RecallMode = "mean",
    *,
    reader: str | None = None,
    priority: int = 10,
) -> str:
    """Queue the recall of a frame of the cut and return the job's id.

    With a `reader` the frame is recalled from what that shot reads: what it forgets is left out.

    Raises:
        EditRefused: outside of the cut, or a shot of which memory holds nothing, and why.
    """
    with session.library.write() as tx:
        _, cut = history.head(tx, project_id)
        place = locate(cut, frame)
        if place is None:
            raise EditRefused(
                f"Frame {frame} is outside of the cut. Expected 0 to {total_frames(cut) - 1}."
            )
        name = f"Shot {place.index + 1}"
        if place.shot.take_id is None:
            raise EditRefused(f"{name} has no take yet: memory holds nothing of it. Generate it.")
        if place.shot.muted:
            raise EditRefused(f"{name} is muted: memory leaves it out. Unmute it to look.")
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        take = known[place.shot.take_id]
        if reader is not None and (index_of(cut, reader) or 0) <= place.index:
            raise EditRefused(f"{name} does not stand before the shot that is to remember it.")
        read = takes_read(cut, None, known)
        if take.latents_digest not in {t.latents_digest for t in read}:
            raise EditRefused(f"{name} shows a card without latents: memory holds nothing of it.")
        job = jobs.add(
            tx,
            kind="recall",
            project_id=project_id,
            shot_id=place.shot.shot_id,
            spec={
                "frame": frame,
                "take_frame": place.frame,
                "take_id": take.id,
                "mode": mode,
                "memory_system": _system(session, shot_of(cut, reader or "") or place.shot),
                "reader": reader,
            },
            queueing_key=f"recall:{project_id}:{reader or ''}",
            priority=priority,
        )
    session.changed(project_id)
    return job.id


def _system(session: Session, shot: Shot) -> str:
    """Return the system to look into: the model's own for a shot made without memory."""
    name = shot.memory.system
    return session.facts().memory_system if name == NO_MEMORY else name
