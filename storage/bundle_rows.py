"""The rows of a bundle: what a project is made of, beside the bytes of its blobs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.engine import Connection

from storage import history, memory, projects, references, schema, states, takes, tree, typed
from storage.bundle_file import PARTS, BlobLine, Part, Reader
from storage.canonical import canonical, digest_of
from storage.errors import Refused
from storage.marks import TakeMark
from storage.migrations import upgrade
from storage.records import Branch, Entry, Json, Node, Project, ReflogRow, Take

FORMAT = "mnemoreel-bundle"
VERSION = 1
"""Raised by whatever an older reader would misunderstand."""

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a bundle says of itself; its digest covers every byte of the project."""

    format: str = FORMAT
    version: int = VERSION
    migration: str
    """Schema of the library that wrote it."""
    project: Project
    parts: dict[str, Any]
    """Digest, size and number of rows of every part, by name."""


@dataclass(frozen=True, kw_only=True)
class StoredNode(Node):
    """A node with the digest of its row."""

    row_digest: str


@dataclass(frozen=True, kw_only=True)
class ShotLine:
    """A shot that was ever in the project."""

    id: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """All rows of a project. Nodes come after their parents."""

    project: Project
    shots: tuple[ShotLine, ...] = ()
    nodes: tuple[StoredNode, ...] = ()
    branches: tuple[Branch, ...] = ()
    reflog: tuple[ReflogRow, ...] = ()
    """Oldest first, numbered from 1 within the project."""
    takes: tuple[Take, ...] = ()
    entries: tuple[Entry, ...] = ()
    marks: tuple[TakeMark, ...] = ()
    blobs: tuple[BlobLine, ...] = field(default=())


KINDS: dict[str, type] = {
    "shots": ShotLine,
    "nodes": StoredNode,
    "branches": Branch,
    "reflog": ReflogRow,
    "takes": Take,
    "entries": Entry,
    "marks": TakeMark,
    "blobs": BlobLine,
}
"""The record that a row of each part is."""


def collect(tx: Connection, project_id: str) -> Content:
    """Return all rows of a project, in an order that depends on nothing else."""
    project = dataclasses.replace(projects.get(tx, project_id), deleted_at=None)
    node = schema.node
    query = select(node).where(node.c.project_id == project_id).order_by(node.c.depth, node.c.id)
    found = [
        StoredNode(**vars(tree.record(row)), row_digest=row.row_digest) for row in tx.execute(query)
    ]
    made = takes.of_project(tx, project_id)
    latents = sorted({t.latents_digest for t in made if t.latents_digest})
    entries = [entry for digest in latents for entry in memory.for_latents(tx, digest)]
    shots = select(schema.shot.c.id).where(schema.shot.c.project_id == project_id)
    moves = reversed(history.reflog(tx, project_id, limit=None))
    mark, take, shot = schema.take_mark, schema.take, schema.shot
    of_project = (
        select(mark)
        .join(take, take.c.id == mark.c.take_id)
        .join(shot, shot.c.id == take.c.shot_id)
        .where(shot.c.project_id == project_id)
    )
    marked = [TakeMark(**row._mapping) for row in tx.execute(of_project.order_by(mark.c.take_id))]
    return Content(
        project=project,
        shots=tuple(ShotLine(id=i) for i in sorted(tx.execute(shots).scalars())),
        nodes=tuple(found),
        branches=tuple(sorted(history.branches(tx, project_id), key=lambda b: b.name)),
        reflog=tuple(dataclasses.replace(m, seq=n) for n, m in enumerate(moves, start=1)),
        takes=tuple(sorted(made, key=lambda t: (t.shot_id, t.number))),
        entries=tuple(sorted(entries, key=lambda e: e.key)),
        marks=tuple(marked),
        blobs=tuple(_blobs(tx, found, made, entries)),
    )


def lines(content: Content, name: str) -> Iterator[bytes]:
    """Yield the rows of one part as canonical JSON."""
    for row in getattr(content, name):
        yield canonical(dataclasses.asdict(row))


def manifest(content: Content, parts: dict[str, Part]) -> Manifest:
    """Return what a bundle with these parts says of itself."""
    told = {name: dataclasses.asdict(part) for name, part in parts.items()}
    return Manifest(migration=upgrade.newest(), project=content.project, parts=told)


def read_manifest(data: bytes) -> tuple[Manifest, dict[str, Part]]:
    """Return the manifest and its parts.

    Raises:
        Refused: not a bundle, or of a newer version of the program.
    """
    value = typed.parse(data)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise Refused(f"The file does not say that it is a {FORMAT}.")
    if not isinstance(value.get("version"), int) or value["version"] > VERSION:
        raise Refused(
            f"A bundle of version {str(value.get('version'))[:20]}; this program reads up to "
            f"{VERSION}. Install the version that wrote it."
        )
    found = typed.record(Manifest, value)
    upgrade.require_known(found.migration)
    if set(found.parts) != set(PARTS):
        raise Refused(f"Parts {sorted(found.parts)[:20]}. Expected {sorted(PARTS)}.")
    return found, {name: typed.record(Part, found.parts[name]) for name in PARTS}


def read(reader: Reader) -> Content:
    """Return every row of a bundle; raises `Refused` at the first that is not as it should be."""
    found, parts = read_manifest(reader.manifest())
    rows = {name: _records(reader, name, parts[name]) for name in PARTS}
    return Content(project=found.project, **rows)


def _records(reader: Reader, name: str, part: Part) -> Any:
    kind = KINDS[name]
    return tuple(typed.record(kind, typed.parse(line)) for line in reader.lines(name, part))


def _blobs(
    tx: Connection, nodes: Iterable[Node], made: Iterable[Take], entries: Iterable[Entry]
) -> Iterator[BlobLine]:
    digests = {node.state_digest for node in nodes}
    for state in sorted(digests):
        digests.update(states.pieces_of(references.read(tx, state)))
    for take in made:
        digests |= {take.media_digest, take.strip_digest}
        digests |= {take.latents_digest} if take.latents_digest else set()
    digests |= {entry.blob_digest for entry in entries}
    for digest in sorted(digests):
        row = references.find(tx, digest)
        if row is None:
            raise Refused(f"Blob {digest} has no row. Run check: the project is damaged.")
        yield BlobLine(
            digest=digest,
            size=row.size,
            media_type=row.media_type,
            inline=row.inline is not None,
        )


def renamed(content: Content, new_id: Callable[[], str]) -> tuple[Content, dict[str, str]]:
    """Return the rows under ids of their own, and the new id of each old one.

    Digests that depend on ids are left as they were: whoever stores the rows makes them anew.
    """
    old = [content.project.id, *(row.id for row in content.shots)]
    old += [row.id for row in content.nodes] + [row.id for row in content.takes]
    ids = {i: new_id() for i in old}

    def each(kind: type[_T], rows: Iterable[Any]) -> tuple[_T, ...]:
        return tuple(typed.record(kind, with_ids(_json(row), ids)) for row in rows)

    moved = Content(
        project=dataclasses.replace(content.project, id=ids[content.project.id]),
        shots=each(ShotLine, content.shots),
        nodes=each(StoredNode, content.nodes),
        branches=each(Branch, content.branches),
        reflog=each(ReflogRow, content.reflog),
        takes=tuple(map(_with_spec_digest, content.takes, each(Take, content.takes))),
        entries=content.entries,
        marks=each(TakeMark, content.marks),
        blobs=content.blobs,
    )
    return moved, ids


def with_ids(value: Any, ids: dict[str, str]) -> Any:
    """Return a JSON value in which every text that is an old id is the new one."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, list):
        return [with_ids(item, ids) for item in value]
    if isinstance(value, dict):
        return {ids.get(key, key): with_ids(item, ids) for key, item in value.items()}
    return value


def _with_spec_digest(before: Take, after: Take) -> Take:
    # What a take is found by; one that was not made from its spec keeps what it has.
    if before.spec_digest != digest_of(before.spec):
        return after
    return dataclasses.replace(after, spec_digest=digest_of(after.spec))


def _json(row: Any) -> Json:
    value: Json = json.loads(canonical(dataclasses.asdict(row)))
    return value
