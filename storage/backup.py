"""Backups of the database: complete copies taken while others work, kept in generations.

Blobs never change and are removed only after a grace of weeks, so a copy of the database is a
copy of the library for as long as a backup is kept.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.blobs import disk_full, is_full, sync_folder
from storage.errors import LibraryUnusable

_PREFIX, _SUFFIX = "library-", ".sqlite3"
_BEFORE = "before-migrating-from-"
_TIME = "%Y%m%dT%H%M%S%f"
_MINUTE, _HOUR, _DAY = 60_000_000, 3_600_000_000, 86_400_000_000
_INTERVAL = 10 * _MINUTE
# Ten-minute steps for an hour, hours for a working day, days for a working week.
_GENERATIONS = ((_INTERVAL, 6), (_HOUR, 8), (_DAY, 5))


def copy(database: Path, path: Path) -> None:
    """Copy the database to `path`, complete and checked, or leave nothing there.

    Raises:
        DiskFull: no room for the copy.
        LibraryUnusable: the copy fails its check, so the database itself is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(database)) as source,
            contextlib.closing(sqlite3.connect(aside)) as target,
        ):
            source.execute("PRAGMA wal_autocheckpoint=0")
            source.backup(target)
            # A copy is one file: it must not need a log beside it.
            target.execute("PRAGMA journal_mode=DELETE")
            found = [str(row[0]) for row in target.execute("PRAGMA quick_check(1)")]
        if found != ["ok"]:
            raise _damaged(database, path.parent, found[0])
        publish(aside, path)
    except OSError as error:
        if is_full(error):
            raise disk_full(path.parent, database.stat().st_size) from error
        raise
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise disk_full(path.parent, database.stat().st_size) from error
        raise _damaged(database, path.parent, str(error)) from error
    finally:
        aside.unlink(missing_ok=True)


def take(database: Path, folder: Path, now: int) -> Path:
    """Take a backup into `folder`, then drop those no generation needs; return the new one."""
    path = folder / name_at(now)
    copy(database, path)
    paths = {_time_of(p): p for p in taken(folder)}
    for time in set(paths) - kept(set(paths), now) - {now}:
        paths[time].unlink()
    return path


def name_at(now: int) -> str:
    """Return the name of a backup taken at a time in microseconds."""
    return f"{_PREFIX}{_to_text(now)}{_SUFFIX}"


def take_daily(database: Path, folder: Path, now: int) -> Path | None:
    """Take a backup if there is none of this day (UTC) yet; return it."""
    times = [_time_of(path) for path in taken(folder)]
    if any(time // _DAY == now // _DAY for time in times):
        return None
    return take(database, folder, now)


def take_if_due(database: Path, folder: Path, now: int) -> Path | None:
    """Take a backup if the newest is ten minutes old or older; return it."""
    newest = max((_time_of(path) for path in taken(folder)), default=None)
    if newest is not None and 0 <= now - newest < _INTERVAL:
        return None
    return take(database, folder, now)


def take_before_migration(database: Path, folder: Path, now: int, migration: str) -> Path:
    """Take a backup of the tables of `migration`. It stays: only a person may drop it."""
    path = folder / f"{_BEFORE}{migration}-{_to_text(now)}{_SUFFIX}"
    copy(database, path)
    return path


def restore(database: Path, file: Path, now: int) -> Path:
    """Put a backup in the place of the database; return where that one is kept now.

    Only while no process has the library open.

    Raises:
        LibraryUnusable: the backup is damaged or no database; nothing was changed.
        DiskFull: no room for a second copy; nothing was changed.
    """
    fresh = database.with_name(database.name + ".restored")
    copy(file, fresh)
    kept_as = database.with_name(f"before-restoring-{_to_text(now)}{_SUFFIX}")
    for suffix in ("", "-wal", "-shm"):
        # What the log holds belongs to the old database alone.
        old = database.with_name(database.name + suffix)
        if old.exists():
            old.replace(kept_as.with_name(kept_as.name + suffix))
    publish(fresh, database)
    return kept_as


def taken(folder: Path) -> list[Path]:
    """Return the backups in `folder` that come and go with time, oldest first."""
    return sorted(p for p in folder.glob(f"{_PREFIX}*{_SUFFIX}") if _is_ours(p))


def kept(times: set[int], now: int) -> set[int]:
    """Return which of the backups taken at `times` (microseconds) the generations keep at `now`.

    Of each of the last 6 ten-minute steps, 8 hours and 5 days that has one, the newest stays.
    """
    keep: set[int] = set()
    for length, count in _GENERATIONS:
        newest: dict[int, int] = {}
        for time in times:
            step = time // length
            newest[step] = max(time, newest.get(step, time))
        keep.update(newest[step] for step in sorted(newest, reverse=True)[:count])
    return keep | {time for time in times if time > now}  # a clock that was set back proves nothing


def _damaged(database: Path, folder: Path, found: str) -> LibraryUnusable:
    return LibraryUnusable(
        f"A backup of {database} is damaged ({found}), so the database is too. "
        f"Run check, or restore an older file of {folder}."
    )


def publish(aside: Path, path: Path) -> None:
    """Give a file that was written aside its name, durably."""
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def _to_text(time: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).strftime(_TIME)


def _time_of(path: Path) -> int:
    text = path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    since = datetime.strptime(text, _TIME).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def _is_ours(path: Path) -> bool:
    try:
        _time_of(path)
    except ValueError:
        return False
    return True
