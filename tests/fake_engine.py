"""An executor without a model: tiny real videos and blobs, real messages, steppable by a test."""

from __future__ import annotations

import base64
import colorsys
import dataclasses
import hashlib
import io
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from engine.protocol import (
    CancelledMessage,
    Crashed,
    EngineInfo,
    Failed,
    Finished,
    FromEngine,
    PausedMessage,
    Pin,
    Preview,
    Progress,
    Saved,
)
from engine.specs import (
    BlobResult,
    Checkpoint,
    CurvePoint,
    CurveSpec,
    EncodeSpec,
    EntryRef,
    EntryResult,
    GenerateSpec,
    JobResult,
    LintNote,
    LintResult,
    LintSpec,
    Measured,
    MeasureSpec,
    Moment,
    RecallResult,
    RecallSpec,
    Source,
    Spec,
    TakeResult,
)
from storage.blobs import BlobStore
from storage.canonical import digest_of
from studio.media import encode
from tests.engine.facts import INFO

NUM_STEPS = 4

SAFETENSORS = "application/x-safetensors"
TENSORS = b"\x02\0\0\0\0\0\0\0{}"
"""How a safetensors file without a tensor begins: what a bundle looks for."""


class FakeEngine:
    """Makes coloured moving pictures in place of a model; the prompt `fail` fails."""

    def __init__(self, blobs: Path, *, info: EngineInfo = INFO, step_seconds: float = 0.0) -> None:
        self.info: EngineInfo | None = None
        self.submitted: list[Spec] = []
        self.steps: threading.Semaphore | None = None
        """When set, each denoising step waits for a release."""
        self.crashes = 0
        """How often a prompt that begins with `crash` ends the engine."""
        self.cannot_measure = False
        self.before_finish: Callable[[str], None] | None = None
        """Called with the job when its result is complete, before the server hears of it."""
        self._info = info
        self._step_seconds = step_seconds
        self._store = BlobStore(blobs)
        self._cancelled: set[str] = set()
        self._stopping: set[str] = set()
        self._pausing: set[str] = set()
        self.is_saving = False
        """Whether a checkpoint follows every step."""
        self.after_step: Callable[[str, int], None] | None = None
        self.worn = ""
        self.starts = 0
        self.rests = 0
        self._pinned: set[str] = set()
        self._closed = threading.Event()

    def start(self) -> None:
        self.starts += self.info is None or bool(self.worn)
        self.worn = ""
        self.info = self._info

    def rest(self) -> None:
        self.rests += self.info is not None
        self.info = None

    def pause(self, job_id: str) -> None:
        self._pausing.add(job_id)

    def forget(self, job_id: str) -> None:
        for asked in (self._cancelled, self._stopping, self._pausing):
            asked.discard(job_id)

    def pinned(self, digest: str) -> None:
        self._pinned.add(digest)

    def cancel(self, job_id: str) -> None:
        self._cancelled.add(job_id)

    def stop_early(self, job_id: str) -> None:
        self._stopping.add(job_id)

    def kill(self) -> None:
        """End what runs; like a real engine it is started again for the next job."""

    def close(self) -> None:
        self._closed.set()
        if self.steps is not None:
            self.steps.release(1000)

    def submit(self, job_id: str, spec: Spec) -> Iterator[FromEngine]:
        self.submitted.append(spec)
        if isinstance(spec, GenerateSpec):
            yield from self._generate(job_id, spec)
        elif isinstance(spec, EncodeSpec):
            yield from self._encode(job_id, spec)
        elif isinstance(spec, RecallSpec):
            yield from self._recall(job_id, spec)
        elif self.cannot_measure:
            yield Failed(job_id=job_id, error="MemoryStateError", message="The take is gone.")
        elif isinstance(spec, LintSpec):
            note = LintNote(
                about="colours",
                score=15.0,
                threshold=12.0,
                frame=4,
                past_take_id=spec.past[0].take_id,
                before="red",
                after="orange",
            )
            yield Finished(job_id=job_id, result=JobResult(lint=LintResult(notes=(note,))))
        else:
            yield Finished(job_id=job_id, result=JobResult(measured=_measured(spec)))

    def _generate(self, job_id: str, spec: GenerateSpec) -> Iterator[FromEngine]:
        if spec.prompt.startswith("crash") and self.crashes > 0:
            self.crashes -= 1
            self.info = None
            words = "The engine was stopped by the system, most likely because memory ran out."
            yield Crashed(job_id=job_id, message=words, exit_code=-9)
            return
        if spec.prompt == "fail":
            yield Failed(job_id=job_id, error="MediaError", message="It could not be rendered.")
            return
        frames = pictures(spec)
        done = 0 if spec.resume is None else spec.resume.step
        for step in range(done + 1, NUM_STEPS + 1):
            if self.steps is not None:
                self.steps.acquire()
            time.sleep(self._step_seconds)
            if job_id in self._cancelled or self._closed.is_set():
                yield CancelledMessage(job_id=job_id)
                return
            yield Progress(
                job_id=job_id,
                phase="denoising",
                step=step,
                num_steps=NUM_STEPS,
                done=step / (NUM_STEPS + 1),
                eta_seconds=self._step_seconds * (NUM_STEPS - step),
            )
            jpeg = base64.b64encode(_picture(frames[0], "JPEG")).decode()
            yield Preview(job_id=job_id, jpeg_base64=jpeg, step=step)
            if job_id in self._stopping:
                break
            if (yield from self._is_paused(job_id, spec, step)):
                return
        take = yield from self._take(job_id, frames, spec, spec.entries)
        take = dataclasses.replace(take, stopped_at=step if step < NUM_STEPS else 0)
        if self.before_finish is not None:
            self.before_finish(job_id)
        yield Finished(job_id=job_id, result=JobResult(takes=(take,)))

    def _is_paused(
        self, job_id: str, spec: GenerateSpec, step: int
    ) -> Generator[FromEngine, None, bool]:
        is_pausing = job_id in self._pausing
        if self.is_saving or is_pausing:
            data = f"{job_id} after step {step}".encode()
            blob = yield from self._put(job_id, data, SAFETENSORS)
            saved = Checkpoint(digest=blob.digest, fits=spec.prompt, step=step, num_steps=NUM_STEPS)
            yield Saved(job_id=job_id, checkpoint=saved)
        if is_pausing:
            yield PausedMessage(job_id=job_id)
        elif self.after_step is not None:
            self.after_step(job_id, step)
        return is_pausing

    def _encode(self, job_id: str, spec: EncodeSpec) -> Iterator[FromEngine]:
        with av.open(str(self._store.path(spec.media_digest))) as container:
            frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
        assert sum(spec.lengths) == len(frames)
        takes, start = [], 0
        for length in spec.lengths:
            piece = frames[start : start + length]
            takes.append((yield from self._take(job_id, piece, spec, ())))
            start += length
        yield Finished(job_id=job_id, result=JobResult(takes=tuple(takes)))

    def _recall(self, job_id: str, spec: RecallSpec) -> Iterator[FromEngine]:
        with av.open(str(self._store.path(spec.media_digest))) as container:
            frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
        real = frames[spec.frame]
        blobs: list[BlobResult] = []
        for pixels in (real, real // 2 * 2):
            blob = yield from self._put(job_id, _picture(pixels, "PNG"), "image/png")
            blobs.append(blob)
        result = RecallResult(
            source="memory",
            recalled_digest=blobs[1].digest,
            real_digest=blobs[0].digest,
            psnr=50.0,
            ssim=0.99,
            num_tokens=30 * len(spec.entries),
            blobs=tuple(blobs),
        )
        yield Finished(job_id=job_id, result=JobResult(recall=result))

    def _take(
        self, job_id: str, frames: list[Any], spec: Any, read: tuple[EntryRef, ...]
    ) -> Generator[FromEngine, None, TakeResult]:
        media = yield from self._put(job_id, _video(frames, spec.rate), "video/mp4")
        latents = yield from self._put(
            job_id, TENSORS + b"latents of " + media.digest.encode(), SAFETENSORS
        )
        strip, tiles = _strip(frames)
        film = yield from self._put(job_id, strip, "image/jpeg")
        blobs, entries = [media, latents, film], []
        for system in self._info.systems:
            if system.name != spec.memory_system or system.name == "none":
                continue
            data = TENSORS + b"entry of " + latents.digest.encode()
            blob = yield from self._put(job_id, data, SAFETENSORS)
            blobs.append(blob)
            key = digest_of([system.fingerprint, latents.digest])
            entries.append(
                EntryResult(
                    key=key,
                    system=system.name,
                    fingerprint=system.fingerprint,
                    scope=system.scope,
                    latents_digest=latents.digest,
                    blob_digest=blob.digest,
                    num_tokens=30,
                    num_bytes=blob.size,
                )
            )
        return TakeResult(
            media_digest=media.digest,
            latents_digest=latents.digest,
            strip_digest=film.digest,
            strip_tiles=tiles,
            num_frames=len(frames),
            width=spec.width,
            height=spec.height,
            rate=spec.rate,
            entries=tuple(entries),
            blobs=tuple(blobs),
            sources=tuple(Source(take_id=r.take_id, weight=1 / len(read)) for r in read),
            memory_tokens=30 * len(read),
            seconds={"denoising": 0.08, "step": 0.02, "total": 0.1},
        )

    def _put(
        self, job_id: str, data: bytes, media_type: str
    ) -> Generator[FromEngine, None, BlobResult]:
        yield Pin(job_id=job_id, digest=hashlib.sha256(data).hexdigest())
        stored = self._store.put(data)
        assert stored.digest in self._pinned, "the pin must be answered before the next message"
        return BlobResult(digest=stored.digest, size=stored.size, media_type=media_type)


def _measured(spec: MeasureSpec | CurveSpec) -> Measured:
    """Return numbers that fall with time, as memory does; too many tokens are not measured."""
    if isinstance(spec, MeasureSpec):
        return Measured(
            moments=tuple(
                Moment(frame=frame, psnr=30.0 - 6 * index, ssim=0.9)
                for index, frame in enumerate(spec.frames)
            )
        )
    timed = (
        CurvePoint(tokens=n, step_seconds=0.1 + n / 10_000 if n <= 10_000 else None)
        for n in spec.tokens
    )
    return Measured(curve=(*timed, CurvePoint(tokens=30 * len(spec.entries), psnr=20.0)))


def pictures(spec: GenerateSpec) -> list[Any]:
    """Return a bright box that crosses a background, in colours of the prompt and the seed."""
    hue = int(hashlib.sha256(spec.prompt.encode()).hexdigest()[:4], 16) / 65535
    background = [int(255 * c) for c in colorsys.hsv_to_rgb(hue, 0.5, 0.5)]
    box = [int(255 * c) for c in colorsys.hsv_to_rgb((hue + 0.4 + spec.seed % 97 / 300) % 1, 1, 1)]
    frames = []
    side = spec.height // 3
    for index in range(spec.num_frames):
        picture = np.empty((spec.height, spec.width, 3), np.uint8)
        picture[:] = background
        left = round((spec.width - side) * index / max(1, spec.num_frames - 1))
        top = side + round(side * np.sin(index / 2) / 2)
        picture[top : top + side, left : left + side] = box
        frames.append(picture)
    return frames


def _video(frames: list[Any], rate: tuple[int, int]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "take.mp4"
        encode.write(path, (encode.frame_of_rgb(f) for f in frames), rate)
        return path.read_bytes()


def _strip(frames: list[Any]) -> tuple[bytes, int]:
    tiles = min(24, len(frames))
    picks = [frames[i * len(frames) // tiles] for i in range(tiles)]
    return _picture(np.concatenate(picks, axis=1), "JPEG"), tiles


def _picture(pixels: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()
