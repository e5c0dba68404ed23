"""Memory entries: what each take left in a memory system, found by key, never changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from storage import references, schema
from storage.canonical import digest_of
from storage.database import blobs_of
from storage.records import Entry

_entry = schema.memory_entry


def add(tx: Connection, entry: Entry) -> Entry:
    """Store an entry and return what is stored under its key.

    What is stored already wins, because a computation repeated elsewhere need not be bit-equal.
    Only an entry whose blob is lost gives way to the one that was computed again.
    """
    stored = get(tx, entry.key)
    if stored is not None:
        if blobs_of(tx).exists(stored.blob_digest):
            return stored
        with references.removing(tx):
            tx.execute(delete(_entry).where(_entry.c.key == entry.key))
    entry = dataclasses.replace(entry, row_digest=row_digest(entry))
    tx.execute(insert(_entry).values(**dataclasses.asdict(entry)))
    return entry


def get(tx: Connection, key: str) -> Entry | None:
    """Return the entry with that key. None = still to be computed."""
    return find(tx, [key]).get(key)


def find(tx: Connection, keys: Iterable[str]) -> dict[str, Entry]:
    """Return the entries that exist among `keys`."""
    rows = tx.execute(select(_entry).where(_entry.c.key.in_(set(keys))))
    return {row.key: Entry(**row._mapping) for row in rows}


def for_latents(tx: Connection, latents_digest: str) -> list[Entry]:
    """Return every entry these latents left, in any system and any chain."""
    query = select(_entry).where(_entry.c.latents_digest == latents_digest)
    return [Entry(**row._mapping) for row in tx.execute(query.order_by(_entry.c.key))]


def row_digest(entry: Entry) -> str:
    """Return the digest over everything the entry's row says."""
    values = dataclasses.asdict(entry)
    del values["row_digest"]
    return digest_of(values)
