"""The rows about blobs: which exist, which are pinned, and which are named by anything at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    String,
    bindparam,
    delete,
    insert,
    literal,
    select,
    union,
)
from sqlalchemy.engine import Connection

from storage import schema
from storage.blobs import BlobStore
from storage.database import blobs_of, now
from storage.errors import BlobCorrupt, BlobMissing
from storage.records import FINISHED_STATES, BlobRow

INLINE_BYTES = 64 * 1024
"""Largest blob that is kept in the database rather than in a file."""

_blob, _pin = schema.blob, schema.blob_pin
# Made once: to build a statement costs several times what it costs to run it.
_digest: BindParameter[str] = bindparam("digest_")
_digests: BindParameter[list[str]] = bindparam("digests", expanding=True)
_EXISTS = select(literal(1)).where(_blob.c.digest == _digest)
_ONE = select(_blob.c.digest, _blob.c.inline).where(_blob.c.digest == _digest)
_SOME = select(_blob.c.digest, _blob.c.inline).where(_blob.c.digest.in_(_digests))
_KNOWN = select(_blob.c.digest).where(_blob.c.digest.in_(_digests))
_INSERT = insert(_blob)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def add(
    tx: Connection, digest: str, size: int, media_type: str, inline: bytes | None = None
) -> None:
    """Store the row of a blob whose bytes are durable already. Known blobs are left as they are.

    Args:
        tx: an open write transaction.
        digest: SHA-256 of the bytes.
        size: how many bytes that is.
        media_type: such as video/mp4.
        inline: the bytes, to keep them in the row. None = they are in a file of the store.

    Raises:
        BlobMissing: no such file.
        BlobCorrupt: its bytes do not have that size or digest.
    """
    if inline is None:
        _require_sound(blobs_of(tx), digest, size)
    elif len(inline) != size or hashlib.sha256(inline).hexdigest() != digest:
        raise BlobCorrupt(f"{len(inline)} inline bytes do not have size {size}, digest {digest}.")
    if not exists(tx, digest):
        row = {"digest": digest, "size": size, "media_type": media_type, "inline": inline}
        tx.execute(_INSERT, {**row, "created_at": now(tx)})


def put(tx: Connection, data: bytes, media_type: str) -> str:
    """Store small bytes in the row, larger ones in a file; return the digest."""
    if len(data) <= INLINE_BYTES:
        digest = hashlib.sha256(data).hexdigest()
        add(tx, digest, len(data), media_type, inline=data)
        return digest
    # Needs no pin: collection waits for the end of this very transaction.
    stored = blobs_of(tx).put(data)
    add(tx, stored.digest, stored.size, media_type)
    return stored.digest


def read(tx: Connection, digest: str) -> bytes:
    """Return the bytes of a blob, wherever they are kept.

    Raises:
        BlobMissing: no row, or no file.
        BlobCorrupt: the bytes do not have that digest.
    """
    return read_all(tx, [digest])[0]


def read_all(tx: Connection, digests: Sequence[str]) -> list[bytes]:
    """Return the bytes of several blobs, in one question to the database; raises as `read` does."""
    wanted = list(dict.fromkeys(digests))
    if len(wanted) == 1:
        rows = tx.execute(_ONE, {"digest_": wanted[0]})
    else:
        rows = tx.execute(_SOME, {"digests": wanted})
    inline: dict[str, bytes | None] = {row.digest: row.inline for row in rows.all()}
    found = []
    for digest in digests:
        if digest not in inline:
            raise BlobMissing(f"No blob {digest} is known. It was removed, or never stored.")
        data = inline[digest]
        if data is None:
            found.append(blobs_of(tx).read(digest))
        elif hashlib.sha256(data).hexdigest() != digest:
            raise BlobCorrupt(f"The inline bytes of blob {digest} changed. Restore a backup.")
        else:
            found.append(data)
    return found


def find(tx: Connection, digest: str) -> BlobRow | None:
    """Return the row of a blob, or None."""
    row = tx.execute(select(_blob).where(_blob.c.digest == digest)).one_or_none()
    return None if row is None else BlobRow(**row._mapping)


def exists(tx: Connection, digest: str) -> bool:
    """Return whether the blob has a row."""
    return tx.execute(_EXISTS, {"digest_": digest}).one_or_none() is not None


def known(tx: Connection, digests: Iterable[str]) -> set[str]:
    """Return which of these blobs have a row."""
    return set(tx.execute(_KNOWN, {"digests": list(dict.fromkeys(digests))}).scalars().all())


def media_type(tx: Connection, digest: str) -> str:
    """Return the media type of a blob, or raise `BlobMissing`."""
    query = select(_blob.c.media_type).where(_blob.c.digest == digest)
    found = tx.execute(query).scalar_one_or_none()
    if found is None:
        raise BlobMissing(f"No blob {digest[:80]!r} is known. It was removed, or never stored.")
    return str(found)


def pin(tx: Connection, digest: str, owner: str) -> None:
    """Keep collection away from a blob that has no row yet, in the name of `owner` (a job)."""
    known = select(literal(1)).where(_pin.c.digest == digest, _pin.c.owner == owner)
    if tx.execute(known).one_or_none() is None:
        tx.execute(insert(_pin).values(digest=digest, owner=owner, created_at=now(tx)))


def unpin(tx: Connection, owner: str, digest: str | None = None) -> None:
    """Remove every pin of `owner`, or that of one blob: it has a row now, or nobody wants it."""
    query = delete(_pin).where(_pin.c.owner == owner)
    tx.execute(query if digest is None else query.where(_pin.c.digest == digest))


def pinned(tx: Connection) -> set[str]:
    """Return the digests that are pinned."""
    return set(tx.execute(select(_pin.c.digest)).scalars())


@contextlib.contextmanager
def removing(tx: Connection) -> Iterator[None]:
    """Let rows that otherwise never change be removed within the block."""
    meta = schema.schema_meta
    tx.execute(insert(meta).values(key="collecting", value=str(now(tx))))
    yield
    tx.execute(delete(meta).where(meta.c.key == "collecting"))


def reachable(tx: Connection) -> set[str]:
    """Return every digest that a row, a pin, a setting or an unfinished job's spec names."""
    found = {str(digest) for digest in tx.execute(_named()).scalars()}
    job = schema.job
    waiting = select(job.c.spec_json).where(job.c.state.not_in(FINISHED_STATES))
    for spec in tx.execute(waiting).scalars():
        found.update(_digests_in(json.loads(spec)))
    for value in tx.execute(select(schema.setting.c.value_json)).scalars():
        found.update(_digests_in(json.loads(value)))
    return found


def unreferenced(tx: Connection) -> list[BlobRow]:
    """Return the rows of blobs that nothing names, oldest first, without their inline bytes."""
    named = reachable(tx)
    columns = (_blob.c.digest, _blob.c.size, _blob.c.media_type, _blob.c.created_at)
    rows = tx.execute(select(*columns).order_by(_blob.c.created_at, _blob.c.digest))
    return [BlobRow(inline=None, **row._mapping) for row in rows if row.digest not in named]


def _named() -> CompoundSelect[tuple[str]]:
    take, entry = schema.take, schema.memory_entry
    columns = (
        schema.node.c.state_digest,
        take.c.media_digest,
        take.c.latents_digest,
        take.c.strip_digest,
        entry.c.latents_digest,
        entry.c.blob_digest,
        schema.export.c.media_digest,
        _pin.c.digest,
    )
    node, piece = schema.node, schema.state_piece
    pieces = select(piece.c.piece_digest.cast(String)).join(
        node, node.c.state_digest == piece.c.state_digest
    )
    return union(*(select(c.cast(String)).where(c.is_not(None)) for c in columns), pieces)


def _digests_in(value: object) -> set[str]:
    if isinstance(value, str):
        return {value} if _DIGEST.fullmatch(value) else set()
    if isinstance(value, dict):
        value = list(value.values())
    found: set[str] = set()
    for item in value if isinstance(value, list) else ():
        found |= _digests_in(item)
    return found


def _require_sound(store: BlobStore, digest: str, size: int) -> None:
    actual = store.size(digest)
    if actual != size:
        raise BlobCorrupt(f"Blob {digest} has {actual} bytes in the store. Expected {size}.")
    store.open(digest).close()
