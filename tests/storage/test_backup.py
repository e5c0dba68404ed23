"""Backups: complete copies, taken in time, kept in generations."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from storage import backup, projects
from storage.check import check
from storage.database import Library
from storage.errors import DiskFull, LibraryUnusable
from storage.migrations import upgrade
from tests.storage import scene

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def test_a_backup_is_a_whole_library_that_opens(library: Library, tmp_path: Path) -> None:
    made = scene.make_project(library)
    scene.add_shots(library, made, "s1")
    library.backup(tmp_path / "copy" / "library.sqlite3")
    assert [p.name for p in (tmp_path / "copy").iterdir()] == ["library.sqlite3"]
    with scene.open_library(tmp_path / "copy") as copy:
        with copy.read() as tx:
            assert projects.list_all(tx) == [made]
        assert check(copy, read_data=True).problems == []


def test_a_backup_is_taken_while_a_write_is_open_and_does_not_see_it(
    library: Library, tmp_path: Path
) -> None:
    with library.write() as tx:
        projects.create(tx, "Not committed", (24, 1), 96, 64)
        library.backup(tmp_path / "copy.sqlite3")
    connection = sqlite3.connect(tmp_path / "copy.sqlite3")
    assert connection.execute("SELECT count(*) FROM project").fetchone() == (0,)
    connection.close()


def test_the_first_start_of_a_day_takes_a_backup(tmp_path: Path) -> None:
    clock = scene.Clock()
    folder = tmp_path / "library"
    counts = []
    for wait in (0, HOUR, scene.DAY, HOUR):
        clock.at += wait
        with scene.open_library(folder, clock) as library:
            counts.append(len(backup.taken(library.backup_folder)))
    assert counts == [0, 1, 2, 2], "a new library has nothing to back up"


def test_a_migration_is_preceded_by_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = scene.Clock()
    scene.open_library(tmp_path, clock).close()
    scene.open_library(tmp_path, clock).close()
    assert list((tmp_path / "backups").glob("before*")) == []
    monkeypatch.setattr(upgrade, "newest", lambda: "9999")
    scene.open_library(tmp_path, clock).close()
    (made,) = (tmp_path / "backups").glob("before*")
    assert made.name == "before-migrating-from-0003-20270115T080000000000.sqlite3"
    assert made not in backup.taken(tmp_path / "backups")


def test_a_running_server_takes_one_every_ten_minutes(library: Library, clock: scene.Clock) -> None:
    first = library.backup_if_due()
    assert first is not None and first.exists()
    clock.at += 10 * MINUTE - 1
    assert library.backup_if_due() is None
    clock.at += 1
    assert library.backup_if_due() is None, "nothing was written since"
    scene.make_project(library)
    assert library.backup_if_due() is not None


def test_generations_keep_the_newest_of_each_step() -> None:
    now = 1_800_000_000_000_000 // scene.DAY * scene.DAY + 12 * HOUR
    times = {now - n * 10 * MINUTE for n in range(6 * 24 * 10)}
    kept = backup.kept(times, now)
    ages = sorted((now - time) // MINUTE for time in kept)
    tens = [0, 10, 20, 30, 40, 50]
    hours = [10 + 60 * n for n in range(7)]
    days = [12 * 60 + 10 + 24 * 60 * n for n in range(4)]
    assert ages == sorted({*tens, *hours, *days})


def test_generations_keep_what_is_there_after_a_long_pause() -> None:
    now = 1_800_000_000_000_000
    times = {now - n * 400 * scene.DAY for n in range(3)}
    assert backup.kept(times, now) == times
    assert backup.kept({now + HOUR}, now) == {now + HOUR}, "the clock was set back"


def test_old_backups_are_dropped_and_other_files_stay(library: Library, clock: scene.Clock) -> None:
    library.backup_folder.mkdir()
    mine = library.backup_folder / "library-mine.sqlite3"
    mine.write_bytes(b"put here by hand")
    for _ in range(12):
        clock.at += 10 * MINUTE
        scene.make_project(library)
        library.backup_if_due()
    assert 6 <= len(backup.taken(library.backup_folder)) <= 9
    assert mine.exists()


def damage(database: Path) -> None:
    """Overwrite the root page of one table."""
    connection = sqlite3.connect(database)
    query = "SELECT rootpage FROM sqlite_master WHERE name = 'worker'"
    (page,) = connection.execute(query).fetchone()
    connection.close()
    data = bytearray(database.read_bytes())
    data[4096 * (page - 1) : 4096 * page] = b"\xff" * 4096
    database.write_bytes(data)


def test_a_backup_of_a_damaged_database_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    damage(tmp_path / "library.sqlite3")
    with pytest.raises(LibraryUnusable, match=r"(?s)is damaged .*Run check"):
        backup.copy(tmp_path / "library.sqlite3", tmp_path / "backups" / "copy.sqlite3")
    assert list((tmp_path / "backups").iterdir()) == []


def test_one_damaged_page_does_not_keep_the_editor_from_the_rest(tmp_path: Path) -> None:
    clock = scene.Clock()
    with scene.open_library(tmp_path, clock) as library:
        made = scene.make_project(library)
        scene.add_shots(library, made, "s1")
    damage(tmp_path / "library.sqlite3")
    clock.at += scene.DAY
    with scene.open_library(tmp_path, clock) as library:
        assert "is damaged" in library.backup_problem
        assert not check(library, read_data=False).is_clean
        scene.add_shots(library, made, "s2")


def test_a_copy_of_what_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"not a database" * 100)
    with pytest.raises(LibraryUnusable, match="not a database"):
        backup.copy(tmp_path / "notes", tmp_path / "copy.sqlite3")


def test_a_backup_without_room_is_a_full_disk(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        library.backup(tmp_path / "copies" / "copy.sqlite3")
    assert list((tmp_path / "copies").iterdir()) == []


def test_other_trouble_with_a_backup_stays_what_it_is(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        library.backup(tmp_path / "copies" / "copy.sqlite3")


def test_a_backup_that_fails_is_said_until_one_succeeds(
    library: Library, clock: scene.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    scene.make_project(library)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        assert library.backup_if_due() is None
    assert "is full" in library.backup_problem
    assert library.backup_if_due() is not None
    assert library.backup_problem == ""


def test_a_restored_backup_is_the_database_and_the_old_one_is_kept(tmp_path: Path) -> None:
    clock = scene.Clock()
    database = tmp_path / "library.sqlite3"
    with scene.open_library(tmp_path, clock) as library:
        scene.make_project(library, "Before")
        library.backup(tmp_path / "copy.sqlite3")
        scene.make_project(library, "After")
    kept = backup.restore(database, tmp_path / "copy.sqlite3", clock.at)
    with scene.open_library(tmp_path, clock) as library, library.read() as tx:
        assert [p.name for p in projects.list_all(tx)] == ["Before"]
    backup.restore(database, kept, clock.at + 1)
    with scene.open_library(tmp_path, clock) as library, library.read() as tx:
        assert [p.name for p in projects.list_all(tx)] == ["After", "Before"]


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    with scene.open_library(tmp_path) as library:
        made = scene.make_project(library)
    (tmp_path / "bad.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(LibraryUnusable):
        backup.restore(tmp_path / "library.sqlite3", tmp_path / "bad.sqlite3", 1)
    with scene.open_library(tmp_path) as library, library.read() as tx:
        assert projects.get(tx, made.id) == made
