"""From what the engine leaves to what is committed: takes, entries and the pick, in one go."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

from sqlalchemy.engine import Connection

from engine.specs import EntryResult, JobResult, LintResult, RecallResult, TakeResult
from storage import jobs, measurements, memory
from storage.canonical import digest_of, new_id
from storage.records import Cut, Entry, Job, Json, Take
from studio.actions.lint import queue_checks
from studio.actions.restore_film import with_fields_of_slate
from studio.supervisor.dispatch import Dispatched
from studio.supervisor.measuring import commit_measured
from studio.timeline import edits
from studio.timeline.anchors import frames_of
from studio.timeline.carry import carried
from studio.timeline.cut import shot_of
from studio.timeline.edit import Material


def commit_result(
    tx: Connection, job: Job, dispatched: Dispatched, result: JobResult, engine_version: str
) -> Job:
    """Commit a finished job and return its row.

    Raises:
        Fenced: the job was cancelled or claimed again meanwhile; nothing becomes visible.
    """
    if job.kind == "recall":
        return _commit_recall(tx, job, result.recall)
    if job.kind == "lint":
        return _commit_lint(tx, job, result.lint)
    if job.kind == "measure":
        return commit_measured(tx, job, result.measured)
    made = _takes(job, dispatched, result, engine_version)
    committed = jobs.finish_with_takes(
        tx,
        job=job,
        fence=job.fence,
        takes=made,
        entries=[_entry(e) for t in result.takes for e in t.entries],
        blobs=[(b.digest, b.size, b.media_type) for t in result.takes for b in t.blobs],
        pick=lambda cut: _pick(cut, job, made),
    )
    if job.kind == "generate":
        queue_checks(tx, job.project_id, [job.shot_id])
    return committed.job


def _takes(job: Job, dispatched: Dispatched, result: JobResult, version: str) -> list[Take]:
    if job.kind == "encode":
        shot_ids = job.spec["shot_ids"]
        kind = "footage"
    else:
        shot_ids = [job.shot_id]
        kind = "generated"
    return [
        _take(shot_id, kind, job, dispatched, made, version)
        for shot_id, made in zip(shot_ids, result.takes, strict=True)
    ]


def take_spec(job: Job, dispatched: Dispatched, version: str) -> Json:
    """Return everything that a job's takes are made from: equal specs mean equal takes."""
    spec: Json = {k: v for k, v in job.spec.items() if k != "take_before"}
    return spec | {
        **dispatched.anchors,
        "memory_keys": list(dispatched.memory_keys),
        "engine_version": version,
    }


def _take(
    shot_id: str, kind: str, job: Job, dispatched: Dispatched, made: TakeResult, version: str
) -> Take:
    spec = take_spec(job, dispatched, version)
    if made.stopped_at:
        spec |= {"stopped_at": made.stopped_at}
    return Take(
        id=new_id(),
        shot_id=shot_id,
        kind="footage" if kind == "footage" else "generated",
        spec=spec,
        spec_digest=digest_of(spec),
        media_digest=made.media_digest,
        latents_digest=made.latents_digest,
        strip_digest=made.strip_digest,
        strip_tiles=made.strip_tiles,
        num_frames=made.num_frames,
        rate=made.rate,
        width=made.width,
        height=made.height,
        seed=int(job.spec.get("seed", 0)),
        engine_version=version,
        memory_tokens=made.memory_tokens,
        sources=tuple(dataclasses.asdict(s) for s in made.sources),
        seconds=dict(made.seconds),
    )


def _pick(cut: Cut, job: Job, made: list[Take]) -> tuple[Cut, str] | None:
    if job.kind == "encode":
        pieces = [
            (t.shot_id, Material(take_id=t.id, number=1, num_frames=t.num_frames), title)
            for t, title in zip(made, job.spec["titles"], strict=True)
        ]
        edit = edits.import_footage(cut, before=None, takes=pieces, name=job.spec["name"])
        return with_fields_of_slate(edit.cut, job), edit.label
    shot = shot_of(cut, job.shot_id or "")
    if shot is None or shot.locked or shot.take_id != job.spec["take_before"]:
        return None
    take = made[0]
    stopped_at = take.spec.get("stopped_at", 0)
    if stopped_at and shot.take_id is not None:
        return None  # half a take never replaces a whole one by itself
    picked = replace(shot, take_id=take.id, in_=0, out=take.num_frames)
    shots = tuple(picked if s.shot_id == shot.shot_id else s for s in cut.shots)
    name = f"Shot {cut.shots.index(shot) + 1}"
    markers = carried(cut.markers, cut.shots, shots)
    label = _label(job, take, name, is_first=shot.take_id is None)
    return replace(cut, shots=shots, markers=markers), label


def _label(job: Job, take: Take, name: str, *, is_first: bool) -> str:
    """Return what was done in an editor's words."""
    stopped_at = take.spec.get("stopped_at")
    if stopped_at:
        steps = take.spec.get("num_steps", stopped_at)
        return f"Keep {name}, cancelled at step {stopped_at} of {steps}"
    base = job.spec.get("base")
    if base is None:
        return f"{'Generate' if is_first else 'Regenerate'} {name}"
    first, stop = frames_of(tuple(base["redo"]), take.num_frames)
    if (first, stop) == (0, take.num_frames):
        return f"Vary {name}"
    return f"Make frames {first} to {stop - 1} of {name} anew"


def _commit_recall(tx: Connection, job: Job, result: RecallResult | None) -> Job:
    if result is None:
        error = {"message": "The engine finished a recall without a picture. Try it again."}
        return jobs.fail(tx, job.id, job.fence, error)
    told = {
        "source": result.source,
        "recalled": _png(result.recalled_digest),
        "real": _png(result.real_digest),
        "psnr": result.psnr,
        "ssim": result.ssim,
        "tokens": result.num_tokens,
        "note": result.note,
        "shot_id": job.shot_id,
        "frame": job.spec["frame"],
    }
    blobs = [(b.digest, b.size, b.media_type) for b in result.blobs]
    finished = jobs.finish(tx, job.id, job.fence, told, blobs)
    for entry in result.entries:
        memory.add(tx, _entry(entry))
    return finished


def _commit_lint(tx: Connection, job: Job, result: LintResult | None) -> Job:
    found: Json = {"notes": [dataclasses.asdict(note) for note in result.notes] if result else []}
    ended = jobs.finish(tx, job.id, job.fence, found)
    measurements.put(tx, job.spec["key"], job.kind, found)
    return ended


def _png(digest: str) -> str | None:
    return f"/media/{digest}.png" if digest else None


def _entry(made: EntryResult) -> Entry:
    return Entry(**dataclasses.asdict(made))
