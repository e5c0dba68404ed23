"""What memory is worth, in numbers: fidelity of one take's entry, and cost and gain of tokens.

Each moment of a take is recalled (mean, one step) from its entry alone, so that the numbers are a
function of the entry and stay true wherever the shot stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import torch

from engine.context import EMPTY, Context, ContextRequest, FrameRef, Memory, MemoryState
from engine.errors import MemoryStateError
from engine.latent_time import num_latents
from engine.recipes import Model
from engine.retrieve import recall_frame
from engine.sampling.guidance import guided
from engine.sampling.sampler import noise
from engine.specs import CurvePoint, CurveSpec, EntryResult, Measured, MeasureSpec, Moment
from engine.takes import BlobDesk, load_state, rules_of
from engine.video.files import frame_at
from engine.video.picture import psnr, ssim

LONGEST_STEP = 20.0
"""Seconds above which a step is not timed: nobody would render with it, and the queue waits."""
RECALLS = 3
"""Frames of the oldest shot that are recalled for one point of the curve."""


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """How far a measurement is."""

    done: int
    total: int


def measure(
    model: Model,
    desk: BlobDesk,
    spec: MeasureSpec | CurveSpec,
    is_cancelled: Callable[[], bool],
) -> Generator[Measuring, None, Measured | None]:
    """Yield how far it is; the generator returns the numbers, or None when it was cancelled.

    Raises:
        MemoryStateError: an unknown memory system, or a take without entry and latents.
    """
    memory = model.memories.get(spec.memory_system)
    if memory is None:
        raise MemoryStateError(
            f"There is no memory system {spec.memory_system!r} to measure. Expected one of "
            f"{sorted(model.memories)}."
        )
    refs = (spec.entry,) if isinstance(spec, MeasureSpec) else spec.entries
    state, remade = load_state(model, memory, refs, desk)
    if isinstance(spec, MeasureSpec):
        found = yield from _fidelity(model, desk, spec, state, is_cancelled)
    else:
        found = yield from _curve(model, desk, spec, (memory, state), is_cancelled)
    return None if found is None else _with_rows(found, desk, remade)


def _with_rows(found: Measured, desk: BlobDesk, remade: tuple[EntryResult, ...]) -> Measured:
    return replace(found, blobs=desk.blobs, entries=remade)


def _fidelity(
    model: Model,
    desk: BlobDesk,
    spec: MeasureSpec,
    state: MemoryState,
    is_cancelled: Callable[[], bool],
) -> Generator[Measuring, None, Measured | None]:
    moments = []
    for index, frame in enumerate(spec.frames):
        if is_cancelled():
            return None
        yield Measuring(done=index, total=len(spec.frames))
        ref = FrameRef(entry_index=0, frame=frame, rules=rules_of((spec.entry,)))
        moments.append(_moment(model, desk, spec, state, ref))
    return Measured(moments=tuple(moments))


def _moment(
    model: Model, desk: BlobDesk, spec: MeasureSpec, state: MemoryState, ref: FrameRef
) -> Moment:
    picture = recall_frame(model, spec.memory_system, state, ref).frame_1HW3
    if picture is None:
        return Moment(frame=ref.frame, psnr=None, ssim=None)
    picture = picture[:, : spec.height, : spec.width]
    real = frame_at(str(desk.store.path(spec.media_digest)), ref.frame)
    return Moment(
        frame=ref.frame,
        psnr=round(psnr(picture, real), 2),
        ssim=round(ssim(picture, real), 4),
    )


def _curve(
    model: Model,
    desk: BlobDesk,
    spec: CurveSpec,
    read: tuple[Memory, MemoryState],
    is_cancelled: Callable[[], bool],
) -> Generator[Measuring, None, Measured | None]:
    """Time a step at each number of tokens, and recall at each number of real past shots."""
    memory, state = read
    depths = [d for d in (1, 2, 4, 8, 16, 32, 64, 128) if d <= len(state)]
    total = len(spec.tokens) + len(depths)
    points: list[CurvePoint] = []
    seconds = 0.0
    for index, tokens in enumerate(spec.tokens):
        if is_cancelled():
            return None
        yield Measuring(done=index, total=total)
        # Attention grows with the square of its length at worst.
        growth = (tokens / points[-1].tokens) ** 2 if points and points[-1].tokens else 1.0
        if points and seconds * growth > LONGEST_STEP:
            points.append(CurvePoint(tokens=tokens))
            seconds *= growth
            continue
        seconds = _seconds(model, spec, _of_length(memory, state, tokens))
        points.append(CurvePoint(tokens=tokens, step_seconds=round(seconds, 4)))
    for index, depth in enumerate(depths):
        if is_cancelled():
            return None
        yield Measuring(done=len(spec.tokens) + index, total=total)
        points.append(_recall_point(model, desk, spec, (memory, state), depth))
    return Measured(curve=tuple(sorted(points, key=lambda point: point.tokens)))


def _of_length(memory: Memory, state: MemoryState, tokens: int) -> Context:
    """Return a context of exactly so many tokens, repeating what is there: its cost is the same."""
    if tokens == 0:
        return EMPTY
    context = memory.context(state, ContextRequest(num_latents=1, rows=1, columns=1))
    if context.tokens_BLD is None or context.positions_L3 is None:
        raise MemoryStateError("There is nothing in memory to measure with. Generate a shot first.")
    times = -(-tokens // context.num_tokens)
    return replace(
        context,
        tokens_BLD=context.tokens_BLD.repeat(1, times, 1)[:, :tokens],
        positions_L3=context.positions_L3.repeat(times, 1)[:tokens],
        sources=(),
    )


def _seconds(model: Model, spec: CurveSpec, context: Context) -> float:
    """Return the seconds of a shot's first step, in which every guidance that is asked for acts."""
    shape = (
        1,
        model.parts.vae.config.z_dim,
        num_latents(spec.num_frames),
        spec.height // 8,
        spec.width // 8,
    )
    velocity = guided(
        model.velocity,
        model.guidance(text=spec.guidance, memory=spec.strength),
        model.empty_text.clone(),
        model.empty_text,
        context,
    )
    latents = noise(shape, 0, model.device.name)
    start = time.perf_counter()
    velocity(latents, 1.0)
    if model.device.name != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _recall_point(
    model: Model,
    desk: BlobDesk,
    spec: CurveSpec,
    read: tuple[Memory, MemoryState],
    depth: int,
) -> CurvePoint:
    """Return the fidelity of the oldest of the newest `depth` shots."""
    memory, state = read
    newest = state[-depth:]
    media = spec.media[-depth:][0]
    values = []
    for frame in _spread(newest[0].num_frames):
        ref = FrameRef(entry_index=0, frame=frame)
        picture = recall_frame(model, spec.memory_system, newest, ref).frame_1HW3
        if picture is not None:
            real = frame_at(str(desk.store.path(media)), frame)
            values.append(psnr(picture[:, : real.shape[1], : real.shape[2]], real))
    return CurvePoint(
        tokens=memory.cost(newest).tokens,
        psnr=round(sum(values) / len(values), 2) if values else None,
    )


def _spread(num_frames: int) -> Sequence[int]:
    return [round(i * (num_frames - 1) / (RECALLS - 1)) for i in range(RECALLS)]
