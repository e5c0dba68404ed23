"""The workers of a launch, and what is put in order before they begin."""

from __future__ import annotations

import shutil

from storage import checkpoints, jobs, workers
from studio.session import Session
from studio.supervisor.engine_loop import EngineLoop
from studio.supervisor.media_loop import MediaLoop
from studio.supervisor.upkeep import Upkeep


class Supervisor:
    """Runs the queue: the engine's jobs in one thread, media jobs in another; and the upkeep."""

    def __init__(self, session: Session) -> None:
        """Register this process as a worker and put back what a dead one left claimed."""
        scratch = session.settings.scratch_folder
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True, exist_ok=True)
        with session.library.write() as tx:
            self._worker_id = workers.register(tx, kind="engine")
            self.requeued = jobs.requeue_lost(tx, lambda worker: workers.is_alive(tx, worker))
            workers.forget_dead(tx)
            useless = checkpoints.sweep(tx)
        for digest in useless:
            session.library.blobs.delete(digest)
        self._loops = (
            EngineLoop(session, self._worker_id),
            MediaLoop(session, self._worker_id),
            Upkeep(session),
        )

    def start(self) -> None:
        """Start the threads; the engine is loaded by its own."""
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """End the threads and what they hold; jobs that run go back to the queue."""
        for loop in self._loops:
            loop.stop()
