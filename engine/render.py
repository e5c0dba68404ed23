"""One shot, section by section: read memory, denoise, keep, decode, remember. Start reading here.

`render_shot` is a generator that yields what happened, so that progress, previews and cancelling
need no callbacks. Latents are kept before anything is decoded: a failed decode never costs the
sampling.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

import torch

from engine.context import (
    EMPTY,
    Context,
    ContextRequest,
    ContextSource,
    Memory,
    MemoryEntry,
    Rules,
    ShotLatents,
)
from engine.context import MemoryState as State
from engine.errors import Cancelled, Paused
from engine.latent_time import num_latents, padded_frames
from engine.models.attention_mass import AttentionMass
from engine.recipes import Model
from engine.sampling import sampler
from engine.sampling.guidance import Velocity, guided
from engine.sampling.known import Known
from engine.sampling.sampler import SamplerState, Step, noise
from engine.video import vae as video_vae


@dataclass(frozen=True, kw_only=True)
class Halfway:
    """Where the rendering of a shot stands, so that another process can go on from there."""

    sampler: SamplerState
    num_steps: int
    mass: tuple[float, ...] = ()
    """Attention added up so far, for each past take."""
    is_clean: bool = False
    """Nothing is left to sample: the latents are those of the take."""


@dataclass(frozen=True, kw_only=True)
class ShotRequest:
    """What one take is made from, beside the memory state."""

    prompt: str
    num_frames: int
    width: int
    height: int
    seed: int
    num_steps: int
    guidance: float
    strength: float
    memory_system: str
    """A registered system, or `none`."""
    rules: Rules = field(default_factory=dict)
    """How entries are read: what is forgotten and pinned."""
    known: Known | None = None
    """Frames that are held or varied. None = everything is made from noise."""
    resume: Halfway | None = None
    """Where an earlier run of the very same request stood. None = from the beginning."""


def _no() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Asks:
    """What may be asked of a shot while it is rendered; each is looked at between two steps."""

    is_cancelled: Callable[[], bool] = _no
    is_stopping: Callable[[], bool] = _no
    """End after this step; what the model expects the shot to be by then is decoded."""
    is_pausing: Callable[[], bool] = _no
    """Yield where the shot stands, then raise `Paused`."""
    is_saving: Callable[[], bool] = _no
    """Yield where the shot stands, then go on."""


@dataclass(frozen=True, kw_only=True)
class MemoryRead:
    """The context of the shot is known."""

    num_tokens: int
    sources: tuple[ContextSource, ...]


@dataclass(frozen=True, kw_only=True)
class Attended:
    """How much the shot attended to each past take while it was denoised."""

    sources: tuple[ContextSource, ...]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The clean latents are durable under `digest`."""

    digest: str
    latents_BCTHW: torch.Tensor
    halfway: Halfway
    """What a run needs that only decodes: without the latents' own bytes, which `digest` names."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Some frames came out of the VAE."""

    frames_FHW3: torch.Tensor
    num_done: int
    num_frames: int


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What the shot left in memory; None when it was rendered without memory."""

    entries: tuple[MemoryEntry, ...]


Event = MemoryRead | Attended | Step | Halfway | Kept | Decoded | Remembered
Keep = Callable[[torch.Tensor], str]
"""Stores clean latents durably and returns their digest."""


def render_shot(
    model: Model, request: ShotRequest, state: State, *, keep: Keep, asks: Asks | None = None
) -> Iterator[Event]:
    """Yield the events of one shot, in order: MemoryRead, Steps, Kept, Decoded..., Remembered.

    Raises:
        Cancelled: between two steps.
        Paused: between two steps, after a `Halfway`.
        MemoryStateError: an entry that this model did not make.
        ValueError: a length that is not 1 + 4k.
    """
    memory = model.memories.get(request.memory_system)
    halfway = yield from denoise(model, request, state, asks or Asks())
    # What is kept is what everything after it is made from: bf16, as in the blob.
    latents = halfway.sampler.latents_BCTHW.to(torch.bfloat16).float()
    digest = keep(latents)
    yield Kept(digest=digest, latents_BCTHW=latents, halfway=halfway)
    frames = yield from decode_shot(model, latents)
    if memory is None:
        yield Remembered(entries=())
        return
    shot = shot_latents(model, memory, latents, frames, digest=digest)
    yield Remembered(entries=(memory.remember(state, shot),))


def denoise(
    model: Model, request: ShotRequest, state: State, asks: Asks
) -> Generator[MemoryRead | Attended | Step | Halfway, None, Halfway]:
    """Yield what happens from noise to clean latents; the generator returns where that ended."""
    time = num_latents(request.num_frames)
    rows, columns = request.height // 8, request.width // 8
    memory = model.memories.get(request.memory_system)
    section = ContextRequest(
        num_latents=time, rows=rows // 2, columns=columns // 2, rules=request.rules
    )
    is_read = memory is not None and request.strength != 0.0
    context = EMPTY
    if memory is not None and is_read:
        context = model.addressed(memory.context(state, section), request.rules)
    yield MemoryRead(num_tokens=context.num_tokens, sources=context.sources)
    before = request.resume
    mass = AttentionMass(
        model.parts.transformer,
        [s.num_tokens for s in context.sources],
        () if before is None else before.mass,
    )
    if before is not None and before.is_clean:
        halfway = before
    else:
        shape = (1, model.parts.vae.config.z_dim, time, rows, columns)
        halfway = yield from _sample(model, request, (context, mass), shape, asks)
    if context.sources:
        shares = zip(context.sources, mass.shares(), strict=True)
        yield Attended(sources=tuple(replace(s, weight=share) for s, share in shares))
    return halfway


def _sample(
    model: Model,
    request: ShotRequest,
    read: tuple[Context, AttentionMass],
    shape: tuple[int, ...],
    asks: Asks,
) -> Generator[Step | Halfway, None, Halfway]:
    """Yield the steps, and where they stand as often as it is asked for."""
    context, mass = read
    before = None if request.resume is None else request.resume.sampler
    text = model.embed(request.prompt)
    velocity = guided(
        _measured(model, mass, (text, context), request),
        model.guidance(text=request.guidance, memory=request.strength),
        text,
        model.empty_text,
        context,
    )
    start = noise(shape, request.seed, model.device.name)
    steps = sampler.denoise(
        velocity,
        start,
        model.parts.scheduler,
        request.num_steps,
        known=request.known,
        resume=before,
    )
    state, num_steps = before or SamplerState(step=0, latents_BCTHW=start), request.num_steps
    for step in steps:
        state, num_steps = step.state, step.num_steps
        yield step
        if asks.is_cancelled():
            raise Cancelled(f"Stopped after step {step.index} of {num_steps}.")
        if step.index == step.num_steps:
            break
        halfway = Halfway(sampler=state, num_steps=num_steps, mass=mass.mass)
        if asks.is_stopping():
            # Half-denoised latents decode to noise; the estimate is what the model expects so far.
            state = replace(state, latents_BCTHW=step.estimate_BCTHW)
            break
        if asks.is_pausing():
            yield halfway
            raise Paused(f"Paused after step {step.index} of {num_steps}.")
        if asks.is_saving():
            yield halfway
    return Halfway(sampler=state, num_steps=num_steps, mass=mass.mass, is_clean=True)


def decode_shot(
    model: Model, latents_BCTHW: torch.Tensor
) -> Generator[Decoded, None, torch.Tensor]:
    """Yield frames as they decode; the generator returns all of them, F H W 3."""
    total = 1 + 4 * (latents_BCTHW.shape[2] - 1)
    parts: list[torch.Tensor] = []
    with model.device.autocast():
        for frames in video_vae.decode_stream(model.parts.vae, latents_BCTHW):
            parts.append(frames)
            done = sum(part.shape[0] for part in parts)
            yield Decoded(frames_FHW3=frames, num_done=done, num_frames=total)
    return torch.cat(parts)


def shot_latents(
    model: Model,
    memory: Memory,
    latents_BCTHW: torch.Tensor,
    frames_FHW3: torch.Tensor,
    *,
    digest: str,
    num_frames: int | None = None,
) -> ShotLatents:
    """Return what memory sees of a take: its latents, and the reduced clip encoded again.

    `frames_FHW3` are the frames decoded from the latents, so that an entry is a function of its
    key. `num_frames` counts real frames where the last one was repeated for encoding. A length
    that the memory's rate does not divide is encoded again with its last frame repeated.
    """
    num_frames = num_frames or frames_FHW3.shape[0]
    encoder = getattr(memory, "encoder", None)
    reduced = latents_BCTHW[:, :, :1]
    if encoder is not None:
        multiple = int(encoder.config.frame_multiple)
        with model.device.autocast():
            if (len(frames_FHW3) - 1) % multiple:
                missing = padded_frames(len(frames_FHW3), multiple) - len(frames_FHW3)
                last = frames_FHW3[-1:].expand(missing, -1, -1, -1)
                frames_FHW3 = torch.cat([frames_FHW3, last])
                latents_BCTHW = video_vae.encode(model.parts.vae, frames_FHW3)
            clip = video_vae.reduce_clip(frames_FHW3, encoder.config.rate_hwt)
            reduced = video_vae.encode(model.parts.vae, clip)
    return ShotLatents(
        latents_BCTHW=latents_BCTHW,
        lr_latents_BCTHW=reduced,
        digest=digest,
        num_frames=num_frames,
    )


def _measured(
    model: Model, mass: AttentionMass, read: tuple[torch.Tensor, Context], request: ShotRequest
) -> Velocity:
    """Return the model's velocity, with attention to memory measured at two of the steps.

    Only the forward with the prompt and the memory is looked at; guidance makes others beside it.
    """
    chosen = {request.num_steps // 4, request.num_steps // 2}
    calls = itertools.count(0 if request.resume is None else request.resume.sampler.step)

    def velocity(
        latents: torch.Tensor, sigma: float, text: torch.Tensor, context: Context
    ) -> torch.Tensor:
        is_read = text is read[0] and context is read[1] and context.num_tokens > 0
        if is_read and next(calls) in chosen:
            with mass.measuring():
                return model.velocity(latents, sigma, text, context)
        return model.velocity(latents, sigma, text, context)

    return velocity
