"""Takes, entries, exports and the rows about their blobs."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DatabaseError, IntegrityError

from storage import exports, history, memory, references, schema, takes
from storage.canonical import canonical, digest_of, new_id
from storage.database import Library
from storage.errors import BlobCorrupt, BlobMissing, NotFound, Refused
from storage.records import Export, Project
from tests.storage import scene


@pytest.fixture
def blobs(library: Library, project: Project) -> tuple[tuple[str, int, str], ...]:
    """Blobs of one take, with their rows, and shots s1 and s2 to hang takes on."""
    scene.add_shots(library, project, "s1", "s2")
    made = scene.blobs_for(library, "first")
    with library.write() as tx:
        for blob in made:
            references.add(tx, *blob)
    return made


Blobs = tuple[tuple[str, int, str], ...]


def test_takes_are_numbered_within_their_shot(library: Library, blobs: Blobs) -> None:
    with library.write() as tx:
        made = [takes.add(tx, scene.take(shot, blobs)) for shot in ("s1", "s2", "s1")]
        assert [t.number for t in made] == [1, 1, 2]
        assert [t.number for t in takes.of_shot(tx, "s1")] == [1, 2]


def test_a_take_comes_back_as_it_was_stored(
    library: Library, project: Project, blobs: Blobs, clock: scene.Clock
) -> None:
    with library.write() as tx:
        made = takes.add(tx, scene.take("s1", blobs, latents_digest=None, kind="footage"))
        assert made.created_at == clock.at
        assert takes.get(tx, made.id) == made
        assert takes.row_digest(made) == made.row_digest
        assert takes.of_project(tx, project.id) == [made]


def test_a_take_with_a_number_or_time_keeps_it(library: Library, blobs: Blobs) -> None:
    with library.write() as tx:
        made = takes.add(tx, scene.take("s1", blobs, number=7, created_at=3))
        assert (made.number, made.created_at) == (7, 3)
        assert takes.add(tx, scene.take("s1", blobs)).number == 8


def test_an_equal_spec_finds_the_newest_take(
    library: Library, blobs: Blobs, clock: scene.Clock
) -> None:
    with library.write() as tx:
        first = takes.add(tx, scene.take("s1", blobs))
        clock.at += 1
        second = takes.add(tx, scene.take("s2", blobs, spec_digest=first.spec_digest))
        assert takes.find_by_spec(tx, first.spec_digest) == second
        assert takes.find_by_spec(tx, "0" * 64) is None


def test_a_take_needs_a_shot_and_blobs(library: Library, blobs: Blobs) -> None:
    with library.write() as tx, pytest.raises(NotFound, match="No shot 'nowhere'"):
        takes.add(tx, scene.take("nowhere", blobs))
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), library.write() as tx:
        takes.add(tx, scene.take("s1", blobs, media_digest="0" * 64))
    with library.read() as tx, pytest.raises(NotFound, match="'nothing'"):
        takes.get(tx, "nothing")


def test_an_entry_is_stored_once_and_the_stored_one_wins(library: Library, blobs: Blobs) -> None:
    other = scene.put(library, b"computed elsewhere")
    with library.write() as tx:
        references.add(tx, *other)
        first = memory.add(tx, scene.entry(blobs))
        again = dataclasses.replace(scene.entry(blobs), blob_digest=other[0])
        assert memory.add(tx, again) == first
        assert memory.get(tx, first.key) == first
        assert memory.get(tx, "0" * 64) is None


def test_an_entry_whose_blob_is_lost_gives_way_to_a_new_one(library: Library, blobs: Blobs) -> None:
    other = scene.put(library, b"computed again")
    with library.write() as tx:
        references.add(tx, *other)
        memory.add(tx, scene.entry(blobs))
    library.blobs.delete(blobs[3][0])
    with library.write() as tx:
        again = memory.add(tx, dataclasses.replace(scene.entry(blobs), blob_digest=other[0]))
        assert again.blob_digest == other[0]
        assert memory.for_latents(tx, blobs[1][0]) == [again]
    with pytest.raises(DatabaseError, match="collection only"), library.write() as tx:
        tx.exec_driver_sql("DELETE FROM memory_entry")


def test_entries_are_found_by_many_keys_at_once(library: Library, blobs: Blobs) -> None:
    with library.write() as tx:
        one = memory.add(tx, scene.entry(blobs, "one"))
        two = memory.add(tx, scene.entry(blobs, "two"))
        found = memory.find(tx, [one.key, "0" * 64, two.key])
        assert found == {one.key: one, two.key: two}
        assert {e.key for e in memory.for_latents(tx, blobs[1][0])} == {one.key, two.key}


def test_a_row_needs_a_file_of_that_size_and_digest(library: Library) -> None:
    digest, size, media_type = scene.put(library, b"rain")
    with library.write() as tx:
        with pytest.raises(BlobMissing):
            references.add(tx, "0" * 64, 4, media_type)
        with pytest.raises(BlobCorrupt, match=r"4 bytes in the store\. Expected 5"):
            references.add(tx, digest, 5, media_type)
        path = library.blobs.path(digest)
        path.chmod(0o644)
        path.write_bytes(b"ruin")
        with pytest.raises(BlobCorrupt, match="4 bytes with digest"):
            references.add(tx, digest, size, media_type)
        assert not references.exists(tx, digest)


def test_inline_bytes_must_have_their_digest(library: Library) -> None:
    with library.write() as tx:
        digest = scene.put_inline(tx, b"strip")
        assert references.read(tx, digest) == b"strip"
        assert references.media_type(tx, digest) == "image/jpeg"
        with pytest.raises(BlobCorrupt, match="inline"):
            references.add(tx, digest, 5, "image/jpeg", inline=b"strap")
        with pytest.raises(BlobCorrupt, match="inline"):
            references.add(tx, digest, 6, "image/jpeg", inline=b"strip")


def test_a_known_blob_keeps_its_row(library: Library) -> None:
    blob = scene.put(library, b"rain")
    with library.write() as tx:
        references.add(tx, *blob)
        references.add(tx, blob[0], blob[1], "video/mp4")
        assert references.media_type(tx, blob[0]) == blob[2]
        assert references.read(tx, blob[0]) == b"rain"


def test_a_blob_nobody_knows_is_missing(library: Library) -> None:
    with library.read() as tx:
        for ask in (references.media_type, references.read):
            with pytest.raises(BlobMissing, match="is known"):
                ask(tx, "0" * 64)


def test_changed_inline_bytes_are_noticed(library: Library) -> None:
    with library.write() as tx:
        digest = scene.put_inline(tx, b"strip")
        tx.execute(update(schema.blob).values(inline=b"\0"))
        with pytest.raises(BlobCorrupt, match="changed"):
            references.read(tx, digest)


def test_everything_that_names_a_blob_keeps_it(library: Library, project: Project) -> None:
    scene.add_shots(library, project, "s1")
    blobs = scene.blobs_for(library, "take")
    exported, spec, recalled = (scene.put(library, b) for b in (b"film", b"upload", b"recall"))
    garbage = scene.put(library, b"garbage")
    with library.write() as tx:
        for blob in (*blobs, exported, spec, recalled, garbage):
            references.add(tx, *blob)
        takes.add(tx, scene.take("s1", blobs))
        memory.add(tx, scene.entry(blobs))
        branch, _ = history.head(tx, project.id)
        export = Export(
            id=new_id(),
            project_id=project.id,
            node_id=branch.head_node,
            spec={},
            media_digest=None,
            state="running",
            created_at=1,
        )
        exports.add(tx, export)
        exports.finish(tx, export.id, "done", exported[0])
        references.pin(tx, recalled[0], "job")
    scene.queue(library, project)
    with library.write() as tx:
        pieces = canonical({"pieces": [{"media": spec[0]}], "n": 1}).decode()
        tx.execute(update(schema.job).values(spec_json=pieces))
        named = references.reachable(tx)
        assert {b[0] for b in (*blobs, exported, spec, recalled)} <= named
        assert [row.digest for row in references.unreferenced(tx)] == [garbage[0]]


def test_exports_are_listed_newest_first(library: Library, project: Project) -> None:
    with library.write() as tx:
        node = history.head(tx, project.id)[0].head_node
        made = [
            exports.add(
                tx,
                Export(
                    id=new_id(),
                    project_id=project.id,
                    node_id=node,
                    spec={"title_card": None},
                    media_digest=None,
                    state="running",
                    created_at=at,
                ),
            )
            for at in (1, 2)
        ]
        assert exports.of_project(tx, project.id) == made[::-1]
        assert exports.finish(tx, made[0].id, "failed", None).state == "failed"
        with pytest.raises(NotFound, match="'nothing'"):
            exports.get(tx, "nothing")


def test_canonical_json_is_one_text_per_value() -> None:
    assert canonical({"b": [1, 2.5, None], "a": "é"}) == '{"a":"é","b":[1,2.5,null]}'.encode()
    assert digest_of(["x"]) == hashlib.sha256(b'["x"]').hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(Refused, match="cannot be stored"):
        canonical({"x": value})


def test_ids_are_version_7_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert all(len(i) == 36 and i[14] == "7" and i[19] in "89ab" for i in ids)
    assert ids == sorted(ids)
