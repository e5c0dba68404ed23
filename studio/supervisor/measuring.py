"""Jobs that measure memory: what the engine is told, and what of its answer is kept."""

from __future__ import annotations

import dataclasses

from sqlalchemy.engine import Connection

from engine.specs import CurveSpec, EntryRef, Measured, MeasureSpec
from storage import history, jobs, measurements, memory, takes
from storage.records import Entry, Job, Take
from studio.actions import budget_curve
from studio.actions.reading import past_of
from studio.session import Session
from studio.timeline.cut import entry_keys
from studio.timeline.reading import Read


def measuring_spec(session: Session, tx: Connection, job: Job) -> MeasureSpec | CurveSpec:
    """Return what the engine measures for `job`.

    Raises:
        LookupError: its take is gone, or the model has no such memory system.
    """
    if job.spec["measurement"] == budget_curve.KIND:
        return _curve(session, tx, job)
    system = session.system(job.spec["memory_system"])
    take = takes.get(tx, job.spec["take_id"])
    (key,) = entry_keys([take], system.fingerprint, system.scope)
    return MeasureSpec(
        memory_system=system.name,
        entry=_ref(tx, take, key),
        frames=tuple(job.spec["frames"]),
        width=take.width,
        height=take.height,
        media_digest=take.media_digest,
    )


def commit_measured(tx: Connection, job: Job, found: Measured | None) -> Job:
    """Store the numbers under the key of what was measured."""
    if found is None:
        error = {"message": "The engine finished a measurement without numbers. Try it again."}
        return jobs.fail(tx, job.id, job.fence, error)
    if job.spec["measurement"] == budget_curve.KIND:
        payload = {"points": [dataclasses.asdict(point) for point in found.curve]}
    else:
        payload = {
            "system": job.spec["memory_system"],
            "moments": [dataclasses.asdict(moment) for moment in found.moments],
        }
    blobs = [(b.digest, b.size, b.media_type) for b in found.blobs]
    finished = jobs.finish(tx, job.id, job.fence, {"key": job.spec["measurement_key"]}, blobs)
    measurements.put(tx, job.spec["measurement_key"], job.spec["measurement"], payload)
    for entry in found.entries:
        memory.add(tx, Entry(**dataclasses.asdict(entry)))
    return finished


def _curve(session: Session, tx: Connection, job: Job) -> CurveSpec:
    asked = job.spec
    system = session.system(asked["memory_system"])
    _, cut = history.head(tx, job.project_id)
    known = {take.id: take for take in takes.of_project(tx, job.project_id)}
    reads: list[Read] = list(past_of(cut, known, system).everything())
    if not reads:
        raise LookupError("The film has no take any more whose memory could be measured.")
    return CurveSpec(
        memory_system=system.name,
        entries=tuple(_ref(tx, read.take, read.key) for read in reads),
        media=tuple(read.take.media_digest for read in reads),
        tokens=tuple(asked["tokens"]),
        num_frames=asked["num_frames"],
        width=asked["width"],
        height=asked["height"],
        guidance=asked["guidance"],
        strength=asked["strength"],
    )


def _ref(tx: Connection, take: Take, key: str) -> EntryRef:
    stored = memory.find(tx, [key]).get(key)
    return EntryRef(
        take_id=take.id,
        latents_digest=take.latents_digest or "",
        key=key,
        blob_digest=stored.blob_digest if stored else "",
        num_frames=take.num_frames,
    )
