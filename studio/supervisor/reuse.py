"""An equal spec means an equal take: what was made before is shown again, not made again."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from engine.protocol import EngineInfo
from storage import jobs, marks, takes
from storage.canonical import digest_of
from storage.records import Cut, Job, Take
from studio.supervisor.dispatch import Dispatched
from studio.supervisor.results import take_spec
from studio.timeline import edits
from studio.timeline.cut import shot_of
from studio.timeline.edit import Material


def code_of(info: EngineInfo) -> str:
    """Return what takes say they were made by: the engine's version and the model's files."""
    return f"{info.engine_version}:{info.weights[:16]}" if info.weights else info.engine_version


def made_before(tx: Connection, job: Job, dispatched: Dispatched, info: EngineInfo) -> Take | None:
    """Return the project's take that was made from exactly this spec, or None."""
    if job.kind != "generate" or not info.weights:
        return None
    digest = digest_of(take_spec(job, dispatched, code_of(info)))
    return takes.find_by_spec(tx, digest, project_id=job.project_id)


def commit_reused(tx: Connection, job: Job, take: Take) -> Job:
    """End a job with a take that was there already, and show it in the shot.

    Raises:
        Fenced: the job was cancelled meanwhile.
    """
    marks.restore(tx, take.id)

    def pick(cut: Cut) -> tuple[Cut, str] | None:
        shot = shot_of(cut, job.shot_id or "")
        if shot is None or shot.locked or shot.take_id == take.id:
            return None
        if shot.take_id != job.spec["take_before"]:
            return None
        material = Material(take_id=take.id, number=take.number, num_frames=take.num_frames)
        edit = edits.pick_take(cut, shot.shot_id, material=material)
        return edit.cut, f"{edit.label}, made before with the same settings"

    committed = jobs.finish_with_takes(
        tx,
        job=job,
        fence=job.fence,
        takes=(),
        entries=(),
        blobs=(),
        pick=pick,
        result={"reused": take.id, "number": take.number},
    )
    return committed.job
