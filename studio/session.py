"""What is open: the library, the engine's state, what runs now, and who wants to hear of it."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from engine import wire
from engine.card import load_card, unloaded_info
from engine.errors import CheckpointError, ProtocolError
from engine.protocol import EngineInfo, Executor, MemorySystemInfo, Progress
from storage.canonical import new_id
from storage.check import Problem
from storage.database import Library
from storage.errors import StorageError
from storage.records import Rate
from studio.settings import Settings
from studio.timeline.plan import EngineFacts

Listener = Callable[[str | None, dict[str, Any]], None]
"""Told (project id or None for all, message). Called on any thread; must not block."""


MakeExecutor = Callable[[Settings], Executor]
"""Makes whoever runs jobs, for the model that settings name."""
NO_MEMORY = "none"
"""Name of the system that remembers nothing; every model has it."""
_NOTHING = MemorySystemInfo(
    name=NO_MEMORY, fingerprint="", scope="take", can_recall=False, title="No memory"
)


SILENT_KINDS = frozenset({"lint"})
"""Kinds of jobs that come by themselves: only what they found is told."""


class NotReady(Exception):
    """The model is not loaded, and nothing is known of it yet."""


def open_library(settings: Settings, *, address: str = "") -> Library:
    """Open the library that the settings name; raises as `Library.open` does."""
    return Library.open(settings.data_folder, address=address, url=settings.database_url)


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """What the engine is doing, as the page shows it."""

    state: Literal["starting", "ready", "failed", "resting"] = "starting"
    message: str = "The model is being loaded."


@dataclass(frozen=True, kw_only=True)
class Running:
    """How far a running job is: never stored, only pushed."""

    project_id: str
    shot_id: str | None
    kind: str
    done: float = 0.0
    phase: str = ""
    step: int = 0
    num_steps: int = 0
    eta_seconds: float | None = None
    state: Literal["running", "cancelling"] = "running"
    is_pausing: bool = False
    """The editor asked for it to stop where it can go on."""


@dataclass(kw_only=True)
class Session:
    """One launch of the studio. Safe to use from any thread."""

    settings: Settings
    library: Library
    executor: Executor
    make_executor: MakeExecutor | None = None
    """For another model than that of this launch. None = it cannot be changed while it runs."""
    boot: str = field(default_factory=new_id)
    """Changes at each launch, so that a page notices a restart."""
    engine: EngineState = field(default_factory=EngineState)
    running: dict[str, Running] = field(default_factory=dict)
    """Running jobs by id."""
    is_resting: bool = False
    """The editor wants the engine's memory; it starts again when a job waits."""
    damage: tuple[Problem, ...] = ()
    """What the check of this start found wrong with the library."""
    trouble: StorageError | None = None
    """Why the queue could not be read or written the last time, a full disk for example."""
    _listeners: list[Listener] = field(default_factory=list)
    _wake: threading.Condition = field(default_factory=threading.Condition)
    _stamp: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every message from now on; the result ends that."""
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._forget(listener)

    def _forget(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.remove(listener)

    def publish(self, project_id: str | None, message: dict[str, Any]) -> None:
        """Hand a message to all listeners; None = it concerns every project."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(project_id, message)

    def changed(self, project_id: str) -> None:
        """Say that something about a project was committed: pages read on, workers look again."""
        self.publish(project_id, {"kind": "changed"})
        self.wake()

    def wake(self) -> None:
        """Wake the workers that wait for jobs."""
        with self._wake:
            self._stamp += 1
            self._wake.notify_all()

    @property
    def stamp(self) -> int:
        """Counts wakes, so that one between looking and waiting is not missed."""
        return self._stamp

    def wait(self, stamp: int, seconds: float) -> None:
        """Wait until somebody woke the workers after `stamp`, or some seconds have passed."""
        with self._wake:
            self._wake.wait_for(lambda: self._stamp != stamp, timeout=seconds)

    def set_engine(self, state: EngineState) -> None:
        """Change what the page shows of the engine; a loaded model's facts are kept for later."""
        if self.engine == state:
            return
        self.engine = state
        info = self.executor.info
        if state.state == "ready" and info is not None:
            self._remember(info)
        message = {"kind": "engine", "state": state.state, "message": state.message}
        self.publish(None, message)
        self.wake()

    def progress(self, job_id: str, said: Progress) -> None:
        """Note how far a job is, and push it."""
        now = self._change_running(
            job_id,
            done=said.done,
            phase=said.phase,
            step=said.step,
            num_steps=said.num_steps,
            eta_seconds=said.eta_seconds,
        )
        if now is not None:
            self.push_job(job_id, now, state=now.state)

    def cancelling(self, job_id: str) -> None:
        """Note that a running job was asked to end, and push it."""
        now = self._change_running(job_id, state="cancelling")
        if now is not None:
            self.push_job(job_id, now, state=now.state)

    def pausing(self, job_id: str) -> None:
        """Note that a running job was asked to stop where it can go on, and push it."""
        now = self._change_running(job_id, phase="pausing", is_pausing=True)
        if now is not None:
            self.push_job(job_id, now, state=now.state)

    def _change_running(self, job_id: str, **changes: Any) -> Running | None:
        with self._lock:
            before = self.running.get(job_id)
            if before is None:
                return None
            now = dataclasses.replace(before, **changes)
            self.running[job_id] = now
        return now

    def push_job(self, job_id: str, job: Running, *, state: str, message: str = "") -> None:
        """Push where a job stands to the pages of its project."""
        if job.kind in SILENT_KINDS:
            if state == "done":
                self.publish(job.project_id, {"kind": "notes"})
            return
        row = {"id": job_id, "state": state, "message": message}
        told = dataclasses.asdict(job)
        row |= {k: v for k, v in told.items() if k not in ("project_id", "state", "is_pausing")}
        self.publish(job.project_id, {"kind": "progress", "jobs": [row]})

    def info(self) -> EngineInfo:
        """Return what the model can do: the loaded one's words, the last launch's, or the card's.

        Raises:
            NotReady: the model's folder cannot be read; the message says why.
        """
        loaded = self.executor.info
        if loaded is not None:
            return loaded
        try:
            kept = json.loads(self._info_file.read_bytes())
            if kept["checkpoint"] != str(self.settings.checkpoint):
                raise KeyError("checkpoint")
            if "memory_system" not in kept["info"]:
                raise KeyError("memory_system")
            info: EngineInfo = wire.from_json(EngineInfo, kept["info"])
        except (OSError, ValueError, KeyError, TypeError, ProtocolError):
            return self._unloaded_info()
        return info

    def facts(self, rate: Rate | None = None) -> EngineFacts:
        """Return what plans and edits need to know of the model; raises as `info` does."""
        info = self.info()
        return EngineFacts(
            frame_multiple=info.frame_multiple,
            max_frames=info.max_frames,
            default_frames=info.default_frames,
            rate=rate or info.rate,
            tokens_per_shot=info.tokens_per_shot,
            seconds_per_shot=info.seconds_per_shot,
            words=frozenset(info.words),
            memory_system=info.memory_system,
        )

    def system(self, name: str) -> MemorySystemInfo:
        """Return a memory system of the model by its name.

        Raises:
            LookupError: the model has no such system; the message names those it has.
        """
        systems = (*self.info().systems, _NOTHING)
        if len(systems) == 1 and name != NO_MEMORY and self.engine.state != "ready":
            raise NotReady(f"{self.engine.message} Try again when the model is ready.")
        found = next((s for s in systems if s.name == name), None)
        if found is None:
            names = ", ".join(s.name for s in systems)
            raise LookupError(f"This model has no memory system {name!r}. It has: {names}.")
        return found

    def _unloaded_info(self) -> EngineInfo:
        # On the very first launch an editor need not wait for the model to make a film and a plan.
        try:
            return unloaded_info(load_card(self.settings.checkpoint))
        except (CheckpointError, TypeError) as error:
            raise NotReady(f"{error}") from error

    def _remember(self, info: EngineInfo) -> None:
        kept = {"checkpoint": str(self.settings.checkpoint), "info": dataclasses.asdict(info)}
        part = self._info_file.with_suffix(".part")
        part.write_text(json.dumps(kept))
        part.replace(self._info_file)

    @property
    def _info_file(self) -> Any:
        return self.settings.data_folder / "engine.json"
