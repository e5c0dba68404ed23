"""The errors of the storage, as one tree.

```
StorageError
  LibraryInUse         another process has the library open; names its pid and address
  LibraryTooNew        a newer version of the program wrote this library
  LibraryUnusable      the folder or its database cannot hold a library
  DiskFull             the disk has no room; nothing half-written was kept
  Conflict             the branch moved since it was read; carries the newer branch and cut
  NotFound             no row with that id
  Refused              a value that must not be stored
  Fenced               a stale or cancelled run tried to finish a job
  BlobMissing          a blob is named but its bytes are not there
  BlobCorrupt          a blob's bytes do not have its digest
```
A message says what happened, with the number; what was expected; what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.records import Branch, Cut


class StorageError(Exception):
    """Something the storage was asked to do could not be done."""


class LibraryInUse(StorageError):
    """Another process has the library open."""

    def __init__(self, message: str, *, pid: int | None, address: str) -> None:
        super().__init__(message)
        self.pid = pid
        """Process that holds the library. None = it has not said so yet."""
        self.address = address
        """Where its page is served. Empty = it serves none."""


class LibraryTooNew(StorageError):
    """A newer version of the program wrote this library."""


class LibraryUnusable(StorageError):
    """The folder or its database cannot hold a library."""


class DiskFull(StorageError):
    """The disk has no room; nothing half-written was kept."""


class Conflict(StorageError):
    """The branch moved since it was read."""

    def __init__(self, message: str, *, branch: Branch, cut: Cut) -> None:
        super().__init__(message)
        self.branch = branch
        """The branch as it is now."""
        self.cut = cut
        """The cut at the head of that branch."""


class NotFound(StorageError):
    """No row with that id."""


class Refused(StorageError):
    """A value that must not be stored."""


class Fenced(StorageError):
    """A stale or cancelled run tried to finish a job."""


class BlobMissing(StorageError):
    """A blob is named but its bytes are not there."""


class BlobCorrupt(StorageError):
    """A blob's bytes do not have its digest."""
