"""The lock of a library: one process at a time, and the second is told who the first one is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from storage.errors import LibraryInUse
from storage.processes import ProcessId, is_running, this_process

_LOCK = "library.lock"
_OWNER = "library.owner.json"


@dataclass(frozen=True, kw_only=True)
class _Owner:
    process: ProcessId
    address: str


class LibraryLock:
    """A held lock. The system gives it back if the process is killed."""

    def __init__(self, folder: Path, file_lock: FileLock) -> None:
        self._owner_path = folder / _OWNER
        self._file_lock = file_lock

    def announce(self, address: str) -> None:
        """Write down who holds the library and where its page is served."""
        owner = {"process": asdict(this_process()), "address": address}
        aside = self._owner_path.with_suffix(".part")
        aside.write_text(json.dumps(owner))
        aside.replace(self._owner_path)

    def release(self) -> None:
        """Give the lock back."""
        self._owner_path.unlink(missing_ok=True)
        self._file_lock.release()


def acquire(folder: Path, address: str) -> LibraryLock:
    """Take the library's lock, or one left by a killed process.

    Raises:
        LibraryInUse: a living process holds it; the message names its pid and address.
    """
    file_lock = FileLock(
        folder / _LOCK,
        timeout=0,
        thread_local=False,
        fallback_to_soft=False,  # a marker file would outlive a killed process
    )
    try:
        file_lock.acquire()
    except Timeout as error:
        raise _in_use(folder, _owner(folder)) from error
    owner = _owner(folder)
    if owner is not None and is_running(owner.process):
        # Somebody removed the lock file under a running server: its word counts.
        file_lock.release()
        raise _in_use(folder, owner)
    held = LibraryLock(folder, file_lock)
    held.announce(address)
    return held


def _owner(folder: Path) -> _Owner | None:
    try:
        value = json.loads((folder / _OWNER).read_text())
        process = ProcessId(**value["process"])
        return _Owner(process=process, address=str(value["address"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not written yet, or cut off by a power cut: the lock itself decides


def _in_use(folder: Path, owner: _Owner | None) -> LibraryInUse:
    if owner is None:
        who, pid, address = "a process that has not said who it is yet", None, ""
    else:
        pid, address = owner.process.pid, owner.address
        who = f"process {pid}" + (f" at {address}" if address else "")
    return LibraryInUse(
        f"The library in {folder} is in use by {who}. Use that one, or stop it and try again.",
        pid=pid,
        address=address,
    )
