"""One shot, section by section: read memory, denoise, keep, decode, remember. Start reading here.

`render_shot` is a generator that yields what happened, so that progress, previews and cancelling
need no callbacks. Latents are kept before anything is decoded: a failed decode never costs the
sampling.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch

from engine.context import (
    EMPTY,
    Context,
    ContextRequest,
    ContextSource,
    Memory,
    MemoryEntry,
    ShotLatents,
)
from engine.context import MemoryState as State
from engine.latent_time import num_latents
from engine.recipes import Model
from engine.sampling import sampler
from engine.sampling.guidance import Guidance, guided
from engine.sampling.sampler import Step, noise
from engine.video import vae as video_vae


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


@dataclass(frozen=True, kw_only=True)
class MemoryRead:
    """The context of the shot is known."""

    num_tokens: int
    sources: tuple[ContextSource, ...]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The clean latents are durable under `digest`."""

    digest: str
    latents_BCTHW: torch.Tensor


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


Event = MemoryRead | Step | Kept | Decoded | Remembered
Keep = Callable[[torch.Tensor], str]
"""Stores clean latents durably and returns their digest."""


def render_shot(
    model: Model,
    request: ShotRequest,
    state: State,
    *,
    keep: Keep,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Yield the events of one shot, in order: MemoryRead, Steps, Kept, Decoded..., Remembered.

    Raises:
        Cancelled: between two steps.
        MemoryStateError: an entry that this model did not make.
        ValueError: a length that is not 1 + 4k.
    """
    memory = model.memories.get(request.memory_system)
    latents = yield from denoise(model, request, state, is_cancelled=is_cancelled)
    # What is kept is what everything after it is made from: bf16, as in the blob.
    latents = latents.to(torch.bfloat16).float()
    digest = keep(latents)
    yield Kept(digest=digest, latents_BCTHW=latents)
    frames = yield from decode_shot(model, latents)
    if memory is None:
        yield Remembered(entries=())
        return
    shot = shot_latents(model, memory, latents, frames, digest=digest)
    yield Remembered(entries=(memory.remember(state, shot),))


def denoise(
    model: Model,
    request: ShotRequest,
    state: State,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Generator[MemoryRead | Step, None, torch.Tensor]:
    """Yield what happens from noise to clean latents; the generator returns the latents."""
    time = num_latents(request.num_frames)
    rows, columns = request.height // 8, request.width // 8
    memory = model.memories.get(request.memory_system)
    context = model_context(memory, state, time, rows // 2, columns // 2)
    yield MemoryRead(num_tokens=context.num_tokens, sources=context.sources)
    text = model.embed(request.prompt)
    velocity = guided(
        model.velocity,
        Guidance(
            text=request.guidance,
            memory=request.strength,
            memory_floor=model.card.guidance_floor,
        ),
        text,
        model.empty_text,
        context,
    )
    shape = (1, model.parts.vae.config.z_dim, time, rows, columns)
    latents = noise(shape, request.seed, model.device.name)
    steps = sampler.denoise(
        velocity, latents, model.parts.scheduler, request.num_steps, is_cancelled=is_cancelled
    )
    for step in steps:
        latents = step.latents_BCTHW
        yield step
    return latents


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
    key. `num_frames` counts real frames where the last one was repeated for encoding.
    """
    encoder = getattr(memory, "encoder", None)
    reduced = latents_BCTHW[:, :, :1]
    if encoder is not None:
        clip = video_vae.reduce_clip(frames_FHW3, encoder.config.rate_hwt)
        with model.device.autocast():
            reduced = video_vae.encode(model.parts.vae, clip)
    return ShotLatents(
        latents_BCTHW=latents_BCTHW,
        lr_latents_BCTHW=reduced,
        digest=digest,
        num_frames=num_frames or frames_FHW3.shape[0],
    )


def model_context(
    memory: Memory | None, state: State, time: int, rows: int, columns: int
) -> Context:
    """Return the context of a section, empty without a memory system."""
    if memory is None:
        return EMPTY
    return memory.context(state, ContextRequest(num_latents=time, rows=rows, columns=columns))
