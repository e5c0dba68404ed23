"""The sliding window: the newest latents at full rate through the transformer's patch embedding.

The baseline of the papers, and what stands beside frame preservation in their best rows. Frames
that have left the window are gone, and `recall` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from engine.context import (
    AS_IT_IS,
    Context,
    ContextRequest,
    ContextSource,
    Cost,
    FrameRef,
    MemoryEntry,
    MemoryInfo,
    MemoryState,
    Ports,
    Recall,
    Rule,
    Rules,
    ShotLatents,
    digest_of,
)
from engine.errors import MemoryStateError
from engine.latent_time import latent_of_frame
from engine.memory.guard import check_state, entry_bytes
from engine.memory.memory_encoder import PATCH, VAE_STRIDE, token_positions

NAME = "sliding_window"


@dataclass(frozen=True, kw_only=True)
class SlidingWindowConfig:
    """How far the window reaches back."""

    num_latent_frames: int = 3
    """Newest latent frames kept at full rate. 0 = none."""
    latent_channels: int = 16

    def __post_init__(self) -> None:
        if self.num_latent_frames < 0:
            raise ValueError(
                f"A window of {self.num_latent_frames} latent frames. Expected 0 or more."
            )


class SlidingWindow:
    """Keeps the last latents of each take; reads only the newest across the cut."""

    def __init__(
        self, config: SlidingWindowConfig, ports: Ports, *, token_timestep: float | None = 0.0
    ) -> None:
        self.config = config
        self.ports = ports
        self.token_timestep = token_timestep
        self._info = MemoryInfo(
            name=NAME,
            title=f"Sliding window, {config.num_latent_frames} latent frames",
            fingerprint=digest_of(
                NAME, config.num_latent_frames, ports.weights_digest, token_timestep
            ),
            scope="take",
            bounded=True,
            can_recall=True,
            token_pixels=VAE_STRIDE * PATCH,
            token_frames=4,
            most_steps=config.num_latent_frames,
        )

    @property
    def info(self) -> MemoryInfo:
        """Name, fingerprint, scope and abilities."""
        return self._info

    def remember(self, state: MemoryState, shot: ShotLatents) -> MemoryEntry:
        """Return the last latents of `shot`."""
        del state  # scope "take"
        kept = min(self.config.num_latent_frames, shot.latents_BCTHW.shape[2])
        latents = shot.latents_BCTHW[0, :, shot.latents_BCTHW.shape[2] - kept :]
        _, _, height, width = latents.shape
        return MemoryEntry(
            key=digest_of(self.info.fingerprint, shot.digest),
            system=NAME,
            fingerprint=self.info.fingerprint,
            latents_digest=shot.digest,
            num_latents=shot.latents_BCTHW.shape[2],
            num_frames=shot.num_frames,
            grid=(kept, height // PATCH, width // PATCH),
            tensors={"latents": latents.to(torch.bfloat16)},
        )

    @torch.no_grad()
    def context(self, state: MemoryState, request: ContextRequest) -> Context:
        """Return the newest latents of the cut as tokens at times -W .. -1, pinned ones before."""
        check_state(state, self.info)
        parts = self._parts(state, request.rules)
        if not parts:
            return Context(token_timestep=self.token_timestep)
        latents_BCTHW = torch.cat([part for _, part in parts], dim=1)[None].float()
        embedded_BDTHW = self.ports.patch_embedding(latents_BCTHW)
        _, _, time, rows, columns = embedded_BDTHW.shape
        return Context(
            tokens_BLD=embedded_BDTHW.flatten(2).transpose(1, 2),
            positions_L3=token_positions((time, rows, columns), (1, 1, 1), -float(time)),
            token_timestep=self.token_timestep,
            sources=tuple(
                ContextSource(
                    entry_index=index,
                    weight=part.shape[1] / time,
                    num_tokens=part.shape[1] * rows * columns,
                )
                for index, part in parts
            ),
        )

    def recall(self, state: MemoryState, frame: FrameRef, *, seed: int, num_steps: int) -> Recall:
        """Return the stored latents of a frame that the window still holds."""
        del seed, num_steps  # exact, nothing is drawn
        if not 0 <= frame.entry_index < len(state):
            raise MemoryStateError(
                f"Entry {frame.entry_index} of a memory with {len(state)}. Expected 0 to "
                f"{len(state) - 1}."
            )
        entry = state[frame.entry_index]
        latent, within = latent_of_frame(frame.frame)
        parts = dict(self._parts(state, frame.rules))
        held = parts.get(frame.entry_index, entry.tensors["latents"][:, :0])
        start = entry.num_latents - held.shape[1]
        is_hidden = frame.rules.get(frame.entry_index, AS_IT_IS).hides(frame.frame, frame.frame + 1)
        if latent < start or frame.frame >= entry.num_frames or is_hidden:
            why = "this frame is forgotten." if is_hidden else "this frame has left it."
            return Recall(
                source="none",
                note=f"The sliding window holds the last {self.config.num_latent_frames} latent "
                f"frames of the film; {why}",
            )
        window = held[:, : latent - start + 1]
        index = 0 if latent == start else 1 + 4 * (latent - start - 1) + within
        return Recall(
            source="memory",
            latents_BCTHW=window[None].float(),
            is_first=start == 0,
            frame_index=index,
            num_tokens=window.shape[1] * entry.grid[1] * entry.grid[2],
        )

    def _parts(self, state: MemoryState, rules: Rules) -> list[tuple[int, torch.Tensor]]:
        """Return (index of the entry, its latents that are read), oldest first."""
        parts: list[tuple[int, torch.Tensor]] = []
        missing = self.config.num_latent_frames
        for index in range(len(state) - 1, -1, -1):
            rule = rules.get(index, AS_IT_IS)
            held = _visible(state[index], rule)
            if not rule.is_pinned:
                held = held[:, max(0, held.shape[1] - missing) :]
                missing -= held.shape[1]
            if held.shape[1]:
                parts.insert(0, (index, held))
        return parts

    def cost(self, state: MemoryState) -> Cost:
        """Return tokens read and bytes of `state`; only the window is ever resident."""
        missing, tokens, resident = self.config.num_latent_frames, 0, 0
        for entry in reversed(state):
            taken = min(missing, entry.grid[0])
            tokens += taken * entry.grid[1] * entry.grid[2]
            latents = entry.tensors["latents"][:, :1]
            resident += taken * latents.numel() * latents.element_size()
            missing -= taken
        return Cost(tokens=tokens, bytes_stored=entry_bytes(state), bytes_resident=resident)

    def expected_tensors(self, entry: MemoryEntry) -> Mapping[str, tuple[int, ...]]:
        """Return name and shape of every tensor that an entry with this grid must have."""
        time, rows, columns = entry.grid
        return {"latents": (self.config.latent_channels, time, rows * PATCH, columns * PATCH)}


def _visible(entry: MemoryEntry, rule: Rule) -> torch.Tensor:
    """Return the stored latents C T H W of an entry after the last one that is forgotten.

    What is left must be consecutive: a picture is decoded with the latents before it.
    """
    latents = entry.tensors["latents"]
    start = entry.num_latents - latents.shape[1]
    places = range(start, entry.num_latents)
    hidden = [rule.hides(4 * (k - 1) + 1 if k else 0, 4 * k + 1) for k in places]
    first = max((i + 1 for i, is_hidden in enumerate(hidden) if is_hidden), default=0)
    return latents[:, first:]
