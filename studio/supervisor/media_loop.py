"""The thread of media jobs: each import and each export runs in a media child of its own."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from engine.protocol import EngineInfo
from engine.slate import Slate, SlateError, read_slate
from storage import exports, history, jobs, references, waiting
from storage.blobs import Stored
from storage.canonical import new_id
from storage.database import now
from storage.errors import Fenced, StorageError
from storage.records import Export, Job, Json
from studio.actions.restore_film import footage_with_slate, may_have_slate, restore_film
from studio.media import child
from studio.media.child import HOSTILE, Limits, MediaCancelled, MediaRefused
from studio.session import NotReady, Running, Session
from studio.timeline.edit import EditRefused

KINDS = ("ingest", "export")
OWN_FILES = Limits(silence_seconds=120.0)
"""For a child that reads only what the studio wrote."""
ASK_SECONDS = 0.5
"""Between two looks at whether the job was cancelled."""
STORE_SECONDS = 5.0
"""Between two notes of progress in the library."""

log = logging.getLogger(__name__)


class MediaLoop:
    """Runs media jobs, one after the other, until it is told to stop."""

    def __init__(self, session: Session, worker_id: str) -> None:
        """Hold what the loop works on; nothing runs yet."""
        self._session = session
        self._worker_id = worker_id
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="media-loop", daemon=True)
        self._asked_at = 0.0
        self._stored_at = 0.0
        self._is_cancelled = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the child and the thread; a job that runs goes back to the queue."""
        self._stopping.set()
        self._session.wake()
        self._thread.join(timeout=20)

    def _run(self) -> None:
        while not self._stopping.is_set():
            stamp = self._session.stamp
            try:
                is_busy = self._run_next()
            except Exception:  # the thread's border: without it no job ever runs again
                log.exception("The queue could not be read or written; trying again.")
                is_busy = False
                self._stopping.wait(1.0)
            if not is_busy:
                self._session.wait(stamp, 5.0)

    def _run_next(self) -> bool:
        session = self._session
        with session.library.write() as tx:
            job = jobs.claim(tx, self._worker_id, waiting.startable(tx, KINDS))
        if job is None:
            return False
        running = Running(project_id=job.project_id, shot_id=job.shot_id, kind=job.kind)
        session.running[job.id] = running
        session.push_job(job.id, running, state="running")
        folder = session.settings.scratch_folder / job.id
        folder.mkdir(parents=True, exist_ok=True)
        self._asked_at = self._stored_at = 0.0
        self._is_cancelled = False
        try:
            self._run_job(job, running, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            session.running.pop(job.id, None)
            session.changed(job.project_id)
            self._tell_end(job, running)
        return True

    def _run_job(self, job: Job, running: Running, folder: Path) -> None:
        try:
            if job.kind == "ingest":
                self._ingest(job, running, folder / "normal.mp4")
            else:
                self._export(job, running, folder / "film.mp4")
        except (MediaCancelled, Fenced):
            self._end_stopped(job)
        except (MediaRefused, NotReady, StorageError, LookupError) as error:
            self._fail(job, error)
        except Exception as error:  # the thread's border: the queue must go on
            log.exception("Job %s met an error that was not foreseen.", job.id)
            self._fail(job, error)

    def _fail(self, job: Job, error: Exception) -> None:
        told = {"message": str(error), "error": type(error).__name__}
        with self._session.library.write() as tx:
            jobs.fail(tx, job.id, job.fence, told)

    def _end_stopped(self, job: Job) -> None:
        with self._session.library.write() as tx:
            if jobs.get(tx, job.id).fence == job.fence:
                ended = jobs.cancelled(tx, job.id, job.fence)
                if not ended.cancel_requested:  # the studio closes: go on at the next launch
                    waiting.reorder(tx, jobs.retry(tx, job.id).id, 0)

    def _ingest(self, job: Job, running: Running, out: Path) -> None:
        session, asked = self._session, job.spec
        info = session.info()
        original = session.library.blobs.path(asked["original_digest"])
        slate = self._slate(job, running, original)
        if slate is not None and self._restore(job, slate):
            return
        arguments = {
            "path": str(original),
            "name": asked["name"],
            "out": str(out),
            "rate": asked["rate"],
            "width": asked["width"],
            "height": asked["height"],
            "max_frames": session.settings.max_footage_frames,
        }
        made = self._run_child("studio.media.ingest:ingest_task", job, running, arguments, HOSTILE)
        stored = self._store(job, out)
        num_frames = int(made["num_frames"])
        spec = encode_spec(asked, stored.digest, num_frames, info)
        if slate is not None and slate.num_frames == num_frames:
            spec |= footage_with_slate(slate, info)
        with session.library.write() as tx:
            history.ensure_shots(tx, job.project_id, spec["shot_ids"])
            encode = jobs.add(
                tx,
                kind="encode",
                project_id=job.project_id,
                spec=spec,
                priority=job.priority,
            )
            result = {"encode_job": encode.id, **made}
            blobs = [(stored.digest, stored.size, "video/mp4")]
            jobs.finish(tx, job.id, job.fence, result, blobs)

    def _slate(self, job: Job, running: Running, original: Path) -> Slate | None:
        """Return what a file that the studio made says of its shots."""
        if not may_have_slate(original):
            return None
        task, arguments = "studio.media.ingest:slate_task", {"path": str(original)}
        told = self._run_child(task, job, running, arguments, HOSTILE)
        try:
            return read_slate(told["slate"])
        except SlateError as error:
            log.info("%s is imported as footage: %s", job.spec["name"], error)
            return None

    def _restore(self, job: Job, slate: Slate) -> bool:
        """Bring the shots of a file back where the library still has all of their takes."""
        session = self._session
        facts = session.facts((job.spec["rate"][0], job.spec["rate"][1]))
        try:
            with session.library.write() as tx:
                return restore_film(tx, job, slate, facts) is not None
        except EditRefused as error:
            log.info("%s is imported as footage: %s", job.spec["name"], error)
            return False

    def _export(self, job: Job, running: Running, out: Path) -> None:
        session, asked = self._session, job.spec
        paths = session.library.blobs
        parts = []
        for part in asked["parts"]:
            paths.open(part["media_digest"]).close()  # a damaged take is named, never copied
            parts.append({**part, "path": str(paths.path(part["media_digest"]))})
        arguments = {
            "parts": parts,
            "rate": asked["rate"],
            "width": asked["width"],
            "height": asked["height"],
            "title_card": asked["title_card"],
            "slate": asked.get("slate"),
            "out": str(out),
        }
        made = self._run_child(
            "studio.media.export:export_task", job, running, arguments, OWN_FILES
        )
        stored = self._store(job, out)
        with session.library.write() as tx:
            result = {
                "media": f"/media/{stored.digest}.mp4",
                "digest": stored.digest,
                "num_frames": made["num_frames"],
                "name": f"{asked['name']}.mp4",
            }
            blobs = [(stored.digest, stored.size, "video/mp4")]
            jobs.finish(tx, job.id, job.fence, result, blobs)
            row = Export(
                id=new_id(),
                project_id=job.project_id,
                node_id=asked["node_id"],
                spec=asked,
                media_digest=stored.digest,
                state="done",
                created_at=now(tx),
            )
            exports.add(tx, row)

    def _run_child(
        self, task: str, job: Job, running: Running, arguments: Json, limits: Limits
    ) -> dict[str, Any]:
        def told(done: float) -> None:
            current = Running(
                project_id=running.project_id,
                shot_id=running.shot_id,
                kind=running.kind,
                done=done,
                phase="encoding",
            )
            self._session.running[job.id] = current
            self._session.push_job(job.id, current, state="running")
            if time.monotonic() - self._stored_at > STORE_SECONDS:
                self._stored_at = time.monotonic()
                with self._session.library.write() as tx:
                    jobs.heartbeat(tx, job.id, job.fence)
                    jobs.progress(tx, job.id, job.fence, done)

        return child.run(
            task, arguments, limits=limits, told=told, cancelled=lambda: self._must_stop(job)
        )

    def _must_stop(self, job: Job) -> bool:
        at = time.monotonic()
        if not self._is_cancelled and at - self._asked_at > ASK_SECONDS:
            self._asked_at = at
            with self._session.library.read() as tx:
                self._is_cancelled = jobs.get(tx, job.id).cancel_requested
        return self._is_cancelled or self._stopping.is_set()

    def _store(self, job: Job, path: Path) -> Stored:
        def pin(digest: str) -> None:
            with self._session.library.write() as tx:
                references.pin(tx, digest, job.id)

        with path.open("rb") as file:
            return self._session.library.blobs.put(file, pin)

    def _tell_end(self, job: Job, running: Running) -> None:
        with self._session.library.read() as tx:
            ended = jobs.get(tx, job.id)
        message = (ended.error or {}).get("message", "") if ended.state == "failed" else ""
        self._session.push_job(job.id, running, state=ended.state, message=message)


def encode_spec(asked: Json, digest: str, num_frames: int, info: EngineInfo) -> Json:
    """Return the job that turns footage in normal form into takes, each for a new shot."""
    lengths = piece_lengths(num_frames, info)
    stem = Path(asked["name"]).stem[:80]
    titles = [stem] if len(lengths) == 1 else [f"{stem} {i + 1}" for i in range(len(lengths))]
    return {
        "media_digest": digest,
        "original_digest": asked["original_digest"],
        "name": asked["name"],
        "lengths": lengths,
        "shot_ids": [new_id() for _ in lengths],
        "titles": titles,
        "width": asked["width"],
        "height": asked["height"],
        "rate": asked["rate"],
        "memory_system": info.memory_system,
    }


def piece_lengths(num_frames: int, info: EngineInfo) -> list[int]:
    """Return the pieces of footage: 1 + 2 * multiple * k frames each, the last one what is left.

    Twice the model's multiple, because memory compresses pairs of latent frames: whole pieces
    need no padding there.
    """
    step = 2 * info.frame_multiple
    piece = 1 + step * max(1, (info.max_frames - 1) // step)
    whole, rest = divmod(num_frames, piece)
    return [piece] * whole + ([rest] if rest else [])
