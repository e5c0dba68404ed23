"""The thread that looks after the library: a check at the start, backups, and collection."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import DatabaseError

from storage.check import check_quickly
from storage.collect import collect
from storage.errors import StorageError
from studio.session import Session

LOOK_SECONDS = 30.0
"""Between two looks at whether a backup is due."""
IDLE_LOOKS = 20
"""Looks in a row without a running job before collection may begin: ten minutes."""
COLLECT_LOOKS = 24 * 60 * 2
"""Looks between two collections: a day."""

log = logging.getLogger(__name__)


class Upkeep:
    """Looks after the library until it is told to stop. It never runs beside a job for long."""

    def __init__(self, session: Session) -> None:
        """Hold the session; nothing runs yet."""
        self._session = session
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._num_idle = 0
        self._until_collection = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join(timeout=20)

    def look(self) -> None:
        """Take a backup if one is due; collect if nothing has run for a while."""
        session = self._session
        before = session.library.backup_problem
        session.library.backup_if_due()
        if session.library.backup_problem != before:
            session.publish(None, {"kind": "library"})
        self._until_collection = max(0, self._until_collection - 1)
        self._num_idle = 0 if session.running else self._num_idle + 1
        if self._num_idle >= IDLE_LOOKS and self._until_collection == 0:
            self._until_collection = COLLECT_LOOKS
            done = collect(session.library, dry_run=False)
            log.info("Collected %d blobs, %d bytes.", len(done.digests), done.num_bytes)

    def check(self) -> None:
        """Look at what every start should look at, and tell the page."""
        found = check_quickly(self._session.library).problems
        self._session.damage = tuple(found)
        if found:
            self._session.publish(None, {"kind": "library"})

    def _run(self) -> None:
        self._safely(self.check)
        while not self._stopping.wait(LOOK_SECONDS):
            self._safely(self.look)

    def _safely(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (StorageError, DatabaseError, OSError):
            # A full disk or a damaged row: said elsewhere, and no reason to stop the backups.
            log.exception("The library could not be looked after; trying again.")
