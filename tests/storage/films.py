"""Films for bundles: projects whose blobs are what they say they are, and bundles that lie."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import history, jobs, marks, references
from storage.bundle import import_bundle
from storage.bundle_file import Limits
from storage.canonical import canonical, new_id
from storage.database import Library
from storage.errors import StorageError
from storage.records import Job, Project, Take
from tests.fixtures.make_library import content as database_content
from tests.storage import scene

MP4 = b"\x00\x00\x00\x18ftypisom"
JPEG = b"\xff\xd8\xff\xe0"
TENSORS = struct.pack("<Q", 2) + b"{}"

Members = dict[str, bytes]
Change = Callable[[Members], None]


def blobs_for(library: Library, name: str) -> tuple[jobs.Blob, ...]:
    """Put media, latents, strip and entry files with the first bytes of their types."""
    kinds = (
        ("video/mp4", MP4),
        ("application/x-safetensors", TENSORS + b"latents"),
        ("image/jpeg", JPEG),
        ("application/x-safetensors", TENSORS + b"entry"),
    )
    return tuple(_put(library, head + name.encode() * 40, kind) for kind, head in kinds)


def _put(library: Library, data: bytes, media_type: str) -> jobs.Blob:
    stored = library.blobs.put(data)
    return stored.digest, stored.size, media_type


def finish(library: Library, job: Job, name: str) -> Take:
    assert job.shot_id is not None
    media, latents, strip, entry = blobs_for(library, name)
    made = scene.take(job.shot_id, (media, latents, strip, entry))
    with library.write() as tx:
        done = jobs.finish_with_takes(
            tx,
            job=job,
            fence=job.fence,
            takes=[made],
            entries=[scene.entry((media, latents, strip, entry))],
            blobs=(media, latents, strip, entry),
            pick=scene.pick_everything([made]),
        )
    return done.takes[0]


def make(library: Library, name: str = "Rain", num_takes: int = 2) -> Project:
    """Make a project with takes, a rating, a rewind and a branch."""
    project = scene.make_project(library, name)
    shots = [new_id() for _ in range(2)]
    scene.add_shots(library, project, *shots)
    made = []
    for number in range(num_takes):
        scene.queue(library, project, shots[number % 2])
        made.append(finish(library, scene.claim(library), f"{name} {number}"))
    with library.write() as tx:
        for take in made[:1]:
            marks.rate(tx, take.id, 5)
        history.undo(tx, project.id)
        _, cut = history.head(tx, project.id)
        scene.append(tx, project, scene.with_shots(cut, *cut.shots[:1]), "Delete Shot 2")
        root = history.nodes(tx, project.id)[0]
        history.create_branch(tx, project.id, "from the start", root.id)
    return project


def make_long(library: Library, num_shots: int) -> Project:
    """Make a project whose cut is kept in pieces."""
    project = scene.make_project(library, "Long")
    scene.add_shots(library, project, *(new_id() for _ in range(num_shots)))
    return project


def content(library: Library, project_id: str) -> dict[str, Any]:
    """Return what a project says, with the bytes of every blob it names."""
    from storage import bundle_rows

    with library.read() as tx:
        found = bundle_rows.collect(tx, project_id)
        blobs = {line.digest: references.read(tx, line.digest) for line in found.blobs}
    return dataclasses.asdict(found) | {"bytes": blobs}


def members(path: Path) -> Members:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def write(path: Path, found: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in found.items():
            file.writestr(name, data)
    return path


def rows(found: Members, part: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found[f"{part}.jsonl"].splitlines()]


def replace_rows(found: Members, part: str, changed: list[dict[str, Any]]) -> None:
    """Put other rows into a bundle and make its manifest agree with them."""
    data = b"".join(canonical(row) + b"\n" for row in changed)
    found[f"{part}.jsonl"] = data
    manifest = json.loads(found["manifest.json"])
    manifest["parts"][part] = {
        "digest": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "rows": len(changed),
    }
    found["manifest.json"] = canonical(manifest)


def change_manifest(found: Members, **changes: Any) -> None:
    found["manifest.json"] = canonical(json.loads(found["manifest.json"]) | changes)


def refuse(victim: Library, path: Path, limits: Limits | None = None) -> str:
    """Import, expect a refusal and a library without a trace of it; return the words."""
    before = database_content(victim.folder / "library.sqlite3")
    files = list(victim.blobs.list())
    with pytest.raises(StorageError) as caught:
        import_bundle(victim, path, limits)
    after = database_content(victim.folder / "library.sqlite3")
    assert after == before
    assert list(victim.blobs.list()) == files
    assert list((victim.blobs.root / "tmp").iterdir()) == []
    assert len(str(caught.value)) < 1000
    return str(caught.value)
