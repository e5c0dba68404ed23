"""Everything particular to PostgreSQL: how it is opened, held by one server, and what it says.

For teams that have such a database already. Blobs stay files in the library's folder. Backups of
the database are the database's own: `pg_dump`, or its archive of the write-ahead log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, event, make_url
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from storage.blobs import disk_full
from storage.errors import DiskFull, LibraryInUse, LibraryUnusable

_LOCK = 0x6D6E656D6F
"""Key of the advisory lock that the one server of a database holds."""
_NUM_READERS = 16
_FULL = "53100"
_SESSION = (
    "SET synchronous_commit = on",
    "SET lock_timeout = '10s'",
    "SET TIME ZONE 'UTC'",
)


@dataclass(frozen=True)
class Postgres:
    """A database of a PostgreSQL server."""

    url: URL
    folder: Path
    """Of the library, for its blobs."""

    @property
    def where(self) -> str:
        """What to call it in a message; never with its password."""
        return self.url.render_as_string()

    def writer(self) -> Engine:
        """Return the engine of the one connection that writes; it holds the database's lock."""
        engine = create_engine(
            self.url,
            isolation_level="READ COMMITTED",
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
        )

        def connected(connection: Any, _record: object) -> None:
            _prepare(connection, ())
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_try_advisory_lock({_LOCK})")
                (is_held,) = cursor.fetchone()
            connection.commit()
            if not is_held:
                connection.close()
                raise LibraryInUse(
                    f"The library in {self.where} is in use by another server. Stop that one.",
                    pid=None,
                    address="",
                )

        event.listen(engine, "connect", connected)
        return engine

    def reader(self) -> Engine:
        """Return the engine of the connections that only read, each one state of the database."""
        engine = create_engine(
            self.url,
            isolation_level="REPEATABLE READ",
            pool_size=4,
            max_overflow=_NUM_READERS - 4,
            pool_pre_ping=True,
        )

        def connected(connection: Any, _record: object) -> None:
            _prepare(connection, ("SET default_transaction_read_only = on",))

        event.listen(engine, "connect", connected)
        return engine

    def is_empty(self, connection: Connection) -> bool:
        """Return whether the database holds nothing yet, or only a migration that was cut off."""
        count = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_catalog.pg_tables "
            "WHERE schemaname = current_schema() AND tablename <> 'alembic_version'"
        ).scalar_one()
        return bool(count == 0)

    def page_problems(self, connection: Connection, *, thorough: bool) -> list[str]:
        """Return nothing: PostgreSQL checks its pages itself, where it was made with checksums."""
        return []

    def reference_problems(self, connection: Connection) -> list[str]:
        """Return nothing: PostgreSQL never lets a row name another that is not there."""
        return []

    def num_changes(self, connection: Connection) -> int:
        """Return nothing: this database is backed up by its own tools."""
        return 0

    def disk_full_of(self, error: DatabaseError) -> DiskFull | None:
        """Return the error that a full disk deserves, or None if it was something else."""
        if getattr(error.orig, "sqlstate", None) != _FULL:
            return None
        return disk_full(self.folder, needed=1_000_000)

    def before_closing(self, connection: Connection) -> None:
        """Do nothing: the server of the database looks after its log."""


def parse(url: str, folder: Path) -> Postgres:
    """Return the database of a URL.

    Raises:
        LibraryUnusable: not a URL of a PostgreSQL database, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise LibraryUnusable(
                f"A database of kind {parsed.get_backend_name()[:40]!r}. Expected postgresql://"
            )
        parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError) as error:
        raise LibraryUnusable("The database's address is no URL. Expected postgresql://") from error
    except ImportError as error:
        raise LibraryUnusable(
            "The driver for PostgreSQL is not installed. Run: pip install 'psycopg[binary]'"
        ) from error
    return Postgres(parsed, folder)


def _prepare(connection: Any, more: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in (*_SESSION, *more):
            cursor.execute(statement)
    connection.commit()
