"""Collection: only what nothing names goes, and nothing goes while anything is unreadable."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import update

from storage import collect, history, references, schema, takes
from storage.check import check
from storage.collect import GRACE_MICROSECONDS, TRASH_MICROSECONDS
from storage.database import Library
from storage.errors import BlobCorrupt
from storage.records import Project
from tests.storage import scene


def old_blob(library: Library, clock: scene.Clock, data: bytes, *, with_row: bool) -> str:
    """Put a blob that will be past the grace once the clock is moved by `wait`."""
    blob = scene.put(library, data)
    os.utime(library.blobs.path(blob[0]), ns=(clock.at * 1000, clock.at * 1000))
    if with_row:
        with library.write() as tx:
            references.add(tx, *blob)
    return blob[0]


def trash(library: Library) -> list[str]:
    return sorted(p.name for p in (library.blobs.root / "trash").glob("*"))


@pytest.fixture
def garbage(library: Library, project: Project, clock: scene.Clock) -> list[str]:
    """A blob with a row and one without, both past the grace, beside a take that is in use."""
    scene.add_shots(library, project, "s1")
    scene.queue(library, project, "s1")
    scene.finish(library, scene.claim(library), "kept")
    made = [
        old_blob(library, clock, d, with_row=w) for d, w in ((b"a row", True), (b"no row", False))
    ]
    clock.at += GRACE_MICROSECONDS
    return sorted(made)


def test_a_dry_run_says_what_would_go_and_removes_nothing(
    library: Library, garbage: list[str]
) -> None:
    found = collect.collect(library)
    assert sorted(found.digests) == garbage
    assert found.num_bytes == len(b"a row") + len(b"no row")
    assert all(library.blobs.exists(d) for d in garbage)
    with library.read() as tx:
        assert len(references.unreferenced(tx)) == 1


def test_garbage_goes_to_the_trash_and_the_rest_stays_sound(
    library: Library, garbage: list[str], clock: scene.Clock
) -> None:
    done = collect.collect(library, dry_run=False)
    assert sorted(done.digests) == garbage == trash(library)
    assert not any(library.blobs.exists(d) for d in garbage)
    assert check(library, read_data=True).problems == []
    clock.at += TRASH_MICROSECONDS - 1
    assert collect.collect(library, dry_run=False).num_purged == 0
    clock.at += 1
    assert collect.collect(library, dry_run=False).num_purged == 2
    assert trash(library) == []


def test_nothing_goes_before_its_grace(
    library: Library, garbage: list[str], clock: scene.Clock
) -> None:
    clock.at -= 1
    assert collect.collect(library, dry_run=False).digests == ()
    assert collect.collect(library, grace=0).digests == tuple(garbage)


def test_a_pinned_blob_stays(library: Library, garbage: list[str]) -> None:
    with library.write() as tx:
        for digest in garbage:
            references.pin(tx, digest, "a job that is about to use it")
    assert collect.collect(library, dry_run=False).digests == ()


def test_takes_of_old_nodes_stay_because_history_can_go_back(
    library: Library, project: Project, clock: scene.Clock
) -> None:
    scene.add_shots(library, project, "s1")
    scene.queue(library, project, "s1")
    scene.finish(library, scene.claim(library), "old")
    with library.write() as tx:
        history.undo(tx, project.id)
    scene.add_shots(library, project, "s2")
    clock.at += 10 * GRACE_MICROSECONDS
    assert collect.collect(library, dry_run=False, grace=0).digests == ()


def test_an_unreadable_state_stops_everything(
    library: Library, garbage: list[str], project: Project
) -> None:
    with library.write() as tx:
        blob = schema.blob
        tx.execute(update(blob).where(blob.c.inline.is_not(None)).values(inline=b"\0"))
    for dry_run in (True, False):
        with pytest.raises(BlobCorrupt):
            collect.collect(library, dry_run=dry_run)
    assert all(library.blobs.exists(d) for d in garbage)


def test_a_take_that_comes_back_between_the_looks_keeps_its_blobs(
    library: Library, garbage: list[str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look, under the writer's lock, sees what was committed after the first."""
    look = collect._require_readable

    def commit_meanwhile(tx: object) -> None:
        look(tx)  # type: ignore[arg-type]
        blobs = [(d, library.blobs.size(d), "x") for d in garbage]
        kept = scene.blobs_for(library, "kept")
        with library.write() as writing:
            for blob in blobs:
                references.add(writing, *blob)
            takes.add(writing, scene.take("s1", (blobs[0], blobs[1], kept[2])))

    monkeypatch.setattr(collect, "_require_readable", commit_meanwhile)
    assert collect.collect(library, dry_run=False).digests == ()
    assert all(library.blobs.exists(d) for d in garbage)


@pytest.mark.parametrize("rescue", ["pin", "row"])
def test_a_blob_stored_again_between_row_and_file_keeps_its_file(
    library: Library, garbage: list[str], monkeypatch: pytest.MonkeyPatch, rescue: str
) -> None:
    move = collect._move_to_trash

    def rescue_first(opened: Library, digests: set[str]) -> None:
        with opened.write() as tx:
            for digest in garbage:
                if rescue == "pin":
                    references.pin(tx, digest, "job")
                else:
                    references.add(tx, digest, opened.blobs.size(digest), "x")
        move(opened, digests)

    monkeypatch.setattr(collect, "_move_to_trash", rescue_first)
    collect.collect(library, dry_run=False)
    assert all(library.blobs.exists(d) for d in garbage)
    assert trash(library) == []
