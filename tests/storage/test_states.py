"""States: whole or in pieces, a cut comes back as it was, and an edit stores little."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import func, select, update

from storage import collect, history, references, schema, states
from storage.check import check
from storage.database import Library
from storage.errors import BlobCorrupt, BlobMissing
from storage.records import Cut, Marker, Project
from tests.storage import scene

LONG = 500


def cut_of(count: int) -> Cut:
    shots = tuple(scene.shot(f"shot {number}", f"rain {number}") for number in range(count))
    return Cut(
        rate=scene.RATE, width=96, height=64, shots=shots, markers=(Marker(frame=3, label="in"),)
    )


def num_blobs(library: Library) -> int:
    with library.read() as tx:
        return tx.execute(select(func.count()).select_from(schema.blob)).scalar_one()


@pytest.mark.parametrize("count", [0, 1, states.WHOLE_SHOTS, states.WHOLE_SHOTS + 1, LONG])
def test_a_cut_of_any_length_comes_back_as_it_was(library: Library, count: int) -> None:
    cut = cut_of(count)
    with library.write() as tx:
        digest = states.put(tx, cut)
        assert states.put(tx, cut) == digest
        assert states.read(tx, digest) == cut


def test_a_short_cut_is_one_blob_and_a_long_one_many(library: Library) -> None:
    with library.write() as tx:
        short = references.read(tx, states.put(tx, cut_of(states.WHOLE_SHOTS)))
        long = references.read(tx, states.put(tx, cut_of(LONG)))
    assert states.pieces_of(short) == []
    assert LONG / 128 <= len(states.pieces_of(long)) <= LONG / 16


@pytest.mark.parametrize("change", ["trim", "insert", "delete", "swap"])
def test_an_edit_of_a_long_cut_stores_a_few_pieces(library: Library, change: str) -> None:
    cut = cut_of(LONG)
    shots = list(cut.shots)
    if change == "trim":
        shots[250] = dataclasses.replace(shots[250], in_=1)
    elif change == "insert":
        shots.insert(250, scene.shot("another"))
    elif change == "delete":
        del shots[250]
    else:
        shots[250], shots[251] = shots[251], shots[250]
    with library.write() as tx:
        states.put(tx, cut)
    before = num_blobs(library)
    edited = dataclasses.replace(cut, shots=tuple(shots))
    with library.write() as tx:
        digest = states.put(tx, edited)
        assert states.read(tx, digest) == edited
    assert num_blobs(library) - before <= 4  # the state, and the piece or pieces around the shot


def test_the_pieces_of_a_cut_in_the_history_are_never_collected(
    library: Library, project: Project, clock: scene.Clock
) -> None:
    scene.edit(library, project, cut_of(LONG))
    with library.write() as tx:
        unused = states.put(tx, cut_of(LONG - 1))
        pieces = states.pieces_of(references.read(tx, unused))
    clock.at += 15 * scene.DAY
    gone = collect.collect(library, dry_run=False).digests
    assert unused in gone
    assert 1 <= len(set(pieces) & set(gone)) < len(pieces), "the pieces that both share stay"
    assert check(library, read_data=True).problems == []
    with library.read() as tx:
        assert history.head(tx, project.id)[1] == cut_of(LONG)


def test_a_lost_piece_is_said(library: Library) -> None:
    with library.write() as tx:
        digest = states.put(tx, cut_of(LONG))
        piece = states.pieces_of(references.read(tx, digest))[0]
        blob = schema.blob
        tx.execute(update(blob).where(blob.c.digest == piece).values(inline=b"[]"))
        with pytest.raises(BlobCorrupt):
            states.read(tx, digest)
        with pytest.raises(BlobMissing):
            states.read(tx, "0" * 64)


def test_a_piece_that_nothing_keeps_from_collection_is_found(
    library: Library, project: Project
) -> None:
    scene.edit(library, project, cut_of(LONG))
    with library.write() as tx:
        tx.execute(schema.state_piece.delete())
    found = [p for p in check(library, read_data=False).problems if p.kind == "state"]
    assert "does not keep its piece" in found[0].message


def test_text_that_looks_like_a_piece_is_text(library: Library) -> None:
    cut = dataclasses.replace(cut_of(1), markers=(Marker(frame=0, label='"pieces":["x"]'),))
    with library.write() as tx:
        assert states.read(tx, states.put(tx, cut)) == cut


def test_a_state_that_is_no_object_is_corrupt() -> None:
    with pytest.raises(BlobCorrupt, match="no JSON object"):
        states.assemble(b"[]", [])
