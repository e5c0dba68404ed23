"""What the engine does for each kind of job: generate a shot, encode footage, recall a frame."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from engine.context import ContextSource, FrameRef, Memory, MemoryState
from engine.errors import MediaError, MemoryStateError
from engine.latent_time import padded_frames
from engine.protocol import (
    EncodeSpec,
    EntryRef,
    EntryResult,
    GenerateSpec,
    JobResult,
    Phase,
    RecallResult,
    RecallSpec,
    Source,
    Spec,
    TakeResult,
)
from engine.recipes import Model
from engine.render import Decoded, Kept, MemoryRead, Remembered, ShotRequest, render_shot
from engine.retrieve import recall_frame
from engine.sampling.sampler import Step
from engine.takes import (
    BlobDesk,
    entry_of_latents,
    keep_entry,
    latents_to_bytes,
    load_state,
)
from engine.video import vae as video_vae
from engine.video.files import frame_at, read_frames, write_mp4
from engine.video.picture import Frame, jpeg, png, psnr, ssim, strip

NO_MEMORY = "none"
DENOISING_SHARE = 0.85
"""Share of a shot's time that denoising takes, for its progress bar."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """How far a job is; `preview` is a JPEG where there is a new one."""

    phase: Phase
    step: int
    num_steps: int
    done: float
    eta_seconds: float | None = None
    preview: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a job works with."""

    model: Model
    desk: BlobDesk
    is_cancelled: Callable[[], bool]


def run_job(bench: Bench, spec: Spec) -> Iterator[Report | JobResult]:
    """Yield reports and, last, the result.

    Raises:
        EngineError: the job cannot be done; the message is for the editor.
    """
    if isinstance(spec, GenerateSpec):
        yield from generate(bench, spec)
    elif isinstance(spec, EncodeSpec):
        yield from encode_footage(bench, spec)
    else:
        yield recall(bench, spec)


def generate(bench: Bench, spec: GenerateSpec) -> Iterator[Report | JobResult]:
    """Render one shot: latents are durable before anything is decoded."""
    start = time.perf_counter()
    yield Report(phase="reading_memory", step=0, num_steps=len(spec.entries), done=0.0)
    memory = _memory(bench.model, spec.memory_system)
    state: MemoryState = ()
    remade: tuple[EntryResult, ...] = ()
    if memory is not None:
        state, remade = load_state(bench.model, memory, spec.entries, bench.desk)
    log = _ShotLog(start=start, spec=spec)
    entries = list(remade)

    def keep(latents: torch.Tensor) -> str:
        return bench.desk.put(
            latents_to_bytes(latents, spec.num_frames), "application/x-safetensors"
        )

    for event in render_shot(
        bench.model, _request(spec), state, keep=keep, is_cancelled=bench.is_cancelled
    ):
        if isinstance(event, Remembered):
            assert memory is not None or not event.entries
            scope = memory.info.scope if memory is not None else "take"
            entries += [keep_entry(bench.desk, entry, scope) for entry in event.entries]
        else:
            yield from log.see(bench.model, event)
    yield Report(phase="saving", step=0, num_steps=1, done=0.97)
    yield JobResult(takes=(log.take(bench.desk, spec, tuple(entries)),))


def encode_footage(bench: Bench, spec: EncodeSpec) -> Iterator[Report | JobResult]:
    """Turn footage in normal form into takes: video, latents, strip and entry per piece."""
    memory = _memory(bench.model, spec.memory_system)
    state: MemoryState = ()
    takes: list[TakeResult] = []
    frames = read_frames(str(bench.desk.store.path(spec.media_digest)))
    for index, length in enumerate(spec.lengths):
        if bench.is_cancelled():
            return
        yield Report(
            phase="encoding",
            step=index,
            num_steps=len(spec.lengths),
            done=index / len(spec.lengths),
        )
        piece = [frame for _, frame in zip(range(length), frames, strict=False)]
        if len(piece) != length:
            raise MediaError(
                f"The footage ended after {len(piece)} frames of piece {index + 1}. Expected "
                f"{length}: import the file again."
            )
        take, state = _encode_piece(bench, spec, np.stack(piece), (memory, state))
        takes.append(take)
    yield JobResult(takes=tuple(takes))


def recall(bench: Bench, spec: RecallSpec) -> JobResult:
    """Decode a past frame out of memory and compare it with the real one where there is one."""
    memory = _memory(bench.model, spec.memory_system)
    if memory is None:
        raise MemoryStateError("This shot was made without memory. Choose a memory system first.")
    if not 0 <= spec.entry_index < len(spec.entries):
        raise MemoryStateError(
            f"Entry {spec.entry_index} of {len(spec.entries)}. Expected a shot with a take."
        )
    state, remade = load_state(bench.model, memory, spec.entries, bench.desk)
    recalled = recall_frame(
        bench.model,
        spec.memory_system,
        state,
        FrameRef(entry_index=spec.entry_index, frame=spec.frame),
        mode=spec.mode,
        seed=spec.seed,
    )
    picture = recalled.frame_1HW3
    if picture is not None:
        picture = picture[:, : spec.height, : spec.width]
    real = _real_frame(bench, spec)
    both = picture is not None and real is not None and picture.shape == real.shape
    return JobResult(
        recall=RecallResult(
            source=recalled.source,
            recalled_digest="" if picture is None else _keep_png(bench.desk, picture),
            real_digest="" if real is None else _keep_png(bench.desk, real),
            psnr=psnr(picture, real) if both else None,  # type: ignore[arg-type]
            ssim=ssim(picture, real) if both else None,  # type: ignore[arg-type]
            num_tokens=recalled.num_tokens,
            blobs=bench.desk.blobs,
            entries=remade,
            note=recalled.note,
        )
    )


class _ShotLog:
    """Turns the events of a shot into reports, and remembers what the take is made of."""

    def __init__(self, *, start: float, spec: GenerateSpec) -> None:
        self.start = start
        self.spec = spec
        self.step_seconds: list[float] = []
        self.first_preview = 0.0
        self.denoised = start
        self.decoded = start
        self.frames: list[torch.Tensor] = []
        self.latents_digest = ""
        self.tokens = 0
        self.sources: tuple[ContextSource, ...] = ()
        self._last = start

    def see(self, model: Model, event: MemoryRead | Step | Kept | Decoded) -> Iterator[Report]:
        now = time.perf_counter()
        if isinstance(event, MemoryRead):
            self.tokens, self.sources, self._last = event.num_tokens, event.sources, now
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
        self, desk: BlobDesk, spec: GenerateSpec, entries: tuple[EntryResult, ...]
    ) -> TakeResult:
        """Store video and strip, and return the take."""
        frames = torch.cat(self.frames).numpy()
        media, tiles, strip_digest = keep_picture(desk, frames, spec.rate)
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
        )

    def _step(self, model: Model, event: Step, now: float) -> Report:
        self.step_seconds.append(now - self._last)
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


def keep_picture(desk: BlobDesk, frames: Frame, rate: tuple[int, int]) -> tuple[str, int, str]:
    """Store the video and the film strip; return (media digest, tiles, strip digest)."""
    media = desk.put(write_mp4(frames, rate), "video/mp4")
    data, tiles = strip(frames)
    return media, tiles, desk.put(data, "image/jpeg")


def _encode_piece(
    bench: Bench, spec: EncodeSpec, frames: Frame, past: tuple[Memory | None, MemoryState]
) -> tuple[TakeResult, MemoryState]:
    memory, state = past
    model, desk = bench.model, bench.desk
    # The last frame is repeated for encoding only; video and cut keep every real frame.
    missing = padded_frames(len(frames), model.frame_multiple) - len(frames)
    padded = np.concatenate([frames, np.repeat(frames[-1:], missing, axis=0)])
    with model.device.autocast():
        latents = video_vae.encode(model.parts.vae, torch.from_numpy(padded))
    latents = latents.to(torch.bfloat16).float()
    digest = desk.put(latents_to_bytes(latents, len(frames)), "application/x-safetensors")
    media, tiles, strip_digest = keep_picture(desk, frames, spec.rate)
    entries: tuple[EntryResult, ...] = ()
    if memory is not None:
        entry = entry_of_latents(model, memory, state, digest, (latents, len(frames)))
        entries = (keep_entry(desk, entry, memory.info.scope),)
        state = (*state, entry)
    take = TakeResult(
        media_digest=media,
        latents_digest=digest,
        strip_digest=strip_digest,
        strip_tiles=tiles,
        num_frames=len(frames),
        width=spec.width,
        height=spec.height,
        rate=spec.rate,
        entries=entries,
        blobs=desk.blobs,
    )
    return take, state


def _memory(model: Model, system: str) -> Memory | None:
    if system == NO_MEMORY:
        return None
    if system not in model.memories:
        raise MemoryStateError(
            f"There is no memory system {system!r}. Expected one of "
            f"{[*sorted(model.memories), NO_MEMORY]}."
        )
    return model.memories[system]


def _request(spec: GenerateSpec) -> ShotRequest:
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


def _real_frame(bench: Bench, spec: RecallSpec) -> torch.Tensor | None:
    if not spec.media_digest or not bench.desk.store.exists(spec.media_digest):
        return None
    return frame_at(str(bench.desk.store.path(spec.media_digest)), spec.frame)


def _keep_png(desk: BlobDesk, frame_1HW3: torch.Tensor) -> str:
    return desk.put(png(frame_1HW3[0].numpy()), "image/png")
