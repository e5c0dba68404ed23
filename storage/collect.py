"""Collection: blobs that nothing names any more go to the trash, and from there away.

Fail closed: an unreadable state stops it before anything is removed. Rows go before files, and
files move only while no transaction can be writing, so no reference ever dangles.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from storage import history, references, schema
from storage.database import Library, now

GRACE_MICROSECONDS = 14 * 86_400_000_000
"""Age below which nothing is collected: longer than any job runs."""
TRASH_MICROSECONDS = 7 * 86_400_000_000
"""How long a removed file can still be put back by hand."""

_TRASH = "trash"


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What a collection removed, or with a dry run what it would remove."""

    digests: tuple[str, ...]
    num_bytes: int
    """Bytes of those blobs."""
    num_purged: int
    """Files that left the trash for good."""


def collect(
    library: Library, *, dry_run: bool = True, grace: int = GRACE_MICROSECONDS
) -> Collected:
    """Remove the blobs that no node, take, entry, export, pin or unfinished job names.

    Args:
        library: where from; this process must be the one that holds it.
        dry_run: only say what would go.
        grace: microseconds that a blob must be old.

    Raises:
        BlobMissing, BlobCorrupt: a state cannot be read, so nothing is known to be garbage.
    """
    with library.read() as tx:
        _require_readable(tx)
        wanted = dict(_candidates(tx, library, grace))
    if dry_run:
        return Collected(
            digests=tuple(sorted(wanted)), num_bytes=sum(wanted.values()), num_purged=0
        )
    with library.write() as tx:
        # Again, now that nobody else can write: a take may have come back in between.
        gone = {d: n for d, n in _candidates(tx, library, grace) if d in wanted}
        for digest in gone:
            piece = schema.state_piece
            tx.execute(delete(piece).where(piece.c.state_digest == digest))
        for digest in gone:
            tx.execute(delete(schema.blob).where(schema.blob.c.digest == digest))
    _move_to_trash(library, set(gone))
    return Collected(
        digests=tuple(sorted(gone)),
        num_bytes=sum(gone.values()),
        num_purged=_purge_trash(library),
    )


def _candidates(tx: Connection, library: Library, grace: int) -> Iterator[tuple[str, int]]:
    before = now(tx) - grace
    for row in references.unreferenced(tx):
        if row.created_at <= before:
            yield row.digest, row.size
    named = references.reachable(tx)
    known = set(tx.execute(select(schema.blob.c.digest)).scalars())
    for digest in library.blobs.list():
        # Files without a row: left by a run that never finished.
        if digest not in known and digest not in named:
            status = library.blobs.path(digest).stat()
            if status.st_mtime_ns // 1000 <= before:
                yield digest, status.st_size


def _require_readable(tx: Connection) -> None:
    for node_id in tx.execute(select(schema.node.c.id)).scalars().all():
        history.cut_at(tx, node_id)


def _move_to_trash(library: Library, digests: set[str]) -> None:
    trash = _trash_of(library)
    with library.write() as tx:
        # Whoever stored one of them again since then has pinned it or given it a row.
        digests = digests - references.pinned(tx)
        for digest in sorted(digests):
            path = library.blobs.path(digest)
            if path.exists() and not references.exists(tx, digest):
                moved = trash / digest
                path.replace(moved)
                os.utime(moved, ns=(now(tx) * 1000, now(tx) * 1000))


def _purge_trash(library: Library) -> int:
    with library.read() as tx:
        before = now(tx) - TRASH_MICROSECONDS
    count = 0
    for path in _trash_of(library).iterdir():
        if path.stat().st_mtime_ns // 1000 <= before:
            path.unlink()
            count += 1
    return count


def _trash_of(library: Library) -> Path:
    trash = library.blobs.root / _TRASH
    trash.mkdir(exist_ok=True)
    return trash
