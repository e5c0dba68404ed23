"""Repair: what was generated is offered again, what was imported is left for a backup."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from storage.check import ADVICE, COMMANDS, check, check_quickly
from storage.database import Library
from storage.records import Project, Take
from storage.repair import repair
from tests.storage import scene


@pytest.fixture
def made(library: Library, project: Project) -> Take:
    scene.add_shots(library, project, "s1")
    scene.queue(library, project, "s1")
    return scene.finish(library, scene.claim(library), "take").takes[0]


def damage(library: Library, digest: str) -> None:
    path = library.blobs.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"?" + path.read_bytes()[1:])


def test_a_sound_library_needs_no_repair(library: Library, made: Take) -> None:
    done = repair(library, check(library, read_data=True).problems)
    assert (done.num_quarantined, done.to_generate, done.num_recomputed) == (0, (), 0)
    assert done.beyond == ()


@pytest.mark.parametrize("part", ["media_digest", "strip_digest", "latents_digest"])
def test_a_damaged_take_goes_aside_and_is_offered_again(
    library: Library, made: Take, part: str
) -> None:
    digest = str(getattr(made, part))
    damage(library, digest)
    problems = check(library, read_data=True).problems
    done = repair(library, problems)
    assert done.num_quarantined == 1
    assert [t.id for t in done.to_generate] == [made.id]
    assert not library.blobs.exists(digest)
    assert len(list((library.blobs.root / "quarantine").iterdir())) == 1
    assert repair(library, problems).num_quarantined == 0, "twice is once"


def test_the_same_bytes_generated_again_mend_the_take(library: Library, made: Take) -> None:
    library.blobs.path(made.media_digest).unlink()
    assert not check(library, read_data=False).is_clean
    scene.blobs_for(library, "take")
    assert check(library, read_data=True).problems == []


def test_a_damaged_entry_is_made_again_when_it_is_read(library: Library, made: Take) -> None:
    entry = scene.entry(scene.blobs_for(library, "take"))
    damage(library, entry.blob_digest)
    done = repair(library, check(library, read_data=True).problems)
    assert (done.num_quarantined, done.num_recomputed, done.to_generate) == (1, 1, ())


def test_every_repair_says_what_to_do() -> None:
    assert set(ADVICE) == set(COMMANDS) == {"regenerate", "recompute", "restore", "none"}


def test_a_quick_check_finds_a_damaged_head(library: Library, project: Project, made: Take) -> None:
    assert check_quickly(library).problems == []
    with library.write() as tx:
        tx.exec_driver_sql("UPDATE blob SET inline = x'00' WHERE inline IS NOT NULL")
    (problem,) = check_quickly(library).problems
    assert (problem.kind, problem.subject) == ("project", project.id)
    assert problem.command.startswith("python app.py backup")


def test_a_quick_check_finds_a_reference_to_nothing(tmp_path: Path) -> None:
    with scene.open_library(tmp_path) as library:
        project = scene.make_project(library)
        scene.add_shots(library, project, "s1")
        scene.queue(library, project, "s1")
    with contextlib.closing(sqlite3.connect(tmp_path / "library.sqlite3")) as behind_its_back:
        behind_its_back.execute("DELETE FROM shot")
        behind_its_back.commit()
    with scene.open_library(tmp_path) as library:
        assert any("is not there" in p.message for p in check_quickly(library).problems)
