"""A database that is gone while its blobs or backups are there, and one that cannot be closed."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage import sqlite
from storage.database import Library
from storage.errors import LibraryUnusable


def test_a_lost_database_is_not_a_first_start(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        library.blobs.put(b"latents")
    (tmp_path / "library.sqlite3").unlink()
    with pytest.raises(LibraryUnusable, match=r"missing or empty.*a copy of it in its place"):
        Library.open(tmp_path)
    with pytest.raises(LibraryUnusable, match="missing or empty"):
        Library.open(tmp_path)  # the first try must not have made a new one


def test_a_lost_database_names_its_newest_backup(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    Library.open(tmp_path).close()
    (backup,) = (tmp_path / "backups").iterdir()
    (tmp_path / "library.sqlite3").write_bytes(b"")
    with pytest.raises(LibraryUnusable, match=backup.name):
        Library.open(tmp_path)
    shutil.copy(backup, tmp_path / "library.sqlite3")
    Library.open(tmp_path).close()


def test_a_log_that_cannot_be_folded_in_stays_and_the_library_is_closed(tmp_path: Path) -> None:
    def execute(_statement: str) -> None:
        # What SQLite says of a disk that answers a read with an I/O error.
        raise sqlite3.DatabaseError("database disk image is malformed")

    driver = SimpleNamespace(execute=execute)
    sqlite.checkpoint(SimpleNamespace(connection=SimpleNamespace(driver_connection=driver)))  # type: ignore[arg-type]


def test_a_library_that_fails_to_close_gives_its_lock_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_connection: object) -> None:
        raise OSError("the disk is gone")

    library = Library.open(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(sqlite, "checkpoint", fail)
        with pytest.raises(OSError, match="disk is gone"):
            library.close()
    Library.open(tmp_path).close()
