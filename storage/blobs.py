"""Blobs as files named by their SHA-256, written so that a name that is seen is a file that lasts.

`put` writes aside, syncs, asks for a pin, and only then makes the file visible: a crash or power
cut at any point leaves at most a temporary file. The engine uses this too, so nothing here knows
the database. No text of a user ever becomes part of a path.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.errors import BlobCorrupt, BlobMissing, DiskFull

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A blob that is durable."""

    digest: str
    size: int
    """Bytes."""


class BlobStore:
    """The blobs in one folder. Any number of threads and processes may put at the same time."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._temporary = self.root / "tmp"
        self._folders = [self.root / f"{value:02x}" for value in range(256)]
        self._verified: dict[str, tuple[int, int, int]] = {}
        self._lock = threading.Lock()
        self._prepare()

    def put(self, data: bytes | BinaryIO, pin: Callable[[str], None] | None = None) -> Stored:
        """Store the bytes durably and return their digest.

        Args:
            data: bytes, or an open binary file that is read to its end.
            pin: called with the digest before the file becomes visible; returns once collection
                can no longer remove that blob.

        Raises:
            DiskFull: no room; the temporary file is gone.
        """
        stream = io.BytesIO(data) if isinstance(data, bytes) else data
        temporary = self._temporary / secrets.token_hex(16)
        size = 0
        try:
            with temporary.open("xb") as file:
                sha = hashlib.sha256()
                while piece := stream.read(_PIECE_BYTES):
                    file.write(piece)
                    sha.update(piece)
                    size += len(piece)
                file.flush()
                os.fsync(file.fileno())
            digest = sha.hexdigest()
            if pin is not None:
                pin(digest)
            self._publish(temporary, digest)
        except OSError as error:
            if is_full(error):
                raise self._full(size, stream) from error
            raise
        finally:
            # The name is still there only if something above failed: leave nothing half-written.
            with contextlib.suppress(OSError):
                temporary.unlink()
        return Stored(digest=digest, size=size)

    def open(self, digest: str) -> BinaryIO:
        """Return the blob as an open file at its start, verified once per process.

        Raises:
            BlobMissing: no such file.
            BlobCorrupt: its bytes do not have this digest.
        """
        file = self._open(digest)
        try:
            self._verify(digest, file)
        except BaseException:
            file.close()
            raise
        return file

    def read(self, digest: str) -> bytes:
        """Return the blob's bytes; raises as `open` does."""
        with self.open(digest) as file:
            return file.read()

    def path(self, digest: str) -> Path:
        """Return where the blob's file is or would be.

        Raises:
            BlobMissing: not 64 lower-case hexadecimal digits, so no blob can have that name.
        """
        if not _DIGEST.fullmatch(digest):
            raise BlobMissing(
                f"{digest[:80]!r} is not a digest. Expected 64 lower-case hexadecimal digits."
            )
        return self.root / digest[:2] / digest

    def size(self, digest: str) -> int:
        """Return the blob's size in bytes, or raise `BlobMissing`."""
        try:
            status = self.path(digest).lstat()
        except FileNotFoundError as error:
            raise _missing(digest) from error
        if not stat.S_ISREG(status.st_mode):
            raise _missing(digest)
        return status.st_size

    def exists(self, digest: str) -> bool:
        """Return whether there is a file for this digest."""
        try:
            self.size(digest)
        except BlobMissing:
            return False
        return True

    def verify(self, digest: str) -> None:
        """Hash the file again, whatever this process has seen; raises as `open` does."""
        with self._lock:
            self._verified.pop(digest, None)
        self.open(digest).close()

    def delete(self, digest: str) -> None:
        """Remove the file for good. Its row must be gone already."""
        path = self.path(digest)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            sync_folder(path.parent)

    def quarantine(self, digest: str) -> Path | None:
        """Put a damaged file aside, so that its blob counts as missing and can be stored again.

        Returns:
            Where it is now. None = there is no such file, or it is sound.
        """
        path = self.path(digest)
        if self._is_sound(digest) or not path.exists():
            return None
        aside = self.root / "quarantine"
        aside.mkdir(exist_ok=True)
        moved = aside / f"{digest}-{secrets.token_hex(4)}"
        path.replace(moved)
        sync_folder(path.parent)
        sync_folder(aside)
        return moved

    def list(self) -> Iterator[str]:
        """Yield the digest of every file, in order."""
        # By the folders that `_prepare` made: to list them costs more than to know their names.
        for folder in self._folders:
            yield from filter(_DIGEST.fullmatch, _names_in(folder))

    def sweep_temporary(self) -> int:
        """Remove what killed writers left behind and return how many files that were.

        Only for the one process that owns the store, before it starts writers.
        """
        count = 0
        for path in self._temporary.iterdir():
            if path.is_dir():  # of an engine that wrote a film
                shutil.rmtree(path)
            else:
                path.unlink()
            count += 1
        return count

    def _prepare(self) -> None:
        # All folders exist from the start, so that no `put` has to make one durable.
        self._temporary.mkdir(parents=True, exist_ok=True)
        fresh = False
        for folder in self._folders:
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                fresh = True
        if fresh:
            sync_folder(self.root)
            sync_folder(self.root.parent)

    def _publish(self, temporary: Path, digest: str) -> None:
        final = self.path(digest)
        if self._is_sound(digest):
            # Whoever wrote it may have been killed between rename and sync: sync it ourselves.
            with final.open("rb") as file:
                os.fsync(file.fileno())
        else:
            temporary.chmod(0o444)
            temporary.replace(final)
        sync_folder(final.parent)

    def _is_sound(self, digest: str) -> bool:
        try:
            self.open(digest).close()
        except (BlobMissing, BlobCorrupt):
            return False
        return True

    def _open(self, digest: str) -> BinaryIO:
        self.size(digest)
        # A link in the store is nobody's blob; never follow it out of the folder.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            return os.fdopen(os.open(self.path(digest), flags), "rb")
        except FileNotFoundError as error:
            raise _missing(digest) from error

    def _verify(self, digest: str, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            if self._verified.get(digest) == seen:
                return
        actual = _digest_of(file)
        if actual != digest:
            raise BlobCorrupt(
                f"Blob {digest} has {status.st_size} bytes with digest {actual}. "
                "Run check to see which takes need it, then generate those again."
            )
        file.seek(0)
        with self._lock:
            self._verified[digest] = seen

    def _full(self, written: int, stream: BinaryIO) -> DiskFull:
        needed = written
        with contextlib.suppress(OSError):
            at = stream.tell()
            needed = max(needed, stream.seek(0, os.SEEK_END))
            stream.seek(at)
        return disk_full(self.root, needed)


def _names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except FileNotFoundError:  # somebody removed it: its blobs are missing, which others report
        return []


def is_full(error: OSError) -> bool:
    """Return whether the error means that there is no room, on the disk or in the quota."""
    return error.errno in _FULL


def disk_full(folder: Path, needed: int) -> DiskFull:
    """Return the error for a write of `needed` bytes that found no room in `folder`'s disk."""
    free = shutil.disk_usage(folder).free / 1e6
    return DiskFull(
        f"The disk of {folder} is full: {free:.1f} MB free, {needed / 1e6:.1f} MB needed. "
        "Nothing was saved. Free some space, then try again."
    )


def _missing(digest: str) -> BlobMissing:
    return BlobMissing(
        f"Blob {digest} is not in the store. Run check to see which takes need it, "
        "then generate those again or restore the file from a backup."
    )


def _digest_of(stream: BinaryIO) -> str:
    sha = hashlib.sha256()
    while piece := stream.read(_PIECE_BYTES):
        sha.update(piece)
    return sha.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files they name."""
    if os.name == "nt":  # folders cannot be opened there; the file system orders renames itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
