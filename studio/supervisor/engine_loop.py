"""The thread that owns the engine: it starts it, claims jobs for it and commits what they leave."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from engine.errors import CheckpointError, EngineError, ProtocolError
from engine.protocol import (
    CancelledMessage,
    Crashed,
    Failed,
    Finished,
    FromEngine,
    PausedMessage,
    Pin,
    Preview,
    Progress,
    Saved,
)
from storage import checkpoints, jobs, paused, references, waiting
from storage.errors import DiskFull, Fenced, StorageError
from storage.records import Job, Json
from studio.session import EngineState, Running, Session
from studio.supervisor.crash_report import write_report
from studio.supervisor.dispatch import CannotRun, Dispatched, dispatch
from studio.supervisor.results import commit_result
from studio.supervisor.reuse import code_of, commit_reused, made_before

KINDS = ("generate", "encode", "recall", "measure", "lint")
HEARTBEAT_SECONDS = 5.0
RETRY_SECONDS = 60.0
"""Between two attempts to load a model whose folder could not be used."""
DIED_SECONDS = 1.0

RESTING = "Its memory is free. The model is loaded again when the next job waits."
LOADING = "The model is being loaded."

log = logging.getLogger(__name__)


class EngineLoop:
    """Runs the engine's jobs, one after the other, until it is told to stop."""

    def __init__(self, session: Session, worker_id: str) -> None:
        """Hold what the loop works on; nothing runs yet."""
        self._session = session
        self._worker_id = worker_id
        self._owed: tuple[Job, StorageError] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine-loop", daemon=True)
        self._heartbeat_at = 0.0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the engine and the thread; a job that runs goes back to the queue."""
        self._stopping.set()
        self._session.wake()
        self._session.executor.close()
        self._thread.join(timeout=20)

    def _run(self) -> None:
        while not self._stopping.is_set():
            stamp = self._session.stamp
            if self._session.is_resting and not self._has_work():
                self._rest()
                self._session.wait(stamp, 5.0)
                continue
            if not self._ensure_engine():
                continue
            try:
                is_busy = self._run_next()
                self._session.trouble = None
            except StorageError as error:
                self._tell_trouble(error)
                is_busy = False
                self._stopping.wait(1.0)
            except Exception:  # the thread's border: without it no job ever runs again
                log.exception("The queue could not be read or written; trying again.")
                is_busy = False
                self._stopping.wait(1.0)
            if not is_busy:
                self._session.wait(stamp, 5.0)

    def _tell_trouble(self, error: StorageError) -> None:
        """Say what is wrong with the disk; the queue tries again until it is mended."""
        if self._session.trouble is None:
            log.error("The queue could not be read or written, trying again: %s", error)
        self._session.trouble = error
        self._session.set_engine(EngineState(state="failed", message=str(error)))
        self._session.wake()

    def _has_work(self) -> bool:
        with self._session.library.read() as tx:
            return waiting.has_any(tx, waiting.startable(tx, KINDS))

    def _rest(self) -> None:
        """Keep the engine's memory free until a job waits."""
        self._session.executor.rest()
        self._session.set_engine(EngineState(state="resting", message=RESTING))

    def _ensure_engine(self) -> bool:
        session = self._session
        session.is_resting = False
        worn = session.executor.worn
        if worn or session.engine.state == "resting":
            session.set_engine(EngineState(state="starting", message=worn or LOADING))
        try:
            session.executor.start()
        except EngineError as error:
            if not self._stopping.is_set():
                log.error("The engine did not start: %s", error)
                session.set_engine(EngineState(state="failed", message=str(error)))
            # Not woken by edits: each attempt loads torch. The executor itself delays a dead one.
            is_folder = isinstance(error, CheckpointError)
            self._stopping.wait(RETRY_SECONDS if is_folder else DIED_SECONDS)
            return False
        if session.engine.state != "ready" and session.trouble is None:
            session.set_engine(EngineState(state="ready", message="The model is ready."))
        return True

    def _run_next(self) -> bool:
        self._settle_owed()
        with self._session.library.write() as tx:
            job = jobs.claim(tx, self._worker_id, waiting.startable(tx, KINDS))
        if job is None:
            return False
        running = Running(project_id=job.project_id, shot_id=job.shot_id, kind=job.kind)
        self._session.running[job.id] = running
        self._session.changed(job.project_id)
        self._session.push_job(job.id, running, state="running")
        try:
            self._run_job(job)
        except StorageError as error:
            # Not even the failure could be stored: it is owed until the disk takes it.
            self._owed = (job, error)
            raise
        except Exception as error:  # the thread's border: the queue must go on
            log.exception("Job %s met an error that was not foreseen.", job.id)
            self._give_up(job, error)
        finally:
            self._session.running.pop(job.id, None)
            self._tell_end(job, running)
        return True

    def _run_job(self, job: Job) -> None:
        session = self._session
        # A cancel of an earlier run that came too late must not meet this one.
        session.executor.forget(job.id)
        try:
            with session.library.read() as tx:
                now = jobs.get(tx, job.id)
                if now.state == "cancelling":
                    ask = (
                        session.executor.stop_early
                        if jobs.is_kept(now)
                        else session.executor.cancel
                    )
                    ask(job.id)
                dispatched = dispatch(session, tx, job)
                reused = made_before(tx, job, dispatched, session.info())
        except (CannotRun, StorageError, KeyError, TypeError, ValueError) as error:
            told = _error(error)
            self._end(job, lambda tx: jobs.fail(tx, job.id, job.fence, told))
            return
        if reused is not None:
            self._end(job, lambda tx: commit_reused(tx, job, reused))
            return
        try:
            for message in session.executor.submit(job.id, dispatched.spec):
                self._hear(job, dispatched, message)
        except DiskFull as error:
            self._give_up(job, error)
        except (StorageError, ProtocolError) as error:
            log.exception("Job %s could not be committed.", job.id)
            self._give_up(job, error)

    def _settle_owed(self) -> None:
        if self._owed is None:
            return
        job, error = self._owed
        self._end(job, lambda tx: jobs.fail(tx, job.id, job.fence, _error(error)))
        self._owed = None

    def _give_up(self, job: Job, error: Exception) -> None:
        """End a job whose result cannot be stored, and the run that may still go on."""
        self._session.executor.kill()
        self._end(job, lambda tx: jobs.fail(tx, job.id, job.fence, _error(error)))

    def _hear(self, job: Job, dispatched: Dispatched, message: FromEngine) -> None:
        session = self._session
        if isinstance(message, Progress):
            session.progress(job.id, message)
            self._note(job, message)
        elif isinstance(message, Preview):
            shown = {
                "kind": "preview",
                "job": job.id,
                "shot_id": job.shot_id,
                "step": message.step,
                "jpeg": f"data:image/jpeg;base64,{message.jpeg_base64}",
            }
            session.publish(job.project_id, shown)
        elif isinstance(message, Pin):
            with session.library.write() as tx:
                references.pin(tx, message.digest, job.id)
            session.executor.pinned(message.digest)
        elif isinstance(message, Finished):
            code = code_of(session.info())
            self._end(job, lambda tx: commit_result(tx, job, dispatched, message.result, code))
        elif isinstance(message, Saved):
            self._save(job, message)
        elif isinstance(message, CancelledMessage):
            self._end(job, lambda tx: self._cancelled(tx, job))
        elif isinstance(message, PausedMessage):
            self._end(job, lambda tx: self._paused(tx, job))
        elif isinstance(message, Failed):
            error = {"message": message.message, "error": message.error}
            self._end(job, lambda tx: jobs.fail(tx, job.id, job.fence, error))
        elif isinstance(message, Crashed):
            again = f"{message.message} It is being started again."
            session.set_engine(EngineState(state="starting", message=again))
            self._report(job, message)
            self._end(job, lambda tx: self._release(tx, job, message))

    def _report(self, job: Job, crash: Crashed) -> None:
        if self._stopping.is_set():
            return
        try:
            stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
            log.warning(
                "%s See %s.", crash.message, write_report(self._session, job, crash, now=stamp)
            )
        except OSError as error:  # a report is no reason to lose the job
            log.warning("%s No report could be written: %s", crash.message, error)

    def _cancelled(self, tx: Connection, job: Job) -> Job:
        if self._stopping.is_set():
            return _put_back(tx, job)
        return jobs.cancelled(tx, job.id, job.fence)

    def _paused(self, tx: Connection, job: Job) -> Job:
        running = self._session.running.get(job.id)
        if running is None or not running.is_pausing:
            return _put_back(tx, job)  # the engine was closed, to go on with another one
        return paused.pause(tx, job.id, job.fence)

    def _save(self, job: Job, message: Saved) -> None:
        """Remember where a job stands; what it stood on before is removed."""
        try:
            with self._session.library.write() as tx:
                kept = dataclasses.asdict(message.checkpoint)
                useless = checkpoints.keep(tx, job.id, job.fence, kept)
        except Fenced:
            self._session.executor.cancel(job.id)
            return
        if useless is not None:
            self._session.library.blobs.delete(useless)

    def _release(self, tx: Connection, job: Job, crash: Crashed) -> Job:
        if self._stopping.is_set():
            return _put_back(tx, job)
        why, tries = crash.message, job.attempts + 1
        if tries >= job.max_attempts:
            why = (
                f"{why} That happened {tries} times, so it is not tried again by itself. "
                "Try fewer frames or a smaller size, then use Retry. What was known each time lies "
                "in the folder crashes beside the library."
            )
        return jobs.release(tx, job.id, job.fence, {"message": why})

    def _note(self, job: Job, said: Progress) -> None:
        now = time.monotonic()
        if now - self._heartbeat_at < HEARTBEAT_SECONDS:
            return
        self._heartbeat_at = now
        try:
            with self._session.library.write() as tx:
                jobs.heartbeat(tx, job.id, job.fence)
                jobs.progress(tx, job.id, job.fence, said.done)
        except Fenced:
            self._session.executor.cancel(job.id)

    def _end(self, job: Job, finish: Callable[[Connection], Job]) -> None:
        """End a job in one transaction; one that was cancelled first counts as cancelled."""
        with self._session.library.read() as tx:
            stood = checkpoints.find(tx, job.id)
        try:
            with self._session.library.write() as tx:
                finish(tx)
        except Fenced:
            self._end_cancelled(job)
        self._remove_checkpoint(job, stood)
        self._session.changed(job.project_id)

    def _remove_checkpoint(self, job: Job, stood: Json | None) -> None:
        """Remove the blob of a checkpoint that its job has just ended without."""
        if stood is None or stood["is_clean"]:
            return
        with self._session.library.write() as tx:
            is_kept = checkpoints.find(tx, job.id) is not None
            is_kept = is_kept or references.exists(tx, stood["digest"])
        if not is_kept:
            self._session.library.blobs.delete(stood["digest"])

    def _end_cancelled(self, job: Job) -> None:
        with self._session.library.write() as tx:
            now = jobs.get(tx, job.id)
            if now.state == "cancelling" and now.fence == job.fence:
                jobs.cancelled(tx, job.id, job.fence)

    def _tell_end(self, job: Job, running: Running) -> None:
        with self._session.library.read() as tx:
            now = jobs.get(tx, job.id)
        state = "failed" if now.state == "quarantined" else now.state
        message = (now.error or {}).get("message", "") if state in ("failed", "queued") else ""
        self._session.push_job(job.id, running, state=state, message=message)


def _put_back(tx: Connection, job: Job) -> Job:
    """Put a job back at its place because the studio closes: that is no failed attempt."""
    return jobs.release(tx, job.id, job.fence, is_attempt=False)


def _error(error: Exception) -> dict[str, str]:
    return {"message": str(error), "error": type(error).__name__}
