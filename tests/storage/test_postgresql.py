"""What is particular to PostgreSQL. All else is tested on both databases at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from storage import postgres
from storage.check import check, check_quickly
from storage.database import Library
from storage.errors import DiskFull, LibraryInUse, LibraryTooNew, LibraryUnusable, Refused
from tests.storage import scene
from tests.storage.postgresql import Cluster


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.fresh()


@pytest.fixture
def team(url: str, tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "team", clock=scene.Clock(), url=url) as library:
        yield library


def test_an_empty_database_becomes_a_library(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.empty()
    with Library.open(tmp_path, url=url) as library:
        scene.make_project(library)
    with Library.open(tmp_path, url=url) as library:
        assert check(library, read_data=True).problems == []
        assert check_quickly(library).problems == []
    assert not (tmp_path / "library.sqlite3").exists()


def test_a_second_server_of_the_same_database_is_refused(
    team: Library, url: str, tmp_path: Path
) -> None:
    with pytest.raises(LibraryInUse, match="another server"):
        Library.open(tmp_path / "elsewhere", url=url)


@pytest.mark.parametrize("table", ["node", "take", "memory_entry"])
@pytest.mark.parametrize("act", ["UPDATE {} SET row_digest = 'x'", "DELETE FROM {}"])
def test_rows_that_carry_meaning_never_change(team: Library, table: str, act: str) -> None:
    project = scene.make_project(team)
    scene.add_shots(team, project, "s1")
    scene.queue(team, project, "s1")
    scene.finish(team, scene.claim(team), "take")
    with (
        pytest.raises(DatabaseError, match=r"never changes|by collection only"),
        team.write() as tx,
    ):
        tx.execute(text(act.format(table)))


def test_a_write_through_a_reader_is_refused(team: Library) -> None:
    with pytest.raises(DatabaseError, match="read-only"), team.read() as tx:
        tx.execute(text("DELETE FROM blob_pin"))


def test_a_read_sees_one_state_from_its_first_look_to_its_end(team: Library) -> None:
    count = text("SELECT count(*) FROM project")
    with team.read() as tx:
        assert tx.execute(count).scalar_one() == 0
        scene.make_project(team)
        assert tx.execute(count).scalar_one() == 0
    with team.read() as tx:
        assert tx.execute(count).scalar_one() == 1


def test_commits_wait_for_the_disk(team: Library) -> None:
    with team.write() as tx:
        assert tx.execute(text("SHOW synchronous_commit")).scalar_one() == "on"


def test_a_library_goes_on_after_its_connection_was_cut(team: Library, cluster: Cluster) -> None:
    scene.make_project(team)
    with contextlib.suppress(psycopg.Error):
        cluster.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'library%'"
        )
    scene.make_project(team, "Snow")


def test_backups_are_left_to_the_database(team: Library, tmp_path: Path) -> None:
    scene.make_project(team)
    assert team.backup_if_due() is None
    with pytest.raises(Refused, match="pg_dump"):
        team.backup(tmp_path / "copy.sqlite3")
    assert not team.backup_folder.exists()


def test_a_library_of_a_newer_version_is_left_alone(
    cluster: Cluster, url: str, tmp_path: Path
) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    cluster.execute("UPDATE alembic_version SET version_num = '9999'", name)
    with pytest.raises(LibraryTooNew, match="9999"):
        Library.open(tmp_path, url=url)


def test_a_database_of_another_program_is_not_taken_over(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.empty()
    cluster.execute("CREATE TABLE theirs (id int)", url.partition("@/")[2].partition("?")[0])
    with pytest.raises(LibraryUnusable, match="another program"):
        Library.open(tmp_path, url=url)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LibraryUnusable, match="cannot be opened"):
        Library.open(tmp_path, url=f"postgresql://x@/y?host={tmp_path}")


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(LibraryUnusable, match="postgresql://"):
        Library.open(tmp_path, url=url)


def test_the_password_is_never_told(tmp_path: Path) -> None:
    secret = "postgresql://editor:s3cret@nowhere.invalid/films"
    database = postgres.parse(secret, tmp_path)
    assert "s3cret" not in database.where


def test_a_full_disk_of_the_server_is_a_full_disk(tmp_path: Path) -> None:
    database = postgres.parse("postgresql://x/y", tmp_path)
    full = DatabaseError("insert", None, psycopg.errors.DiskFull("could not extend file"))
    assert isinstance(database.disk_full_of(full), DiskFull)
    other = DatabaseError("insert", None, psycopg.errors.UniqueViolation("twice"))
    assert database.disk_full_of(other) is None
