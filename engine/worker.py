"""The engine process: loads a model once, then runs jobs that come as JSON over a pipe.

It never opens the database. It ends when the pipe closes, when it is told to, or when native code
fails; the server starts it again.
"""

from __future__ import annotations

import base64
import ctypes
import logging
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from engine.bench import SAVE_SECONDS, Bench, Report
from engine.context import EMPTY, MemoryInfo
from engine.device.offload import Ladder, Size, is_out_of_memory
from engine.device.probe import Device, choose_device
from engine.errors import Cancelled as JobCancelled
from engine.errors import EngineError, OutOfBudgetError, Paused, ProtocolError
from engine.jobs import run_job
from engine.models.fingerprint import fingerprint
from engine.protocol import (
    MAX_MESSAGE_BYTES,
    MAX_PREVIEW_BYTES,
    Cancel,
    CancelledMessage,
    EngineInfo,
    Failed,
    Finished,
    FromEngine,
    Heartbeat,
    MemorySystemInfo,
    Pause,
    PausedMessage,
    Pin,
    Pinned,
    Preview,
    Progress,
    Ready,
    Run,
    Saved,
    StopEarly,
    ToEngine,
)
from engine.recipes import EMBEDDED, Model, Recipe, load_model
from engine.specs import Checkpoint, GenerateSpec, JobResult, Spec
from engine.takes import BlobDesk
from engine.watch import resident_mib
from engine.wire import decode_to_engine, encode
from storage.blobs import BlobStore, disk_full, is_full
from storage.errors import StorageError

HEARTBEAT_SECONDS = 2.0
PIN_SECONDS = 30.0
"""How long the engine waits for the server to commit a pin."""
NEEDED_FOR_A_TAKE = 1_000_000
"""Bytes that are named where the disk was full before it was known how many it would have been."""
LOGGER = logging.getLogger("engine.worker")


class Worker:
    """One process, one model, one job at a time; a second thread reads the pipe."""

    def __init__(
        self, connection: Connection, blobs: Path, *, save_seconds: float = SAVE_SECONDS
    ) -> None:
        self.connection = connection
        self.store = BlobStore(blobs)
        self.save_seconds = save_seconds
        self.jobs: queue.Queue[Run | None] = queue.Queue()
        self.cancelled: set[str] = set()
        self.stopping: set[str] = set()
        self.pausing: set[str] = set()
        self.pins: dict[str, threading.Event] = {}
        self.steps = 0
        self._sending = threading.Lock()

    def send(self, message: FromEngine) -> None:
        """Send one message; any thread."""
        data = encode(message)
        with self._sending:
            self.connection.send_bytes(data)

    def listen(self) -> None:
        """Read the pipe until it closes, then end the process: a server that died wants nothing."""
        try:
            while True:
                self._receive(decode_to_engine(self.connection.recv_bytes(MAX_MESSAGE_BYTES)))
        except (EOFError, OSError, ProtocolError):
            os._exit(0)

    def beat(self) -> None:
        """Say every two seconds that the process is alive."""
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            try:
                self.send(Heartbeat(step=self.steps, rss_mib=resident_mib()))
            except OSError:
                os._exit(0)

    def serve(self, model: Model) -> None:
        """Run jobs until told to end."""
        names = ("transformer", "text_encoder", "vae")
        parts = {name: getattr(model.parts, name) for name in names}
        ladder = Ladder(parts, model.device.name)
        while (run := self.jobs.get()) is not None:
            self._run(model, ladder, run)

    def _receive(self, message: ToEngine) -> None:
        if isinstance(message, Run):
            # A job that is tried again keeps its id: what was asked of it before is over.
            for asked in (self.cancelled, self.stopping, self.pausing):
                asked.discard(message.job_id)
            self.jobs.put(message)
        elif isinstance(message, Cancel):
            self.cancelled.add(message.job_id)
        elif isinstance(message, StopEarly):
            self.stopping.add(message.job_id)
        elif isinstance(message, Pause):
            self.pausing.add(message.job_id)
        elif isinstance(message, Pinned):
            self.pins.setdefault(message.digest, threading.Event()).set()
        else:
            self.jobs.put(None)

    def _run(self, model: Model, ladder: Ladder, run: Run) -> None:
        desk = BlobDesk(store=self.store, pin=lambda digest: self._pin(run.job_id, digest))
        bench = Bench(
            model=model,
            desk=desk,
            is_cancelled=lambda: run.job_id in self.cancelled,
            is_stopping=lambda: run.job_id in self.stopping,
            is_pausing=lambda: run.job_id in self.pausing,
            save_seconds=self.save_seconds,
        )
        try:
            result = self._with_less_memory(run, bench, ladder)
            self.send(Finished(job_id=run.job_id, result=result))
        except JobCancelled:
            self.send(CancelledMessage(job_id=run.job_id))
        except Paused:
            self.send(PausedMessage(job_id=run.job_id))
        except (EngineError, StorageError) as error:
            self._fail(run.job_id, error, str(error))
        except Exception as error:
            if isinstance(error, OSError) and is_full(error):
                # A temporary file, as a video is while it is written; blobs say it themselves.
                full = disk_full(self.store.root, NEEDED_FOR_A_TAKE)
                self._fail(run.job_id, full, str(full))
                return
            LOGGER.exception("Job %s failed", run.job_id)
            self._fail(run.job_id, error, f"The engine failed: {error}.")
            if "CUDA" in str(error):
                os._exit(1)  # a CUDA context does not recover in place

    def _with_less_memory(self, run: Run, bench: Bench, ladder: Ladder) -> JobResult:
        """Run a job; each time that memory runs out, give up one thing more and go on.

        Raises:
            OutOfBudgetError: there is nothing left to give up.
        """
        size, spec = size_of(run.spec, bench.model), run.spec
        ladder.use(size)
        while True:
            saved: list[Checkpoint] = []
            try:
                return self._consume(run.job_id, spec, bench, saved)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                told = str(error)
            # Outside of the handler: until there, the error holds on to every tensor it met.
            bench.model.parts.vae.clear_cache()
            rung = ladder.climb(size)
            LOGGER.warning("Memory ran out (%s). Now: %s", told, rung or "nothing is left to try")
            if not rung:
                raise OutOfBudgetError(advice(spec, size, ladder.rungs))
            if saved and isinstance(spec, GenerateSpec):
                spec = replace(spec, resume=saved[-1])

    def _consume(self, job_id: str, spec: Spec, bench: Bench, saved: list[Checkpoint]) -> JobResult:
        """Run a job once and return its result; where it can go on from is added to `saved`."""
        with bench.model.stops.asking(bench.is_cancelled):
            for item in run_job(bench, spec):
                if isinstance(item, JobResult):
                    return item
                if isinstance(item, Checkpoint):
                    saved.append(item)
                    self.send(Saved(job_id=job_id, checkpoint=item))
                    continue
                self._report(job_id, item)
                if bench.is_cancelled():
                    break
        raise JobCancelled("Stopped as asked.")

    def _report(self, job_id: str, report: Report) -> None:
        self.steps += report.phase == "denoising"
        self.send(
            Progress(
                job_id=job_id,
                phase=report.phase,
                step=report.step,
                num_steps=report.num_steps,
                done=report.done,
                eta_seconds=report.eta_seconds,
            )
        )
        if 0 < len(report.preview) <= MAX_PREVIEW_BYTES:
            picture = base64.b64encode(report.preview).decode("ascii")
            self.send(Preview(job_id=job_id, jpeg_base64=picture, step=report.step))

    def _pin(self, job_id: str, digest: str) -> None:
        answered = self.pins.setdefault(digest, threading.Event())
        self.send(Pin(job_id=job_id, digest=digest))
        if not answered.wait(PIN_SECONDS):
            raise ProtocolError(
                f"No answer to the pin of {digest[:12]} within {PIN_SECONDS:.0f} s. Expected the "
                "server to commit it; the shot is generated again."
            )
        self.pins.pop(digest, None)

    def _fail(self, job_id: str, error: BaseException, message: str) -> None:
        self.send(Failed(job_id=job_id, error=type(error).__name__, message=message))


def main(connection: Connection, settings: dict[str, Any]) -> None:
    """Run the engine on `connection` until it closes.

    `settings`: `checkpoint` (folder, empty = embedded), `blobs` (folder), `threads` (0 = choose),
    `save_seconds` (between two checkpoints of a shot).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    _end_with_parent()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    save_seconds = float(settings.get("save_seconds", SAVE_SECONDS))
    worker = Worker(connection, Path(settings["blobs"]), save_seconds=save_seconds)
    for loop in (worker.listen, worker.beat):
        threading.Thread(target=loop, daemon=True).start()
    try:
        folder = Path(settings["checkpoint"]) if settings.get("checkpoint") else EMBEDDED
        device = choose_device(threads=int(settings.get("threads", 0)))
        model = load_model(Recipe(name=folder.name, checkpoint=folder), device)
        seconds = measure_shot(model)
    except Exception as error:
        if not isinstance(error, EngineError):
            LOGGER.exception("The model could not be loaded")
        worker.send(Failed(job_id="", error=type(error).__name__, message=str(error)))
        return
    worker.send(Ready(info=describe(model, device, seconds)))
    worker.serve(model)


def size_of(spec: Spec, model: Model) -> Size:
    """Return the size of the picture that a job works on."""
    width, height = getattr(spec, "width", 0), getattr(spec, "height", 0)
    return width or model.card.width, height or model.card.height


def advice(spec: Spec, size: Size, rungs: tuple[str, ...]) -> str:
    """Return what an editor can do about a job that does not fit the device."""
    frames = getattr(spec, "num_frames", 0)
    length = f" with {frames} frames" if frames else ""
    return (
        f"The device ran out of memory at {size[0]} x {size[1]}{length}, also after this: "
        f"{'; '.join(rungs)}. Use fewer frames or a smaller size, close other programs that use "
        "the device, then Retry. What was sampled by then is kept."
    )


def measure_shot(model: Model) -> float:
    """Return the estimated seconds of a default shot on this machine, from two timed forwards."""
    card = model.card
    model.warm_up()
    size = (1 + (card.default_frames - 1) // 4, card.height // 8, card.width // 8)
    latents = torch.zeros(1, model.parts.vae.config.z_dim, *size, device=model.device.name)
    times = []
    for _ in range(2):
        start = time.perf_counter()
        model.velocity(latents, 1.0, model.empty_text, EMPTY)
        times.append(time.perf_counter() - start)
    forwards = 1 + (card.strength != 1.0) + (card.guidance != 1.0)
    return round(min(times) * card.num_steps * forwards * 1.6, 3)


def describe(model: Model, device: Device, seconds_per_shot: float) -> EngineInfo:
    """Return what the studio shows and plans with."""
    card = model.card
    tokens = 0
    for memory in model.memories.values():
        encoder = getattr(memory, "encoder", None)
        if encoder is not None:
            latents = 1 + (card.default_frames - 1) // 4
            time_, rows, columns = encoder.config.grid(latents, card.height // 8, card.width // 8)
            tokens = max(tokens, time_ * rows * columns)
    return EngineInfo(
        model=card.name,
        device=device.name,
        dtype=str(device.dtype).removeprefix("torch."),
        threads=device.threads,
        width=card.width,
        height=card.height,
        rate=card.rate,
        default_frames=card.default_frames,
        max_frames=card.max_frames,
        frame_multiple=model.frame_multiple,
        num_steps=card.num_steps,
        guidance=card.guidance,
        strength=card.strength,
        tokens_per_shot=tokens,
        seconds_per_shot=seconds_per_shot,
        systems=tuple(_system(memory.info) for memory in model.memories.values()),
        words=card.words,
        memory_system=card.memory,
        weights=fingerprint(model.parts.folder),
        vocabulary=card.vocabulary,
        strength_effects=card.strength_effects,
        knows_names=card.knows_names,
    )


def _system(info: MemoryInfo) -> MemorySystemInfo:
    return MemorySystemInfo(
        name=info.name,
        fingerprint=info.fingerprint,
        scope=info.scope,
        can_recall=info.can_recall,
        title=info.title,
        token_pixels=info.token_pixels,
        token_frames=info.token_frames,
        most_steps=info.most_steps,
    )


def _end_with_parent() -> None:
    """Ask Linux to end this process with the thread that spawned it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
