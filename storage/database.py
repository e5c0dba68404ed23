"""One library on disk: its lock, its database and its blobs, and who may write when.

The server process alone opens the library. One connection writes, and checkpoints too: SQLite's
WAL-reset bug needs two that do. Reads have connections of their own and see whole transactions.
What is particular to a database is in storage/sqlite.py and storage/postgres.py.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Self

from sqlalchemy import delete
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError

from storage import backup, lock, postgres, schema, sqlite
from storage.blobs import BlobStore, disk_full, is_full, sync_folder
from storage.errors import DiskFull, LibraryUnusable, Refused, StorageError
from storage.migrations import upgrade

Clock = Callable[[], int]
"""Returns UTC microseconds."""

log = logging.getLogger(__name__)

_DATABASE = "library.sqlite3"
_BLOBS = "blobs"
_BACKUPS = "backups"
_NEEDED_TO_OPEN = 2_000_000


def system_clock() -> int:
    """Return the machine's UTC time in microseconds."""
    return time.time_ns() // 1000


def now(tx: Connection) -> int:
    """Return the time in microseconds by the clock of the library that `tx` belongs to."""
    clock: Clock = tx.get_execution_options()["clock"]
    return clock()


def blobs_of(tx: Connection) -> BlobStore:
    """Return the blob store of the library that `tx` belongs to."""
    store: BlobStore = tx.get_execution_options()["blobs"]
    return store


class Backend(Protocol):
    """What a library needs of a database, beside SQL."""

    @property
    def where(self) -> str:
        """What to call it in a message."""

    def writer(self) -> Engine:
        """Return the engine of the one connection that writes."""

    def reader(self) -> Engine:
        """Return the engine of the connections that only read."""

    def is_empty(self, connection: Connection) -> bool:
        """Return whether the database holds nothing yet."""

    def page_problems(self, connection: Connection, *, thorough: bool) -> list[str]:
        """Return what the database finds wrong with itself."""

    def reference_problems(self, connection: Connection) -> list[str]:
        """Return the rows that name others which are not there."""

    def num_changes(self, connection: Connection) -> int:
        """Return how many rows the connection has changed so far, where backups ask for it."""

    def disk_full_of(self, error: DatabaseError) -> DiskFull | None:
        """Return the error that a full disk deserves, or None if it was something else."""

    def before_closing(self, connection: Connection) -> None:
        """Do what should be done last."""


class Library:
    """An open library. Safe to use from any number of threads."""

    @classmethod
    def open(
        cls, folder: Path, *, address: str = "", clock: Clock = system_clock, url: str = ""
    ) -> Self:
        """Open the library in `folder`, made and migrated as needed, and hold its lock.

        Args:
            folder: data folder; created if missing.
            address: where this process serves its page, told to whoever finds the library in use.
            clock: UTC microseconds.
            url: of a PostgreSQL database. Empty = SQLite, a file in the folder.

        Raises:
            LibraryInUse: another process has it; the message names it.
            LibraryTooNew: a newer version wrote it.
            LibraryUnusable: a network file system, or a file that is no library.
            DiskFull: no room even to open it.
        """
        folder = Path(folder).expanduser().absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sqlite.require_local(folder)
            held = lock.acquire(folder, address)
            try:
                file = sqlite.Sqlite(folder / _DATABASE)
                return cls(folder, held, clock, postgres.parse(url, folder) if url else file)
            except BaseException:
                held.release()
                raise
        except OSError as error:
            if is_full(error):
                raise disk_full(folder, _NEEDED_TO_OPEN) from error
            raise

    def __init__(
        self, folder: Path, held: lock.LibraryLock, clock: Clock, backend: Backend
    ) -> None:
        self.folder = folder
        self.blobs = BlobStore(folder / _BLOBS)
        self._lock = held
        self._clock = clock
        self._backend = backend
        self._path = folder / _DATABASE if isinstance(backend, sqlite.Sqlite) else None
        self.backup_problem = ""
        """Why the last backup could not be taken. Empty = it was, or was not due."""
        self._num_writes = 0
        self._num_backed_up = -1
        self._is_closed = False
        self._writing = threading.Lock()
        self._writing_thread: int | None = None
        self._writer: Engine = backend.writer()
        self._reader: Engine = backend.reader()
        try:
            self._bring_up_to_date()
        except BaseException:
            self._dispose()
            raise
        self.blobs.sweep_temporary()

    @property
    def url(self) -> str:
        """The database's URL."""
        return self._writer.url.render_as_string()

    @property
    def backup_folder(self) -> Path:
        """Where backups of the database are kept."""
        return self.folder / _BACKUPS

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Open the one write transaction: committed at the end, rolled back on any error.

        Raises:
            DiskFull: no room; nothing of the transaction was kept.
        """
        if self._writing_thread == threading.get_ident():
            raise StorageError("A write within a write. Hand the open transaction down instead.")
        with self._writing:
            self._writing_thread = threading.get_ident()
            try:
                with self._transaction(self._writer) as tx:
                    before = self._backend.num_changes(tx)
                    yield tx
                    self._num_writes += self._backend.num_changes(tx) != before
            finally:
                self._writing_thread = None

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction: it sees one state of the library until its end."""
        with self._transaction(self._reader) as tx:
            yield tx
            # Nothing to commit; and after reading a damaged page SQLite refuses to.
            tx.rollback()

    def page_problems(self, tx: Connection, *, thorough: bool) -> list[str]:
        """Return what the database finds wrong with its own pages and references."""
        return self._backend.page_problems(tx, thorough=thorough)

    def reference_problems(self, tx: Connection) -> list[str]:
        """Return the rows that name others which are not there. Quick."""
        return self._backend.reference_problems(tx)

    def backup(self, path: Path) -> None:
        """Write a complete copy of the database to `path` while others go on working.

        Raises:
            Refused: the database is PostgreSQL, which makes its own.
        """
        if self._path is None:
            raise Refused(f"{self._backend.where} is backed up by `pg_dump`, not from here.")
        backup.copy(self._path, Path(path))

    def backup_if_due(self) -> Path | None:
        """Take a backup if the last one is old enough and something was written since.

        Returns:
            The new one. None = none was due, or it failed: then `backup_problem` says why.
        """
        if self._path is None or self._num_writes == self._num_backed_up:
            return None
        before = self._num_writes
        try:
            made = backup.take_if_due(self._path, self.backup_folder, self._clock())
        except (DiskFull, LibraryUnusable, OSError) as error:
            self._no_backup(error)
            return None
        if made is not None:
            self.backup_problem, self._num_backed_up = "", before
        return made

    def announce(self, address: str) -> None:
        """Tell whoever finds the library in use where its page is served."""
        self._lock.announce(address)

    def close(self) -> None:
        """Fold the log into the database, close it and give the lock back."""
        with self._writing:
            if self._is_closed:
                return
            self._is_closed = True
            self._reader.dispose()
            try:
                with contextlib.suppress(DatabaseError), self._writer.connect() as connection:
                    self._backend.before_closing(connection)
            finally:
                self._dispose()
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        if self._is_closed:
            raise StorageError(f"The library in {self.folder} is closed. Open it again.")
        try:
            with engine.connect() as connection:
                tx = connection.execution_options(clock=self._clock, blobs=self.blobs)
                with tx.begin():
                    yield tx
        except DatabaseError as error:
            full = self._backend.disk_full_of(error)
            if full is None:
                raise
            raise full from error

    def _bring_up_to_date(self) -> None:
        try:
            with self._reader.connect() as connection:
                migration = upgrade.current(connection)
                is_new = self._backend.is_empty(connection)
        except DatabaseError as error:
            raise self._unusable(error) from error
        self._reader.dispose()  # opened before the writer switched the file to WAL
        if migration is None and not is_new:
            raise LibraryUnusable(
                f"{self._backend.where} is a database of another program. Choose another one."
            )
        upgrade.require_known(migration)
        if is_new:
            self._require_no_remains()
        else:
            self._take_daily_backup()
        if migration is not None and migration != upgrade.newest() and self._path is not None:
            at = self._clock()
            backup.take_before_migration(self._path, self.backup_folder, at, migration)
        with self._migrating() as connection:
            upgrade.upgrade(connection)
        if is_new:
            sync_folder(self.folder)  # else a power cut could take the file's name away
        with self.write() as tx:
            # Nobody else is running, so whoever pinned these is gone.
            tx.execute(delete(schema.blob_pin))

    def _require_no_remains(self) -> None:
        # A lost database must not look like a first start: the editor would see an empty studio.
        if self._path is None:
            return
        backups = backup.taken(self.backup_folder)
        if backups or next(self.blobs.list(), None) is not None:
            newest = f"the newest backup, {backups[-1]}," if backups else "a copy of it"
            raise LibraryUnusable(
                f"{self._path} is missing or empty, but {self.folder} holds the files of a "
                f"library. Put {newest} in its place, or choose another folder for a new library."
            )

    def _unusable(self, error: DatabaseError) -> LibraryUnusable:
        if self._path is None:
            return LibraryUnusable(
                f"{self._backend.where} cannot be opened ({error.orig}). Start that database, or "
                "correct its address."
            )
        return LibraryUnusable(
            f"{self._path} is not a library ({error.orig}). Move it away, or put the newest file "
            f"of {self.backup_folder} in its place."
        )

    def _take_daily_backup(self) -> None:
        if self._path is None:
            return
        try:
            backup.take_daily(self._path, self.backup_folder, self._clock())
        except (DiskFull, LibraryUnusable) as error:
            # One bad page must not keep the editor from all that is sound.
            self._no_backup(error)

    def _no_backup(self, error: Exception) -> None:
        self.backup_problem = str(error)
        log.warning("A backup was not taken: %s", error)

    @contextlib.contextmanager
    def _migrating(self) -> Iterator[Connection]:
        try:
            with self._writer.connect() as connection:
                yield connection
        except DatabaseError as error:
            full = self._backend.disk_full_of(error)
            if full is None:
                raise
            raise full from error

    def _dispose(self) -> None:
        # Readers first: whoever closes last checkpoints, and only the writer may.
        self._reader.dispose()
        self._writer.dispose()
