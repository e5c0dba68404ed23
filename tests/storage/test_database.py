"""One library on disk: who may open it, what a transaction keeps, how it is migrated."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from storage import lock, processes, projects, references, schema, sqlite
from storage.database import Library, now, system_clock
from storage.errors import DiskFull, LibraryInUse, LibraryTooNew, LibraryUnusable, StorageError
from storage.migrations import upgrade
from storage.records import Project
from tests.storage import scene

HOLDER = """
import sys, time
from pathlib import Path
from storage.database import Library
library = Library.open(Path(sys.argv[1]), address="http://127.0.0.1:7860")
print("open", flush=True)
time.sleep(60)
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_second_server_is_told_who_has_the_library_and_takes_it_once_that_is_killed(
    tmp_path: Path,
) -> None:
    process = start_holder(tmp_path)
    try:
        with pytest.raises(LibraryInUse) as caught:
            Library.open(tmp_path)
        assert caught.value.pid == process.pid
        assert caught.value.address == "http://127.0.0.1:7860"
        assert f"process {process.pid} at http://127.0.0.1:7860" in str(caught.value)
    finally:
        end(process)
    with Library.open(tmp_path) as library, library.read() as tx:
        assert projects.list_all(tx) == []


def test_a_second_open_in_the_same_process_is_refused_until_the_first_is_closed(
    tmp_path: Path,
) -> None:
    with Library.open(tmp_path) as library:
        library.announce("http://127.0.0.1:7999")
        with pytest.raises(LibraryInUse, match=r"127\.0\.0\.1:7999"):
            Library.open(tmp_path)
    Library.open(tmp_path).close()


def test_a_removed_lock_file_does_not_let_a_second_server_in(tmp_path: Path) -> None:
    process = start_holder(tmp_path)
    try:
        (tmp_path / "library.lock").unlink(missing_ok=True)
        with pytest.raises(LibraryInUse) as caught:
            Library.open(tmp_path)
        assert caught.value.pid == process.pid
    finally:
        end(process)


def test_a_holder_that_has_not_said_who_it_is_still_holds(tmp_path: Path) -> None:
    held = lock.acquire(tmp_path, "")
    (tmp_path / "library.owner.json").write_text("{half")
    with pytest.raises(LibraryInUse, match="has not said") as caught:
        Library.open(tmp_path)
    assert caught.value.pid is None
    held.release()


def test_a_process_is_known_by_more_than_its_number() -> None:
    me = processes.this_process()
    assert processes.is_running(me)
    assert not processes.is_running(dataclasses.replace(me, start_time="1"))
    assert not processes.is_running(dataclasses.replace(me, boot_id="another boot"))


def test_without_a_start_time_the_number_has_to_do() -> None:
    boot = processes.this_process().boot_id
    assert processes.is_running(processes.ProcessId(pid=os.getpid(), boot_id=boot, start_time=""))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = processes.ProcessId(pid=ended.pid, boot_id=boot, start_time="")
    assert not processes.is_running(gone)


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 10_000),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("wal_autocheckpoint", 1000),
    ],
)
def test_the_writer_is_opened_durable_and_strict(
    library: Library, pragma: str, expected: object
) -> None:
    with library.write() as tx:
        assert tx.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == expected


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("query_only", 1), ("wal_autocheckpoint", 0)],
)
def test_readers_neither_write_nor_checkpoint(
    library: Library, pragma: str, expected: object
) -> None:
    with library.read() as tx:
        assert tx.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == expected


def test_a_write_through_a_reader_is_refused(library: Library) -> None:
    with pytest.raises(OperationalError, match="readonly"), library.read() as tx:
        projects.create(tx, "Rain", (24, 1), 96, 64)


def test_an_error_within_a_write_undoes_all_of_it(library: Library) -> None:
    with pytest.raises(KeyError), library.write() as tx:
        projects.create(tx, "Rain", (24, 1), 96, 64)
        raise KeyError("something went wrong")
    with library.read() as tx:
        assert projects.list_all(tx) == []


def test_a_read_sees_one_state_from_its_first_look_to_its_end(library: Library) -> None:
    with library.read() as tx:
        assert projects.list_all(tx) == []
        scene.make_project(library)
        assert projects.list_all(tx) == []
    with library.read() as tx:
        assert len(projects.list_all(tx)) == 1


def test_a_write_within_a_write_says_what_to_do(library: Library) -> None:
    with pytest.raises(StorageError, match="Hand the open transaction down"):  # noqa: SIM117
        with library.write(), library.write():
            pass


def test_a_write_holds_the_database_from_its_start(library: Library) -> None:
    connection = sqlite3.connect(library.folder / "library.sqlite3", timeout=0)
    with library.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        connection.execute("BEGIN IMMEDIATE")
    connection.close()


def test_a_closed_library_is_not_opened_again_behind_its_lock(tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    library.close()
    library.close()
    for use in (library.write, library.read):
        with pytest.raises(StorageError, match="is closed"), use():
            pass


def test_threads_take_turns_to_write(library: Library) -> None:
    def work(number: int) -> None:
        for _ in range(5):
            with library.write() as tx:
                projects.create(tx, f"Project {number}", (24, 1), 96, 64)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with library.read() as tx:
        assert len(projects.list_all(tx)) == 20


def test_times_come_from_the_clock_of_the_library(library: Library, clock: scene.Clock) -> None:
    clock.at = 17
    with library.write() as tx:
        assert now(tx) == 17
        assert projects.create(tx, "Rain", (24, 1), 96, 64).created_at == 17


def test_the_system_clock_counts_microseconds() -> None:
    assert abs(system_clock() - time.time() * 1e6) < 5e6


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        made = scene.make_project(library)
        assert library.url == f"sqlite:///{tmp_path / 'library.sqlite3'}"
    assert not (tmp_path / "library.sqlite3-wal").exists()
    with Library.open(tmp_path) as library, library.read() as tx:
        assert projects.get(tx, made.id) == made


def test_the_migrations_make_exactly_the_tables_of_the_schema(library: Library) -> None:
    with library.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "library.sqlite3") as connection:
        before = list(connection.iterdump())
    connection.close()
    Library.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "library.sqlite3") as connection:
        assert list(connection.iterdump()) == before
    connection.close()


def test_migrations_run_from_any_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "else where 100%"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with Library.open(Path("library")) as library:
        assert library.folder == elsewhere / "library"


def test_a_library_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    database = tmp_path / "library.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9000'")
    connection.close()
    before = database.read_bytes()
    with pytest.raises(LibraryTooNew, match=r"migration 9000; this version knows up to 0003"):
        Library.open(tmp_path)
    assert database.read_bytes() == before
    with pytest.raises(LibraryTooNew):  # and the lock was given back
        Library.open(tmp_path)


def test_a_migration_that_was_cut_off_before_it_began_starts_over(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "library.sqlite3") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.close()
    with Library.open(tmp_path) as library:
        scene.make_project(library)


def test_a_migration_that_fails_leaves_the_old_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(connection: Connection) -> None:
        with connection.begin():
            schema.metadata.create_all(connection)
            raise OperationalError("CREATE", None, sqlite3.OperationalError("cut off"))

    with monkeypatch.context() as patch:
        patch.setattr(upgrade, "upgrade", run)
        with pytest.raises(OperationalError):
            Library.open(tmp_path)
    with Library.open(tmp_path) as library:
        scene.make_project(library)


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 500, b"SQLite format 3\0" + b"x" * 99]
)
def test_a_file_that_is_no_library_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "library.sqlite3"
    database.write_bytes(content)
    with pytest.raises(LibraryUnusable, match=r"is not a library .*backups"):
        Library.open(tmp_path)
    assert database.read_bytes() == content


def test_a_database_of_another_program_is_not_taken_over(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "library.sqlite3") as connection:
        connection.execute("CREATE TABLE song (id INTEGER)")
    connection.close()
    with pytest.raises(LibraryUnusable, match="another program"):
        Library.open(tmp_path)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = (
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"40 22 0:40 / {tmp_path} rw,relatime - {kind} server:/share rw\n"
    )
    read_text = Path.read_text

    def fake(path: Path) -> str:
        return mounts if str(path) == "/proc/self/mountinfo" else read_text(path)

    monkeypatch.setattr(Path, "read_text", fake)
    with pytest.raises(LibraryUnusable, match=rf"network file system \({kind}\)"):
        Library.open(tmp_path / "library")
    assert not (tmp_path / "library" / "library.sqlite3").exists()


def test_pins_of_a_killed_server_are_swept_at_the_next_start(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library, library.write() as tx:
        references.pin(tx, "a" * 64, "job")
        assert references.pinned(tx) == {"a" * 64}
    with Library.open(tmp_path) as library, library.read() as tx:
        assert references.pinned(tx) == set()


def test_a_temporary_blob_of_a_killed_server_is_swept_at_the_next_start(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    left = tmp_path / "blobs" / "tmp" / "left"
    left.write_bytes(b"half")
    Library.open(tmp_path).close()
    assert not left.exists()


@pytest.mark.parametrize("table", ["node", "take", "memory_entry"])
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_rows_that_carry_meaning_never_change(
    library: Library, project: Project, table: str, verb: str
) -> None:
    scene.add_shots(library, project, "s1")
    scene.queue(library, project, "s1")
    scene.finish(library, scene.claim(library), "first")
    change = {
        "UPDATE": f"UPDATE {table} SET row_digest = 'x'",
        "DELETE": f"DELETE FROM {table}",
    }[verb]
    words = {"UPDATE": "never changes", "DELETE": "collection only"}[verb]
    with pytest.raises(IntegrityError, match=words), library.write() as tx:
        tx.execute(text(change))


def test_a_full_database_is_a_full_disk_and_keeps_what_was_committed(
    library: Library, project: Project
) -> None:
    with library.write() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(DiskFull, match=r"MB free.*Free some space"), library.write() as tx:
        for number in range(200):
            projects.create(tx, f"Project {number} " + "x" * 500, (24, 1), 96, 64)
    with library.write() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert [p.id for p in projects.list_all(tx)] == [project.id]
        projects.create(tx, "After freeing", (24, 1), 96, 64)
        assert sqlite.page_problems(tx, thorough=True) == []


def test_other_database_errors_stay_what_they_are(library: Library) -> None:
    with pytest.raises(OperationalError, match="no such table"), library.write() as tx:
        tx.execute(text("SELECT * FROM nowhere"))


def test_opening_does_not_leak_into_a_spawned_child(tmp_path: Path) -> None:
    with Library.open(tmp_path):
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(30,))
        child.start()
    try:
        Library.open(tmp_path).close()
    finally:
        child.kill()
        child.join()
