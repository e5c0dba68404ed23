"""Everything particular to SQLite: how it is opened, what its errors mean, where it may live."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool, StaticPool

from storage.blobs import disk_full
from storage.errors import DiskFull, LibraryUnusable

_BUSY_MILLISECONDS = 10_000
_NUM_READERS = 16
_ALWAYS = {
    "busy_timeout": _BUSY_MILLISECONDS,
    "foreign_keys": "ON",
    "trusted_schema": "OFF",
    "cell_size_check": "ON",
}
_WRITER = {"journal_mode": "WAL", "synchronous": "FULL"}
# Only the writer checkpoints, see storage/database.py.
_READER = {"wal_autocheckpoint": 0, "query_only": "ON"}
_MAC = {"fullfsync": "ON", "checkpoint_fullfsync": "ON"}
# Growing the shared-memory file reports a full disk as an I/O error of its own.
_FULL_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"}
    | {"fuse.sshfs", "fuse.glusterfs"}
)


@dataclass(frozen=True)
class Sqlite:
    """The database in one file of the library's folder."""

    path: Path

    @property
    def where(self) -> str:
        """What to call it in a message."""
        return str(self.path)

    def writer(self) -> Engine:
        """Return the engine of the one connection that writes and checkpoints."""
        return writer(self.path)

    def reader(self) -> Engine:
        """Return the engine of the connections that only read."""
        return reader(self.path)

    def is_empty(self, connection: Connection) -> bool:
        """Return whether the database holds nothing yet."""
        return is_empty(connection)

    def page_problems(self, connection: Connection, *, thorough: bool) -> list[str]:
        """Return what SQLite finds wrong with its own pages."""
        return page_problems(connection, thorough=thorough)

    def reference_problems(self, connection: Connection) -> list[str]:
        """Return the rows that name others which are not there."""
        return reference_problems(connection)

    def num_changes(self, connection: Connection) -> int:
        """Return how many rows the connection has changed since it was opened."""
        driver = connection.connection.driver_connection
        return int(driver.total_changes)  # type: ignore[union-attr]

    def disk_full_of(self, error: DatabaseError) -> DiskFull | None:
        """Return the error that a full disk deserves, or None if it was something else."""
        return disk_full_of(error, self.path)

    def before_closing(self, connection: Connection) -> None:
        """Fold the log into the database file."""
        checkpoint(connection)


def writer(path: Path) -> Engine:
    """Return the engine of the one connection that writes and checkpoints."""
    return _engine(path, {**_ALWAYS, **_WRITER}, "BEGIN IMMEDIATE", {"poolclass": StaticPool})


def reader(path: Path) -> Engine:
    """Return the engine of the connections that only read."""
    pool = {"poolclass": QueuePool, "pool_size": 4, "max_overflow": _NUM_READERS - 4}
    return _engine(path, {**_ALWAYS, **_READER}, "BEGIN", pool)


def checkpoint(connection: Connection) -> None:
    """Fold the whole log into the database file; on a full or failing disk it stays, as durable."""
    driver = connection.connection.driver_connection
    # A disk that cannot be read is reported as a malformed database, which is no OperationalError.
    with contextlib.suppress(sqlite3.DatabaseError):
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]


def is_empty(connection: Connection) -> bool:
    """Return whether the database holds nothing yet, or only a migration that was cut off."""
    count = connection.exec_driver_sql(
        "SELECT count(*) FROM sqlite_master WHERE tbl_name <> 'alembic_version'"
    ).scalar_one()
    return bool(count == 0)


def page_problems(connection: Connection, *, thorough: bool) -> list[str]:
    """Return what SQLite finds wrong with its own pages and foreign keys. Empty = nothing."""
    pragma = "integrity_check" if thorough else "quick_check"  # the latter leaves indexes out
    pages = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {pragma}(20)")]
    problems = [] if pages == ["ok"] else pages
    return problems + reference_problems(connection)


def reference_problems(connection: Connection) -> list[str]:
    """Return the rows that name others which are not there. Empty = none."""
    found = connection.exec_driver_sql("PRAGMA foreign_key_check")
    return [
        f"Row {row} of {table} names a {other} that is not there." for table, row, other, _ in found
    ]


def disk_full_of(error: DatabaseError, path: Path) -> DiskFull | None:
    """Return the error that a full disk deserves, or None if it was something else."""
    if getattr(error.orig, "sqlite_errorcode", None) not in _FULL_CODES:
        return None
    return disk_full(path.parent, needed=1_000_000)  # SQLite does not say how much it wanted


def require_local(folder: Path) -> None:
    """Raise `LibraryUnusable` on a network file system: write-ahead logging does not work there."""
    kind = _file_system(folder.resolve())
    if kind in _NETWORK:
        raise LibraryUnusable(
            f"{folder} is on a network file system ({kind}), where a library would be damaged. "
            "Choose a folder on a disk of this machine."
        )


def _engine(path: Path, pragmas: dict[str, Any], begin: str, pool: dict[str, Any]) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"check_same_thread": False, "isolation_level": None},
        **pool,
    )
    if sys.platform == "darwin":
        pragmas = {**pragmas, **_MAC}

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name}={value}").close()

    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _file_system(folder: Path) -> str:
    if os.name == "nt":
        return "smbfs" if str(folder).startswith("\\\\") else ""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        return ""
    best, kind = -1, ""
    for line in mounts.read_text().splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind
