"""The studio without a page: the same library, queue and engine, in the terminal's process."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import EngineDied
from engine.protocol import Executor
from storage import history, jobs, projects, waiting
from storage.database import Library
from storage.records import FINISHED_STATES, Cut, Job, Project
from studio.cli.output import CliError, Output, UsageError
from studio.session import Session, open_library
from studio.settings import Settings
from studio.supervisor.supervisor import Supervisor

PRIORITY = 100
"""Of jobs that a person waits for in a terminal."""
STEP_PERCENT = 10
"""Progress is said when it has moved that far."""


@dataclass(kw_only=True)
class Headless:
    """An open library whose queue is run until the verb is done."""

    session: Session
    output: Output
    _said: dict[str, tuple[str, int]] = field(default_factory=dict)

    def wait_for_engine(self) -> None:
        """Wait until the model is loaded.

        Raises:
            EngineDied: it cannot be; the message says why and what to do.
        """
        self.output.note("Loading the model ...")
        while self.session.engine.state != "ready":
            stamp = self.session.stamp
            if self.session.engine.state == "failed":
                raise EngineDied(self.session.engine.message)
            self.session.wait(stamp, 0.2)

    def wait(self, job_id: str, name: str) -> Job:
        """Wait until a job is over and return it, saying its progress.

        Raises:
            CliError: it failed or was cancelled; the message says why.
        """
        while True:
            stamp = self.session.stamp
            with self.session.library.read() as tx:
                job = jobs.get(tx, job_id)
                is_paused = waiting.is_paused(tx)
            if job.state in FINISHED_STATES:
                break
            if is_paused and job.state == "queued":
                raise CliError(f"{name}: the queue is paused. Resume it in the studio's Queue tab.")
            if self.session.trouble is not None:
                raise CliError(f"{name}: {self.session.trouble}")
            self._say(job, name)
            self.session.wait(stamp, 0.2)
        if job.state != "done":
            why = (job.error or {}).get("message") or f"The job was {job.state}."
            raise CliError(f"{name}: {why}")
        self.output.note(f"{name}: done")
        return job

    def _say(self, job: Job, name: str) -> None:
        running = self.session.running.get(job.id)
        if running is None:
            return
        percent = int(running.done * 100) // STEP_PERCENT * STEP_PERCENT
        if self._said.get(job.id) == (running.phase, percent):
            return
        self._said[job.id] = (running.phase, percent)
        step = f" {running.step}/{running.num_steps}" if running.num_steps else ""
        left = "" if running.eta_seconds is None else f", about {running.eta_seconds:.0f} s left"
        phase = running.phase.replace("_", " ") or "starting"
        self.output.note(f"{name}: {percent} % ({phase}{step}{left})")

    def project(self, named: str) -> tuple[Project, Cut]:
        """Return the project with that id, or the only one with that name."""
        with self.session.library.read() as tx:
            project = find_project(projects.list_all(tx), named)
            _, cut = history.head(tx, project.id)
        return project, cut


@contextlib.contextmanager
def open_headless(settings: Settings, executor: Executor, output: Output) -> Iterator[Headless]:
    """Open the library and run its queue; refuses while another process has it."""
    with open_library(settings) as library:
        session = Session(settings=settings, library=library, executor=executor)
        supervisor = Supervisor(session)
        supervisor.start()
        try:
            yield Headless(session=session, output=output)
        finally:
            supervisor.stop()


def find_project(found: list[Project], named: str) -> Project:
    """Return the project with that id, or the only one with that name.

    Raises:
        UsageError: there is none, or more than one; the message names them.
    """
    by_id = [p for p in found if p.id == named]
    matches = by_id or [p for p in found if p.name == named]
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(p.id for p in matches)
        raise UsageError(f"{len(matches)} projects are named {named!r}. Use an id: {ids}.")
    names = ", ".join(repr(p.name) for p in found[:10]) or "none yet"
    raise UsageError(f"There is no project {named!r}. There are: {names}.")


def require_target(out: Path, ending: str) -> Path:
    """Return where to write, checked before any work is done.

    Raises:
        UsageError: a folder, a missing folder, or another kind of file.
    """
    out = out.expanduser().absolute()
    if out.suffix.lower() != ending:
        raise UsageError(f"{out.name} does not end in {ending}. Expected a {ending} file.")
    if out.is_dir() or not out.parent.is_dir():
        raise UsageError(f"{out} cannot be written: the folder {out.parent} must exist.")
    if not os.access(out.parent, os.W_OK):
        raise UsageError(f"{out} cannot be written: no permission in {out.parent}.")
    return out


def deliver(library: Library, digest: str, out: Path) -> None:
    """Copy a blob to where the person wants it: complete, or not at all.

    Raises:
        CliError: no room, or no permission.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with library.blobs.open(digest) as source, part.open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        part.replace(out)
    except OSError as error:
        raise CliError(
            f"{out} could not be written ({error.strerror}). It is kept in the library: free "
            "some space and use `export`."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def read_text(path: str) -> str:
    """Return a text file, or standard input for `-`.

    Raises:
        UsageError: there is no such file, or it is not text.
    """
    try:
        if path == "-":
            return sys.stdin.read()
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not text in UTF-8 ({error.reason}). Save it as such."
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def seconds_of(job: Job) -> float:
    """Return how long a finished job ran, in seconds."""
    if job.started_at is None or job.finished_at is None:
        return 0.0
    return round((job.finished_at - job.started_at) / 1e6, 2)
