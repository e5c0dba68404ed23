"""A past frame, decoded back out of memory (phi inverse), for the inspector."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.context import FrameRef, MemoryState, RecallSource
from engine.errors import MemoryStateError
from engine.recipes import RECALL_STEPS, Model
from engine.specs import RecallMode
from engine.video import vae as video_vae


@dataclass(frozen=True, kw_only=True)
class RecalledFrame:
    """A frame out of memory. `frame_1HW3` is None when the memory has none."""

    source: RecallSource
    frame_1HW3: torch.Tensor | None
    num_tokens: int
    note: str = ""


def recall_frame(
    model: Model,
    system: str,
    state: MemoryState,
    frame: FrameRef,
    *,
    mode: RecallMode = "mean",
    seed: int = 0,
) -> RecalledFrame:
    """Return what the memory system knows of a past frame, computed from entries alone.

    Raises:
        MemoryStateError: an unknown system, a frame outside its take, a foreign entry.
    """
    memory = model.memories.get(system)
    if memory is None:
        raise MemoryStateError(
            f"There is no memory system {system!r}. Expected one of {sorted(model.memories)}."
        )
    recall = memory.recall(state, frame, seed=seed, num_steps=RECALL_STEPS[mode])
    if recall.latents_BCTHW is None:
        return RecalledFrame(source=recall.source, frame_1HW3=None, num_tokens=0, note=recall.note)
    latents = recall.latents_BCTHW.to(model.device.name)
    with model.device.autocast():
        frames = video_vae.decode(model.parts.vae, latents)
    return RecalledFrame(
        source=recall.source,
        frame_1HW3=frames[recall.frame_index : recall.frame_index + 1],
        num_tokens=recall.num_tokens,
        note=recall.note,
    )
