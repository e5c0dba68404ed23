"""How the server holds the engine: a spawned child on a pipe, supervised, killed and restarted.

The worker is named by a string and imported inside the child, so that the server never loads torch.
A thread per child drains the pipe, so that an idle child can send heartbeats for days.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from engine import wire
from engine.child import run_worker, without_secrets
from engine.errors import CheckpointError, EngineDied, ProtocolError
from engine.protocol import (
    LAST,
    MAX_MESSAGE_BYTES,
    Cancel,
    CancelledMessage,
    Crashed,
    EngineInfo,
    Failed,
    Finished,
    FromEngine,
    Heartbeat,
    Pause,
    Pinned,
    Progress,
    Ready,
    Run,
    Shutdown,
    StopEarly,
    ToEngine,
)
from engine.specs import Spec
from engine.watch import exit_in_words, resident_mib

WORKER = "engine.worker:main"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long the client waits before it acts, in seconds; what the engine may hold, in MiB."""

    silence: float = 20.0
    """Without any message a running engine counts as stuck."""
    first_word: float = 600.0
    """For a new child's first message: it has to import torch first, on a machine that may be busy.
    A child that dies meanwhile is noticed at once."""
    loading: float = 120.0
    """Between two messages of a child that loads its model."""
    cancel_grace: float = 5.0
    """Between asking for a stop and ending the process."""
    close_grace: float = 5.0
    first_backoff: float = 0.5
    """Wait before the first restart; doubles with each death in a row."""
    largest_backoff: float = 30.0
    memory_mib: int = 0
    """Resident memory above which the engine is ended. 0 = no limit."""
    growth_share: float = 0.25
    """Of `memory_mib`: what it may grow by since its first job before it is started afresh."""
    recycle_jobs: int = 200
    """Jobs after which it is started afresh all the same."""


@dataclass(frozen=True, kw_only=True)
class _Gone:
    """The child's pipe has ended."""

    reason: str = ""


@dataclass(kw_only=True)
class _Child:
    """One life of the engine process."""

    process: BaseProcess
    connection: Connection
    inbox: queue.SimpleQueue[FromEngine | _Gone] = field(default_factory=queue.SimpleQueue)
    heard_at: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while a message is sent."""
    job_id: str = ""
    """The job that runs."""
    num_jobs: int = 0
    said_mib: int = 0
    """Resident memory as its last heartbeat said."""
    first_mib: int = 0
    """Resident memory after its first job: what it needs anyway."""
    last_events: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    def note(self, message: FromEngine) -> None:
        """Remember what a crash report tells: how much it held, and what it said last."""
        if isinstance(message, Heartbeat):
            self.said_mib = message.rss_mib
        else:
            where = f" {message.phase} {message.step}" if isinstance(message, Progress) else ""
            self.last_events.append(f"{message.kind}{where}")

    def resident_mib(self) -> int:
        """Return the memory it holds, as the system or else its last heartbeat says."""
        return resident_mib(self.process.pid) or self.said_mib

    def end_job(self) -> None:
        """Note that a job has ended."""
        self.job_id = ""
        self.num_jobs += 1
        self.first_mib = self.first_mib or self.resident_mib()

    def send(self, message: ToEngine) -> None:
        """Send a message; a child that is gone is noticed by the reader instead."""
        with self.lock, contextlib.suppress(OSError):
            self.connection.send_bytes(wire.encode(message))

    def read(self) -> None:
        """Drain the pipe until it ends. Runs in a thread of its own."""
        reason = ""
        while True:
            try:
                message = wire.decode_from_engine(self.connection.recv_bytes(MAX_MESSAGE_BYTES))
            except (EOFError, ConnectionError):
                break  # a child that is killed with messages unread resets the pipe
            except (OSError, ProtocolError) as error:
                # A child that breaks the agreement is not talked to any more: end it.
                reason = str(error)
                self.process.kill()
                break
            self.heard_at = time.monotonic()
            self.note(message)
            self.inbox.put(message)
        self.inbox.put(_Gone(reason=reason))


class LocalExecutor:
    """Runs jobs in a spawned child of this process: the default executor."""

    def __init__(
        self, settings: Mapping[str, Any], *, worker: str = WORKER, limits: Limits | None = None
    ) -> None:
        """Hold the settings for `engine.worker.main`; nothing starts yet."""
        self._settings = dict(settings)
        self._worker = worker
        self._limits = limits or Limits()
        self._child: _Child | None = None
        self._info: EngineInfo | None = None
        self._deaths = 0
        self._died_at = 0.0
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._cancelled: dict[str, float] = {}
        self._asking = threading.Lock()
        self._early: dict[str, Cancel | Pause | StopEarly] = {}
        """What was asked of a job before it ran."""

    @property
    def info(self) -> EngineInfo | None:
        """What the loaded model can do; None until it is loaded."""
        return self._info

    @property
    def pid(self) -> int | None:
        """Process id of the engine, or None when there is none."""
        child = self._child
        return child.process.pid if child and child.process.is_alive() else None

    @property
    def worn(self) -> str:
        """Why `start` will replace the engine by a fresh one, in words; empty = it will not."""
        child, limits = self._child, self._limits
        if child is None or not child.process.is_alive():
            return ""
        if child.num_jobs >= limits.recycle_jobs:
            return f"It has done {child.num_jobs} jobs and is started afresh to give memory back."
        grown = child.resident_mib() - child.first_mib if child.first_mib else 0
        if limits.memory_mib and grown > limits.growth_share * limits.memory_mib:
            return f"It has grown by {grown} MiB and is started afresh to give them back."
        return ""

    def start(self) -> None:
        """Start the engine if it is not running, or is worn, and wait until it is ready.

        Raises:
            EngineDied: the process ended before it was ready, or the executor was closed.
            CheckpointError: the model cannot be loaded; the message says what to do.
        """
        with self._starting:
            if self._closed.is_set():
                raise EngineDied("The engine was closed. Start the studio again.")
            if self._child is not None and self._child.process.is_alive():
                if not self.worn:
                    return
                self.rest()
            self._wait_for_backoff()
            self._child = child = self._spawn()
            self._await_ready(child)

    def submit(self, job_id: str, spec: Spec) -> Iterator[FromEngine]:
        """Yield the job's messages in order; the last is one of `LAST`."""
        child = self._child
        if child is None or not child.process.is_alive():
            message = "The engine was not running. The job goes back to the queue."
            yield Crashed(job_id=job_id, message=message, exit_code=None)
            return
        self._clear(child)
        with self._asking:
            child.send(Run(job_id=job_id, spec=spec))
            child.job_id = job_id
            early = self._early.pop(job_id, None)
            if early is not None:
                child.send(early)
        while True:
            said = self._next(child, job_id)
            if getattr(said, "job_id", None) != job_id:
                continue
            last = isinstance(said, LAST)
            if last:
                self.forget(job_id)
                child.end_job()
            if isinstance(said, Finished):
                self._deaths = 0
            yield said
            if last:
                return

    def pinned(self, digest: str) -> None:
        """Tell the engine that the pin of `digest` is committed."""
        if self._child is not None:
            self._child.send(Pinned(digest=digest))

    def cancel(self, job_id: str) -> None:
        """Ask for a stop at the next block; after the grace the process is ended. Any thread."""
        self._cancelled.setdefault(job_id, time.monotonic())
        self._ask(Cancel(job_id=job_id))

    def pause(self, job_id: str) -> None:
        """Ask for a stop after this step that another run can go on from. Any thread."""
        self._ask(Pause(job_id=job_id))

    def forget(self, job_id: str) -> None:
        """Forget what was asked of an earlier run of this job: a cancel that came too late."""
        self._cancelled.pop(job_id, None)
        with self._asking:
            self._early.pop(job_id, None)

    def stop_early(self, job_id: str) -> None:
        """Ask for an end after this step that keeps what there is by then. Any thread."""
        self._ask(StopEarly(job_id=job_id))

    def kill(self) -> None:
        """End the engine at once. Any thread."""
        if self._child is not None:
            self._child.process.kill()

    def close(self) -> None:
        """End the engine in order, or at once when it does not answer. A closed one stays so."""
        self._closed.set()
        self.rest()

    def rest(self) -> None:
        """End the engine and give its memory back; `start` loads it again. A job is saved first."""
        child = self._child
        if child is None:
            return
        if child.job_id:
            child.send(Pause(job_id=child.job_id))
        child.send(Shutdown())
        child.process.join(self._limits.close_grace)
        if child.process.is_alive():
            child.process.kill()
            child.process.join()
        self._child = None

    def _ask(self, message: Cancel | Pause | StopEarly) -> None:
        """Tell the child; of a job that it does not know yet it is told right after that."""
        with self._asking:
            child = self._child
            if child is not None and child.job_id == message.job_id:
                child.send(message)
            else:
                self._early[message.job_id] = message

    def _spawn(self) -> _Child:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=run_worker, args=(theirs, self._settings, self._worker), daemon=True
        )
        with without_secrets():
            process.start()
        theirs.close()
        child = _Child(process=process, connection=ours)
        threading.Thread(target=child.read, name="engine-reader", daemon=True).start()
        return child

    def _await_ready(self, child: _Child) -> None:
        patience = self._limits.first_word
        while True:
            try:
                message = child.inbox.get(timeout=patience)
            except queue.Empty as error:
                child.process.kill()
                reason = f"said nothing for {patience:.0f} s while it started"
                raise self._death(child, reason) from error
            patience = self._limits.loading
            if isinstance(message, Ready):
                self._info = message.info
                return
            if isinstance(message, Failed):
                child.process.kill()
                child.process.join()
                raise CheckpointError(message.message)
            if isinstance(message, _Gone):
                raise self._death(child, message.reason or "ended before it was ready")

    def _next(self, child: _Child, job_id: str) -> FromEngine:
        """Return the child's next message, ending the child when it is stuck or will not stop."""
        overdue = ""
        while True:
            if not overdue:
                overdue = self._overdue(child, job_id)
                if overdue:
                    child.process.kill()
            try:
                message = child.inbox.get(timeout=min(0.25, self._limits.silence / 4))
            except queue.Empty:
                continue
            if not isinstance(message, _Gone):
                return message
            if job_id in self._cancelled:
                # Ended because it did not stop in time: the editor asked for nothing else.
                self._death(child, "")
                return CancelledMessage(job_id=job_id)
            return self._crash(child, job_id, overdue or message.reason)

    def _overdue(self, child: _Child, job_id: str) -> str:
        now, limits = time.monotonic(), self._limits
        if now - self._cancelled.get(job_id, now) > limits.cancel_grace:
            return "did not stop in time and was ended"
        if now - child.heard_at > limits.silence:
            return f"gave no sign of life for {limits.silence:.0f} s and was ended"
        held = child.resident_mib() if limits.memory_mib else 0
        if held > limits.memory_mib:
            return (
                f"held {held} MiB of memory, more than the {limits.memory_mib} MiB that it may, "
                "and was ended"
            )
        return ""

    def _clear(self, child: _Child) -> None:
        """Drop what was said before this job; an end of the pipe stays."""
        kept: list[_Gone] = []
        with contextlib.suppress(queue.Empty):
            while True:
                message = child.inbox.get_nowait()
                if isinstance(message, _Gone):
                    kept.append(message)
        for gone in kept:
            child.inbox.put(gone)
        child.heard_at = time.monotonic()

    def _crash(self, child: _Child, job_id: str, reason: str) -> Crashed:
        death = self._death(child, reason)
        return Crashed(
            job_id=job_id,
            message=str(death),
            exit_code=child.process.exitcode,
            last_events=tuple(child.last_events),
            rss_mib=child.said_mib,
        )

    def _death(self, child: _Child, reason: str) -> EngineDied:
        child.process.join(self._limits.close_grace)
        self._deaths += 1
        self._died_at = time.monotonic()
        return EngineDied(f"The engine {reason or exit_in_words(child.process.exitcode)}.")

    def _wait_for_backoff(self) -> None:
        if not self._deaths:
            return
        limits = self._limits
        wait = min(limits.largest_backoff, limits.first_backoff * 2 ** min(self._deaths - 1, 16))
        self._closed.wait(max(0.0, self._died_at + wait - time.monotonic()))
        if self._closed.is_set():
            raise EngineDied("The engine was closed while it waited to start again.")
