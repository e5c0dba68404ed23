"""States: the complete cuts that nodes point to; long ones in pieces that successive cuts share.

An edit of one shot of 500 stores one piece of about 64 shots, not the whole cut. Where a piece
ends depends on the shots alone, so inserting a shot leaves the pieces after it as they were.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from storage import references, schema
from storage.canonical import canonical
from storage.errors import BlobCorrupt
from storage.records import Cut, Shot, cut_from_json, cut_to_json, shot_to_json

STATE_MEDIA_TYPE = "application/vnd.mnemoreel.cut+json"
"""Media type of the blobs that hold a cut."""
PIECE_MEDIA_TYPE = "application/vnd.mnemoreel.shots+json"
"""Media type of the blobs that hold some successive shots of a long cut."""
WHOLE_SHOTS = 200
"""Longest cut that is stored in one blob."""

_PIECE_SHOTS = 64
_LONGEST_PIECE = 128
_piece = schema.state_piece
_PIECES_OF = select(_piece.c.piece_digest).where(_piece.c.state_digest == bindparam("state"))
_INSERT = insert(_piece)


def put(tx: Connection, cut: Cut) -> str:
    """Store a cut and return the digest of its state, the same for equal cuts."""
    if len(cut.shots) <= WHOLE_SHOTS:
        return references.put(tx, canonical(cut_to_json(cut)), STATE_MEDIA_TYPE)
    value = cut_to_json(dataclasses.replace(cut, shots=()))
    pieces = [_encoded(piece) for piece in _split(cut.shots)]
    digests = [digest for digest, _ in pieces]
    stored = references.known(tx, digests)
    for digest, data in pieces:
        if digest not in stored:
            references.put(tx, data, PIECE_MEDIA_TYPE)
    state = references.put(tx, canonical({**value, "pieces": digests}), STATE_MEDIA_TYPE)
    add_pieces(tx, state, digests)
    return state


def add_pieces(tx: Connection, state_digest: str, digests: Sequence[str]) -> None:
    """Store which pieces a state is made of, so that they stay as long as it does."""
    known = set(tx.execute(_PIECES_OF, {"state": state_digest}).scalars().all())
    rows = [
        {"state_digest": state_digest, "piece_digest": digest}
        for digest in dict.fromkeys(digests)
        if digest not in known
    ]
    if rows:
        tx.execute(_INSERT, rows)


def read(tx: Connection, digest: str) -> Cut:
    """Return the cut of a state.

    Raises:
        BlobMissing, BlobCorrupt: the state or one of its pieces is lost or damaged.
    """
    data = references.read(tx, digest)
    pieces = pieces_of(data)
    return _with_pieces(_decoded(data), references.read_all(tx, pieces) if pieces else ())


def pieces_of(data: bytes) -> list[str]:
    """Return the digests of the pieces that a state's bytes name. Empty = it is whole."""
    if b'"pieces":[' not in data:  # within a text the quotes would be escaped
        return []
    return [str(digest) for digest in json.loads(data).get("pieces", ())]


def assemble(data: bytes, pieces: Sequence[bytes]) -> Cut:
    """Return the cut of a state's bytes and those of its pieces, in order."""
    return _with_pieces(_decoded(data), pieces)


def _with_pieces(cut: Cut, pieces: Sequence[bytes]) -> Cut:
    if not pieces:
        return cut
    shots = tuple(shot for piece in pieces for shot in _decoded_piece(piece))
    return dataclasses.replace(cut, shots=shots)


def _split(shots: Sequence[Shot]) -> Iterator[tuple[Shot, ...]]:
    piece: list[Shot] = []
    for shot in shots:
        piece.append(shot)
        if _ends_piece(shot.shot_id) or len(piece) == _LONGEST_PIECE:
            yield tuple(piece)
            piece = []
    if piece:
        yield tuple(piece)


def _ends_piece(shot_id: str) -> bool:
    return zlib.crc32(shot_id.encode()) % _PIECE_SHOTS == 0


# Keyed by what is read or written, never by a name: what is damaged on the disk stays visible.
@functools.lru_cache(maxsize=64)
def _decoded(data: bytes) -> Cut:
    value = json.loads(data)
    if not isinstance(value, dict):
        raise BlobCorrupt("A state that is no JSON object. Restore a backup.")
    return cut_from_json(value)


@functools.lru_cache(maxsize=256)
def _decoded_piece(data: bytes) -> tuple[Shot, ...]:
    return cut_from_json({"rate": (1, 1), "width": 1, "height": 1, "shots": json.loads(data)}).shots


@functools.lru_cache(maxsize=256)
def _encoded(shots: tuple[Shot, ...]) -> tuple[str, bytes]:
    data = canonical([shot_to_json(shot) for shot in shots])
    return hashlib.sha256(data).hexdigest(), data
