"""The victim: works on a library as a server does, and says what is committed only once it is."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from storage import history, jobs, projects, tree
from storage.canonical import digest_of, new_id
from storage.database import Library
from storage.errors import StorageError
from storage.records import Cut, Entry, Job, Json, Project, Shot, Take

SHOT = "shot-1"
_REFUSALS = (StorageError, DatabaseError, OSError)
Say = Callable[[Json], None]


def prepare(folder: Path) -> str:
    """Make a library with a project of one shot and return the project's id."""
    with Library.open(folder) as library, library.write() as tx:
        project = projects.create(tx, "Torture", (24, 1), 96, 64)
        branch, cut = history.head(tx, project.id)
        first = Shot(shot_id=SHOT, prompt="rain", num_frames=9, in_=0, out=9, take_id=None)
        history.append(
            tx,
            project_id=project.id,
            branch="main",
            expected_rev=branch.rev,
            op_kind="insert",
            op={"kind": "insert"},
            label="Add a shot",
            cut=dataclasses.replace(cut, shots=(first,)),
        )
        return project.id


def work(folder: Path, seed: int, say: Say, *, count: int) -> None:
    """Edit, travel and finish jobs `count` times; refused work is said too and not tried again."""
    chosen = random.Random(seed)
    with Library.open(folder) as library:
        with library.write() as tx:
            (project,) = projects.list_all(tx)
            jobs.requeue_lost(tx, lambda _worker: False)
        for number in range(count):
            act = chosen.choice((edit, edit, travel, render))
            try:
                say(act(library, project, f"{seed}.{number}"))
            except _REFUSALS as error:
                say(refusal(error))


def refusal(error: Exception) -> Json:
    """Return what is said of work that was refused."""
    return {"refused": f"{type(error).__name__}: {error}"[:300]}


def edit(library: Library, project: Project, name: str) -> Json:
    """Change the prompt and return what was committed."""
    with library.write() as tx:
        branch, cut = history.head(tx, project.id)
        shot = dataclasses.replace(cut.shots[0], prompt=f"rain {name}")
        node = history.append(
            tx,
            project_id=project.id,
            branch="main",
            expected_rev=branch.rev,
            op_kind="set",
            op={"kind": "set", "name": name},
            label=f"Edit {name}",
            cut=dataclasses.replace(cut, shots=(shot, *cut.shots[1:])),
        )
    return {"node": node.id, "state": node.state_digest, "rev": branch.rev + 1}


def travel(library: Library, project: Project, name: str) -> Json:
    """Undo, redo or rewind and return the revision that it led to."""
    chosen = random.Random(name)
    with library.write() as tx:
        kind = chosen.choice(("undo", "redo", "rewind"))
        if kind == "undo" and _is_above_first_shot(tx, project):
            history.undo(tx, project.id)
        elif kind == "redo" and history.can_redo(tx, project.id):
            history.redo(tx, project.id)
        else:
            nodes = [node for node in history.nodes(tx, project.id) if node.parent_id]
            history.rewind(tx, project.id, "main", chosen.choice(nodes).id)
        branch, _ = history.head(tx, project.id)
    return {"rev": branch.rev}


def _is_above_first_shot(tx: Connection, project: Project) -> bool:
    branch, _ = history.head(tx, project.id)
    return tree.get(tx, branch.head_node).depth > 1


def render(library: Library, project: Project, name: str) -> Json:
    """Queue a job, store the blobs of a take and finish it; return the take."""
    with library.write() as tx:
        jobs.add(tx, kind="generate", project_id=project.id, shot_id=SHOT, spec={"name": name})
        job = jobs.claim(tx, "torture", {"generate"})
    assert job is not None
    blobs = put_blobs(library, name)
    return finish(library, job, blobs)


def put_blobs(library: Library, name: str) -> list[jobs.Blob]:
    """Store media, latents, strip and entry whose bytes are made from `name`."""
    stored = []
    for piece in ("media", "latents", "strip", "entry"):
        blob = library.blobs.put(random.Random(f"{piece}{name}").randbytes(3000))
        stored.append((blob.digest, blob.size, "application/octet-stream"))
    return stored


def finish(library: Library, job: Job, blobs: list[jobs.Blob]) -> Json:
    """Commit a claimed job with one take of `blobs` and return the take."""
    take = take_of(job, blobs)

    def pick(cut: Cut) -> tuple[Cut, str]:
        shots = [
            dataclasses.replace(s, take_id=take.id) if s.shot_id == SHOT else s for s in cut.shots
        ]
        return dataclasses.replace(cut, shots=tuple(shots)), "New take"

    with library.write() as tx:
        done = jobs.finish_with_takes(
            tx,
            job=job,
            fence=job.fence,
            takes=[take],
            entries=[_entry(blobs)],
            blobs=blobs,
            pick=pick,
        )
    (made,) = done.takes
    return {"take": made.id, "media": made.media_digest, "row": made.row_digest}


def take_of(job: Job, blobs: list[jobs.Blob]) -> Take:
    """Return a take of the job's shot."""
    return Take(
        id=new_id(),
        shot_id=SHOT,
        spec=job.spec,
        spec_digest=digest_of(job.spec),
        media_digest=blobs[0][0],
        latents_digest=blobs[1][0],
        strip_digest=blobs[2][0],
        strip_tiles=8,
        num_frames=9,
        rate=(24, 1),
        width=96,
        height=64,
        seed=7,
        engine_version="torture",
        memory_tokens=0,
        sources=(),
        seconds={},
    )


def _entry(blobs: list[jobs.Blob]) -> Entry:
    return Entry(
        key=digest_of(["torture", blobs[1][0]]),
        system="torture",
        fingerprint="torture",
        scope="take",
        latents_digest=blobs[1][0],
        blob_digest=blobs[3][0],
        num_tokens=1,
        num_bytes=blobs[3][1],
    )
