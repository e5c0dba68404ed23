"""One generated shot as a job: memory in, a take as blobs out, and where it stands in between."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import torch

from engine.bench import Bench, Report, memory_of
from engine.context import ContextSource, MemoryState
from engine.errors import Cancelled
from engine.recipes import Model
from engine.render import (
    Asks,
    Attended,
    Decoded,
    Halfway,
    Kept,
    MemoryRead,
    Remembered,
    ShotRequest,
    render_shot,
)
from engine.resume import clean_checkpoint, fits, load_halfway, save_halfway
from engine.sampling.known import Known
from engine.sampling.sampler import Step
from engine.slate import TAG, Slate, SlateShot, write_slate
from engine.specs import (
    Checkpoint,
    EncodeSpec,
    EntryRef,
    EntryResult,
    GenerateSpec,
    JobResult,
    Source,
    TakeResult,
)
from engine.takes import (
    SAFETENSORS,
    keep_entry,
    known_of,
    latents_to_bytes,
    load_state,
    rules_of,
)
from engine.video import vae as video_vae
from engine.video.files import write_mp4
from engine.video.picture import Frame, jpeg, strip

DENOISING_SHARE = 0.85
"""Share of a shot's time that denoising takes, for its progress bar."""


def generate(bench: Bench, spec: GenerateSpec) -> Iterator[Report | Checkpoint | JobResult]:
    """Render one shot: latents are durable before anything is decoded.

    A checkpoint is yielded as often as the bench says, and when everything is sampled.
    """
    start = time.perf_counter()
    yield Report(phase="reading_memory", step=0, num_steps=len(spec.entries), done=0.0)
    model, desk = bench.model, bench.desk
    memory = memory_of(model, spec.memory_system)
    state: MemoryState = ()
    entries: list[EntryResult] = []
    if memory is not None:
        state, remade = load_state(model, memory, spec.entries, desk)
        entries += remade
    fit = fits(model, spec)
    request = _request(
        spec, known_of(model, spec, desk.store), load_halfway(desk.store, model, spec)
    )
    log = _ShotLog(start=start, before=request.resume)

    def keep(latents: torch.Tensor) -> str:
        return desk.put(latents_to_bytes(latents, spec.num_frames), SAFETENSORS)

    for event in render_shot(model, request, state, keep=keep, asks=_asks(bench)):
        if isinstance(event, Remembered):
            assert memory is not None or not event.entries
            scope = memory.info.scope if memory is not None else "take"
            entries += [keep_entry(desk, entry, scope) for entry in event.entries]
        elif isinstance(event, Halfway):
            yield save_halfway(desk, fit, event)
        else:
            if isinstance(event, Kept):
                yield clean_checkpoint(event.digest, fit, event.halfway)
            yield from log.see(model, event)
            if (
                isinstance(event, Decoded)
                and event.num_done == event.num_frames
                and memory is not None
            ):
                yield Report(phase="remembering", step=0, num_steps=1, done=0.95)
    yield Report(phase="saving", step=0, num_steps=1, done=0.97)
    yield JobResult(takes=(log.take(bench, spec, tuple(entries)),))


def _asks(bench: Bench) -> Asks:
    saved_at = time.monotonic()

    def is_saving() -> bool:
        nonlocal saved_at
        if time.monotonic() - saved_at < bench.save_seconds:
            return False
        saved_at = time.monotonic()
        return True

    return Asks(
        is_cancelled=bench.is_cancelled,
        is_stopping=bench.is_stopping,
        is_pausing=bench.is_pausing,
        is_saving=is_saving,
    )


class _ShotLog:
    """Turns the events of a shot into reports, and remembers what the take is made of."""

    def __init__(self, *, start: float, before: Halfway | None) -> None:
        self.start = start
        self.step_seconds: list[float] = []
        self.first_preview = 0.0
        self.denoised = start
        self.decoded = start
        self.frames: list[torch.Tensor] = []
        self.latents_digest = ""
        self.tokens = 0
        self.sources: tuple[ContextSource, ...] = ()
        self._last = start
        self._stopped_at = 0 if before is None else before.sampler.step % before.num_steps

    def see(
        self, model: Model, event: MemoryRead | Attended | Step | Kept | Decoded
    ) -> Iterator[Report]:
        now = time.perf_counter()
        if isinstance(event, MemoryRead):
            self.tokens, self.sources, self._last = event.num_tokens, event.sources, now
        elif isinstance(event, Attended):
            self.sources = event.sources
        elif isinstance(event, Step):
            yield self._step(model, event, now)
        elif isinstance(event, Kept):
            self.latents_digest, self.denoised = event.digest, now
        else:
            self.frames.append(event.frames_FHW3)
            self.decoded = now
            yield Report(
                phase="decoding",
                step=event.num_done,
                num_steps=event.num_frames,
                done=DENOISING_SHARE + 0.1 * event.num_done / event.num_frames,
            )

    def take(
        self, bench: Bench, spec: GenerateSpec, entries: tuple[EntryResult, ...]
    ) -> TakeResult:
        """Store video and strip, and return the take."""
        desk = bench.desk
        frames = torch.cat(self.frames).numpy()
        slate = slate_of(spec, self.latents_digest, len(frames))
        media, tiles, strip_digest = keep_picture(bench, frames, slate)
        seconds = {
            "total": time.perf_counter() - self.start,
            "denoising": self.denoised - self.start,
            "decoding": self.decoded - self.denoised,
            "step": statistics.median(self.step_seconds) if self.step_seconds else 0.0,
            "first_preview": self.first_preview,
        }
        return TakeResult(
            media_digest=media,
            latents_digest=self.latents_digest,
            strip_digest=strip_digest,
            strip_tiles=tiles,
            num_frames=len(frames),
            width=spec.width,
            height=spec.height,
            rate=spec.rate,
            entries=entries,
            blobs=desk.blobs,
            sources=_sources(self.sources, spec.entries),
            memory_tokens=self.tokens,
            seconds={name: round(value, 4) for name, value in seconds.items()},
            stopped_at=self._stopped_at,
        )

    def _step(self, model: Model, event: Step, now: float) -> Report:
        self.step_seconds.append(now - self._last)
        self._stopped_at = event.index % event.num_steps
        preview = b""
        if event.index % 2 == 1 or event.index == event.num_steps:
            preview = _preview(model, event)
            self.first_preview = self.first_preview or time.perf_counter() - self.start
        self._last = time.perf_counter()
        left = event.num_steps - event.index
        return Report(
            phase="denoising",
            step=event.index,
            num_steps=event.num_steps,
            done=DENOISING_SHARE * event.index / event.num_steps,
            eta_seconds=left * statistics.median(self.step_seconds) / DENOISING_SHARE,
            preview=preview,
        )


def keep_picture(bench: Bench, frames: Frame, slate: Slate) -> tuple[str, int, str]:
    """Store the video with its slate and the film strip: (media digest, tiles, strip digest).

    Raises:
        Cancelled: between two frames.
    """
    wanted = _while_wanted(frames, bench.is_cancelled)
    video = write_mp4(wanted, slate.rate, tags={TAG: write_slate(slate)})
    media = bench.desk.put(video, "video/mp4")
    data, tiles = strip(frames)
    return media, tiles, bench.desk.put(data, "image/jpeg")


def _while_wanted(frames: Iterable[Frame], is_cancelled: Callable[[], bool]) -> Iterator[Frame]:
    for index, frame in enumerate(frames):
        if is_cancelled():
            raise Cancelled(f"Stopped at frame {index} of the video.")
        yield frame


def slate_of(spec: GenerateSpec | EncodeSpec, latents_digest: str, num_frames: int) -> Slate:
    """Return what the video of a take says about how it was made."""
    shot = SlateShot(
        num_frames=num_frames,
        in_frame=0,
        out_frame=num_frames,
        latents=latents_digest,
        memory_system=spec.memory_system,
    )
    if isinstance(spec, GenerateSpec):
        names = ("prompt", "seed", "num_steps", "guidance", "strength")
        shot = replace(shot, **{name: getattr(spec, name) for name in names})
    return Slate(rate=spec.rate, width=spec.width, height=spec.height, shots=(shot,))


def _request(spec: GenerateSpec, known: Known | None, resume: Halfway | None) -> ShotRequest:
    return ShotRequest(
        prompt=spec.prompt,
        num_frames=spec.num_frames,
        width=spec.width,
        height=spec.height,
        seed=spec.seed,
        num_steps=spec.num_steps,
        guidance=spec.guidance,
        strength=spec.strength,
        memory_system=spec.memory_system,
        rules=rules_of(spec.entries),
        known=known,
        resume=resume,
    )


def _sources(sources: tuple[ContextSource, ...], refs: tuple[EntryRef, ...]) -> tuple[Source, ...]:
    return tuple(
        Source(take_id=refs[source.entry_index].take_id, weight=round(source.weight, 4))
        for source in sources
    )


def _preview(model: Model, step: Step) -> bytes:
    # The first latent decodes alone to a true first frame: a picture for the price of one.
    first = step.estimate_BCTHW[:, :, :1]
    with model.device.autocast():
        return jpeg(video_vae.decode(model.parts.vae, first)[0].numpy(), quality=75)
