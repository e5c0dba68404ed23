"""What storage tests set up: a clock that is moved by hand, shots, takes, entries and blobs."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from sqlalchemy.engine import Connection

from storage import history, jobs, projects, references
from storage.canonical import digest_of, new_id
from storage.database import Library
from storage.records import Cut, Entry, Job, Node, Project, Shot, Take

DAY = 86_400_000_000
RATE = (24, 1)
MEMORY = Path("/dev/shm")


class Clock:
    """UTC microseconds that stand still until they are moved."""

    def __init__(self, at: int = 1_800_000_000_000_000) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


def url_of(_folder: Path) -> str:
    """Return the URL of the database for a library's folder; a fixture replaces it."""
    return ""


def open_library(folder: Path, clock: Clock | None = None) -> Library:
    return Library.open(folder, clock=clock or Clock(), url=url_of(folder))


def make_project(library: Library, name: str = "Rain") -> Project:
    with library.write() as tx:
        return projects.create(tx, name, RATE, 96, 64)


def shot(shot_id: str, prompt: str = "", take_id: str | None = None) -> Shot:
    return Shot(shot_id=shot_id, prompt=prompt, num_frames=9, in_=0, out=9, take_id=take_id)


def with_shots(cut: Cut, *shots: Shot) -> Cut:
    return dataclasses.replace(cut, shots=shots)


def edit(library: Library, project: Project, cut: Cut, label: str = "Edit") -> Node:
    with library.write() as tx:
        return append(tx, project, cut, label)


def append(tx: Connection, project: Project, cut: Cut, label: str = "Edit") -> Node:
    branch, _ = history.head(tx, project.id)
    return history.append(
        tx,
        project_id=project.id,
        branch="main",
        expected_rev=branch.rev,
        op_kind="test",
        op={"label": label},
        label=label,
        cut=cut,
    )


def add_shots(library: Library, project: Project, *shot_ids: str) -> Cut:
    with library.write() as tx:
        _, cut = history.head(tx, project.id)
        cut = with_shots(cut, *cut.shots, *(shot(i, prompt=f"prompt of {i}") for i in shot_ids))
        append(tx, project, cut, "Add shots")
        return cut


def put(library: Library, data: bytes) -> jobs.Blob:
    stored = library.blobs.put(data)
    return stored.digest, stored.size, "application/octet-stream"


def blobs_for(library: Library, name: str) -> tuple[jobs.Blob, jobs.Blob, jobs.Blob, jobs.Blob]:
    """Put media, latents, strip and entry blobs whose bytes are made from `name`."""
    pieces = ("media", "latents", "strip", "entry")
    media, latents, strip, entry = (put(library, f"{p} of {name}".encode() * 50) for p in pieces)
    return media, latents, strip, entry


def take(shot_id: str, blobs: tuple[jobs.Blob, ...], **changes: object) -> Take:
    spec = {"prompt": "rain", "shot": shot_id}
    made = Take(
        id=new_id(),
        shot_id=shot_id,
        spec=spec,
        spec_digest=digest_of(spec),
        media_digest=blobs[0][0],
        latents_digest=blobs[1][0],
        strip_digest=blobs[2][0],
        strip_tiles=8,
        num_frames=9,
        rate=RATE,
        width=96,
        height=64,
        seed=7,
        engine_version="1",
        memory_tokens=12,
        sources=({"take_id": "t", "weight": 1.0},),
        seconds={"step": 0.25},
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def entry(blobs: tuple[jobs.Blob, ...], fingerprint: str = "f") -> Entry:
    return Entry(
        key=digest_of([fingerprint, blobs[1][0]]),
        system="frame_preservation",
        fingerprint=fingerprint,
        scope="take",
        latents_digest=blobs[1][0],
        blob_digest=blobs[3][0],
        num_tokens=12,
        num_bytes=blobs[3][1],
    )


def queue(library: Library, project: Project, shot_id: str | None = None, **asked: object) -> Job:
    with library.write() as tx:
        return jobs.add(
            tx,
            kind="generate",
            project_id=project.id,
            shot_id=shot_id,
            spec={"prompt": "rain"},
            **asked,  # type: ignore[arg-type]
        )


def claim(library: Library, worker: str = "w") -> Job:
    with library.write() as tx:
        job = jobs.claim(tx, worker, jobs.KINDS)
    assert job is not None
    return job


def pick_everything(takes: list[Take]) -> jobs.Pick:
    """Return a pick that shows each take in its shot, whatever the shot looks like."""
    chosen = {t.shot_id: t.id for t in takes}

    def pick(cut: Cut) -> tuple[Cut, str]:
        shots = (
            dataclasses.replace(s, take_id=chosen.get(s.shot_id, s.take_id)) for s in cut.shots
        )
        return dataclasses.replace(cut, shots=tuple(shots)), "New take"

    return pick


def finish(library: Library, job: Job, name: str) -> jobs.Committed:
    """Finish a claimed job with one take whose blobs are made from `name`."""
    assert job.shot_id is not None
    blobs = blobs_for(library, name)
    made = take(job.shot_id, blobs)
    with library.write() as tx:
        return jobs.finish_with_takes(
            tx,
            job=job,
            fence=job.fence,
            takes=[made],
            entries=[entry(blobs)],
            blobs=blobs,
            pick=pick_everything([made]),
        )


def put_inline(tx: Connection, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    references.add(tx, digest, len(data), "image/jpeg", inline=data)
    return digest


def state_of(library: Library, job: Job) -> str:
    with library.read() as tx:
        return jobs.get(tx, job.id).state
