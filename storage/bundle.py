"""A project in one file, `.mnemoreel`: written complete, read back only if every digest fits.

An import verifies the whole file before it stores anything, then stores the blobs under a pin and
all rows in one transaction. A project that the library has already comes back under new ids.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from storage import (
    backup,
    bundle_rows,
    bundle_rules,
    events,
    history,
    memory,
    references,
    schema,
    states,
    takes,
    tree,
)
from storage.blobs import disk_full, is_full
from storage.bundle_file import PARTS, BlobLine, Limits, Reader, Writer
from storage.bundle_rows import Content, StoredNode
from storage.canonical import canonical, new_id
from storage.database import Library
from storage.errors import NotFound, Refused, StorageError
from storage.records import Project, cut_from_json, cut_to_json

SUFFIX = ".mnemoreel"
"""How a bundle's name ends."""

_SPARE_BYTES = 64 << 20
_NAME_LENGTH = 200
_COPY = " (imported)"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What was written or read."""

    project_id: str
    """In the library that did it."""
    name: str
    digest: str
    """Of the manifest, which covers every byte of the project."""
    num_nodes: int
    num_takes: int
    num_blobs: int
    num_bytes: int
    """Bytes of all blobs."""
    is_copy: bool = False
    """Whether an import made a second project, because the library had this one."""


def export_project(library: Library, project_id: str, path: Path) -> Bundle:
    """Write a project to `path`, complete or not at all; media stream through, a piece at a time.

    Raises:
        NotFound: no such project.
        BlobMissing, BlobCorrupt: the project is damaged; `check` says what to do.
        DiskFull: no room.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise NotFound(f"There is no folder {path.parent}. Make it, or choose another one.")
    aside = path.with_name(path.name + ".part")
    needed = _SPARE_BYTES
    try:
        with library.read() as tx, aside.open("wb") as file, Writer(file) as writer:
            content = bundle_rows.collect(tx, project_id)
            needed = sum(line.size for line in content.blobs)
            parts = {name: writer.part(name, bundle_rows.lines(content, name)) for name in PARTS}
            for line in content.blobs:
                _write_blob(tx, library, writer, line)
            manifest = canonical(dataclasses.asdict(bundle_rows.manifest(content, parts)))
            writer.finish(manifest)
        backup.publish(aside, path)
    except OSError as error:
        if is_full(error):
            raise disk_full(path.parent, needed) from error
        raise
    finally:
        aside.unlink(missing_ok=True)
    return _told(content, manifest)


def import_bundle(library: Library, path: Path, limits: Limits | None = None) -> Bundle:
    """Store the project of a bundle and return what came.

    Raises:
        Refused: the file is not exactly what this program writes; nothing was stored.
        LibraryTooNew: a newer version of the program wrote it.
        DiskFull: no room; nothing was stored.
    """
    with Reader(Path(path), limits or Limits()) as reader:
        content = bundle_rows.read(reader)
        bundle_rules.require(content, reader)
        for line in content.blobs:
            reader.verify(line)
        with library.read() as tx:
            if not _has_any(tx, schema.project, [content.project.id]):
                _require_unused(tx, content)
        _require_room(library, content)
        told = _told(content, reader.manifest())
        owner = new_id()
        try:
            _store_files(library, reader, content, owner)
            with library.write() as tx:
                project = _store_rows(tx, reader, content)
                references.unpin(tx, owner)
        except BaseException:
            with contextlib.suppress(StorageError, DatabaseError), library.write() as tx:
                references.unpin(tx, owner)
            raise
    return dataclasses.replace(
        told,
        project_id=project.id,
        name=project.name,
        is_copy=project.id != content.project.id,
    )


def _write_blob(tx: Connection, library: Library, writer: Writer, line: BlobLine) -> None:
    if line.inline:
        writer.blob(line, io.BytesIO(references.read(tx, line.digest)))
        return
    with library.blobs.open(line.digest) as stream:
        writer.blob(line, stream)


def _store_files(library: Library, reader: Reader, content: Content, owner: str) -> None:
    for line in content.blobs:
        if line.inline:
            continue

        def pin(digest: str, line: BlobLine = line) -> None:
            if digest != line.digest:  # the file changed since it was verified
                raise Refused(f"Blob {line.digest} changed while it was read. Try again.")
            with library.write() as tx:
                references.pin(tx, digest, owner)

        with reader.stream(line.digest) as stream:
            library.blobs.put(stream, pin)
        # Hashed here, so that the write transaction need not.
        library.blobs.open(line.digest).close()


def _store_rows(tx: Connection, reader: Reader, content: Content) -> Project:
    """Store all rows, under new ids if the library has the project already."""
    is_copy = _has_any(tx, schema.project, [content.project.id])
    if is_copy:
        content = _copied(tx, reader, content)
    else:
        _require_unused(tx, content)
        for line in content.blobs:
            inline = reader.read(line) if line.inline else None
            references.add(tx, line.digest, line.size, line.media_type, inline)
        _store_pieces(tx, reader, content)
    project = content.project
    columns = {k: v for k, v in vars(project).items() if k not in ("rate", "settings")}
    numerator, denominator = project.rate
    tx.execute(
        insert(schema.project).values(
            rate_numerator=numerator,
            rate_denominator=denominator,
            settings_json=canonical(project.settings).decode(),
            **columns,
        )
    )
    history.ensure_shots(tx, project.id, (row.id for row in content.shots))
    tree.store(tx, content.nodes)
    for take in content.takes:
        takes.add(tx, take)
    for entry in content.entries:
        memory.add(tx, entry)
    _store_all(tx, schema.take_mark, [vars(mark) for mark in content.marks])
    _store_all(tx, schema.branch, [vars(branch) for branch in content.branches])
    moves = [{k: v for k, v in vars(m).items() if k != "seq"} for m in content.reflog]
    _store_all(tx, schema.reflog, moves)
    events.add(tx, kind="imported", payload={"name": project.name}, project_id=project.id)
    return project


def _copied(tx: Connection, reader: Reader, content: Content) -> Content:
    """Return the rows under new ids, with the states and chains that follow from those."""
    moved, ids = bundle_rows.renamed(content, new_id)
    is_state = (states.STATE_MEDIA_TYPE, states.PIECE_MEDIA_TYPE)
    for line in content.blobs:
        if line.media_type not in is_state:
            inline = reader.read(line) if line.inline else None
            references.add(tx, line.digest, line.size, line.media_type, inline)
    renewed: dict[str, str] = {}
    for digest in sorted({node.state_digest for node in content.nodes}):
        cut = bundle_rules.read_state(content, reader, digest)
        under_new_ids = bundle_rows.with_ids(cut_to_json(cut), ids)
        renewed[digest] = states.put(tx, cut_from_json(under_new_ids))
    chains: dict[str | None, str] = {None: ""}
    nodes: list[StoredNode] = []
    for node in moved.nodes:
        state = renewed[node.state_digest]
        chain = tree.chain_digest(chains[node.parent_id], node.project_id, node.op, state)
        chains[node.id] = chain
        nodes.append(dataclasses.replace(node, state_digest=state, chain_digest=chain))
    name = moved.project.name[: _NAME_LENGTH - len(_COPY)].removesuffix(_COPY) + _COPY
    return dataclasses.replace(
        moved, nodes=tuple(nodes), project=dataclasses.replace(moved.project, name=name)
    )


def _store_pieces(tx: Connection, reader: Reader, content: Content) -> None:
    lines = {line.digest: line for line in content.blobs}
    for digest in {node.state_digest for node in content.nodes}:
        states.add_pieces(tx, digest, states.pieces_of(reader.read(lines[digest])))


def _require_unused(tx: Connection, content: Content) -> None:
    parts: tuple[tuple[str, Table, list[str]], ...] = (
        ("node", schema.node, [row.id for row in content.nodes]),
        ("shot", schema.shot, [row.id for row in content.shots]),
        ("take", schema.take, [row.id for row in content.takes]),
    )
    for name, table, ids in parts:
        if _has_any(tx, table, ids):
            raise Refused(f"A {name} of the bundle has the id of one in another project.")


def _has_any(tx: Connection, table: Table, ids: list[str]) -> bool:
    step = 500  # databases take so many values in one statement, not any number
    return any(
        tx.execute(select(table.c.id).where(table.c.id.in_(ids[at : at + step])).limit(1)).first()
        for at in range(0, len(ids), step)
    )


def _store_all(tx: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    if rows:
        tx.execute(insert(table), rows)


def _require_room(library: Library, content: Content) -> None:
    needed = sum(line.size for line in content.blobs) + _SPARE_BYTES
    if shutil.disk_usage(library.folder).free < needed:
        raise disk_full(library.folder, needed)


def _told(content: Content, manifest: bytes) -> Bundle:
    return Bundle(
        project_id=content.project.id,
        name=content.project.name,
        digest=hashlib.sha256(manifest).hexdigest(),
        num_nodes=len(content.nodes),
        num_takes=len(content.takes),
        num_blobs=len(content.blobs),
        num_bytes=sum(line.size for line in content.blobs),
    )
