"""From what the engine leaves to what is committed: takes, entries and the pick, in one go."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

from sqlalchemy.engine import Connection

from engine.protocol import EntryResult, JobResult, RecallResult, TakeResult
from storage import jobs, memory
from storage.canonical import digest_of, new_id
from storage.records import Cut, Entry, Job, Json, Take
from studio.supervisor.dispatch import Dispatched
from studio.timeline import edits
from studio.timeline.cut import shot_of
from studio.timeline.edits import Material


def commit_result(
    tx: Connection, job: Job, dispatched: Dispatched, result: JobResult, engine_version: str
) -> Job:
    """Commit a finished job and return its row.

    Raises:
        Fenced: the job was cancelled or claimed again meanwhile; nothing becomes visible.
    """
    if job.kind == "recall":
        return _commit_recall(tx, job, result.recall)
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


def _take(
    shot_id: str, kind: str, job: Job, dispatched: Dispatched, made: TakeResult, version: str
) -> Take:
    spec: Json = {k: v for k, v in job.spec.items() if k != "take_before"}
    spec |= {"memory_keys": list(dispatched.memory_keys), "engine_version": version}
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
        return edit.cut, edit.label
    shot = shot_of(cut, job.shot_id or "")
    if shot is None or shot.locked or shot.take_id != job.spec["take_before"]:
        return None
    take = made[0]
    picked = replace(shot, take_id=take.id, in_=0, out=take.num_frames)
    shots = tuple(picked if s.shot_id == shot.shot_id else s for s in cut.shots)
    name = f"Shot {cut.shots.index(shot) + 1}"
    verb = "Generate" if shot.take_id is None else "Regenerate"
    return replace(cut, shots=shots), f"{verb} {name}"


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


def _png(digest: str) -> str | None:
    return f"/media/{digest}.png" if digest else None


def _entry(made: EntryResult) -> Entry:
    return Entry(**dataclasses.asdict(made))
