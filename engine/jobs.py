"""What the engine does for each kind of job: generate a shot, encode footage, recall a frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from engine.bench import Bench, Report, memory_of
from engine.context import FrameRef, Memory, MemoryState
from engine.errors import MediaError, MemoryStateError
from engine.generate import generate, keep_picture, slate_of
from engine.latent_time import padded_frames
from engine.lint import lint
from engine.measure import measure
from engine.retrieve import recall_frame
from engine.specs import (
    Checkpoint,
    CurveSpec,
    EncodeSpec,
    EntryResult,
    GenerateSpec,
    JobResult,
    LintSpec,
    MeasureSpec,
    RecallResult,
    RecallSpec,
    Spec,
    TakeResult,
)
from engine.takes import (
    SAFETENSORS,
    BlobDesk,
    entry_of_latents,
    keep_entry,
    latents_to_bytes,
    load_state,
    rules_of,
)
from engine.video import vae as video_vae
from engine.video.files import frame_at, read_frames
from engine.video.picture import Frame, png, psnr, ssim


def run_job(bench: Bench, spec: Spec) -> Iterator[Report | Checkpoint | JobResult]:
    """Yield reports, checkpoints of a shot, and last the result.

    Raises:
        EngineError: the job cannot be done; the message is for the editor.
    """
    if isinstance(spec, GenerateSpec):
        yield from generate(bench, spec)
    elif isinstance(spec, EncodeSpec):
        yield from encode_footage(bench, spec)
    elif isinstance(spec, LintSpec):
        yield JobResult(lint=lint(bench.desk.store, spec, bench.model.parts.vae.config.z_dim))
    elif isinstance(spec, RecallSpec):
        yield recall(bench, spec)
    else:
        yield from _measure(bench, spec)


def encode_footage(bench: Bench, spec: EncodeSpec) -> Iterator[Report | JobResult]:
    """Turn footage in normal form into takes: video, latents, strip and entry per piece."""
    memory = memory_of(bench.model, spec.memory_system)
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
    memory = memory_of(bench.model, spec.memory_system)
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
        FrameRef(entry_index=spec.entry_index, frame=spec.frame, rules=rules_of(spec.entries)),
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


def _measure(bench: Bench, spec: MeasureSpec | CurveSpec) -> Iterator[Report | JobResult]:
    steps = measure(bench.model, bench.desk, spec, bench.is_cancelled)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            if end.value is not None:
                yield JobResult(measured=end.value)
            return
        yield Report(
            phase="measuring", step=step.done, num_steps=step.total, done=step.done / step.total
        )


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
    digest = desk.put(latents_to_bytes(latents, len(frames)), SAFETENSORS)
    media, tiles, strip_digest = keep_picture(bench, frames, slate_of(spec, digest, len(frames)))
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


def _real_frame(bench: Bench, spec: RecallSpec) -> torch.Tensor | None:
    if not spec.media_digest or not bench.desk.store.exists(spec.media_digest):
        return None
    return frame_at(str(bench.desk.store.path(spec.media_digest)), spec.frame)


def _keep_png(desk: BlobDesk, frame_1HW3: torch.Tensor) -> str:
    return desk.put(png(frame_1HW3[0].numpy()), "image/png")
