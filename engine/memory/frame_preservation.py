"""Frame preservation, the main memory: every past frame can be drawn again from its tokens.

"Pretraining Frame Preservation in Autoregressive Video Memory Compression" (arXiv 2512.23851).
Scope "take": tails are reset at every cut, so an entry depends on its take alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

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
    RecallQuery,
    Rule,
    ShotLatents,
    digest_of,
    weights_digest,
)
from engine.errors import MemoryStateError
from engine.latent_time import latent_of_frame
from engine.memory.guard import check_state, entry_bytes
from engine.memory.memory_encoder import PATCH, VAE_STRIDE, MemoryEncoder, token_positions

NAME = "frame_preservation"
RECALL_WINDOW = 3
"""Latents drawn together: the asked one and two before it, as causal context for the VAE."""
FORGOTTEN = "This frame is forgotten: drawn from what the rest of memory says about its place."


class FramePreservation:
    """The memory encoder with its entries; one program for append and recompute."""

    def __init__(
        self,
        encoder: MemoryEncoder,
        ports: Ports,
        *,
        name: str = NAME,
        token_timestep: float | None = 0.0,
        is_trained: bool = True,
    ) -> None:
        self.encoder = encoder.eval()
        self.ports = ports
        self.token_timestep = token_timestep
        config = encoder.config
        rate = "x".join(str(r) for r in config.rate_hwt)
        self._info = MemoryInfo(
            name=name,
            title=f"Frame preservation, {rate}" + ("" if is_trained else " (untrained)"),
            fingerprint=digest_of(
                name,
                asdict(config),
                str(next(encoder.parameters()).dtype),
                weights_digest(encoder.state_dict()),
                ports.weights_digest,
                token_timestep,
            ),
            scope="take",
            bounded=False,
            can_recall=True,
            token_pixels=VAE_STRIDE * PATCH * config.rate_hwt[0],
            token_frames=config.frame_multiple,
        )

    @property
    def info(self) -> MemoryInfo:
        """Name, fingerprint, scope and abilities."""
        return self._info

    @torch.no_grad()
    def remember(self, state: MemoryState, shot: ShotLatents) -> MemoryEntry:
        """Return the tokens of `shot`. The entries before it are not read."""
        del state  # scope "take"
        config = self.encoder.config
        _, _, time, height, width = shot.latents_BCTHW.shape
        if (time - 1) % config.rate_hwt[2]:
            raise MemoryStateError(
                f"A shot of {time} latents. Expected 1 + {config.rate_hwt[2]} * k: repeat its "
                f"last frame up to 1 + {config.frame_multiple} * k frames before encoding."
            )
        dtype = next(self.encoder.parameters()).dtype
        tokens_BLD = self.encoder.stream(
            shot.latents_BCTHW.to(dtype),
            shot.lr_latents_BCTHW.to(dtype),
            self.ports.patch_embedding,
        )
        grid = config.grid(time, height, width)
        if tokens_BLD.shape[1] != grid[0] * grid[1] * grid[2]:
            raise MemoryStateError(
                f"{tokens_BLD.shape[1]} tokens for the grid {grid}. The reduced clip has "
                f"{tuple(shot.lr_latents_BCTHW.shape)} latents, which do not match the full ones."
            )
        return MemoryEntry(
            key=digest_of(self.info.fingerprint, shot.digest),
            system=self.info.name,
            fingerprint=self.info.fingerprint,
            latents_digest=shot.digest,
            num_latents=time,
            num_frames=shot.num_frames,
            grid=grid,
            tensors={"tokens": tokens_BLD[0].to(torch.bfloat16)},
        )

    def context(self, state: MemoryState, request: ContextRequest) -> Context:
        """Return the tokens of all entries at their negative times; the section starts at 0.

        Tokens that hold a frame which is to be forgotten are left out; the others keep their place.
        """
        check_state(state, self.info)
        offset = -float(sum(entry.num_latents for entry in state))
        positions, tokens, counts = [], [], []
        for index, entry in enumerate(state):
            places = token_positions(entry.grid, self.encoder.config.rate_hwt, offset)
            kept = self._kept(entry, request.rules.get(index, AS_IT_IS))
            positions.append(places[kept])
            tokens.append(entry.tensors["tokens"][kept])
            counts.append(int(kept.sum()))
            offset += entry.num_latents
        total = sum(counts)
        if not total:
            return Context(token_timestep=self.token_timestep)
        return Context(
            tokens_BLD=torch.cat(tokens)[None],
            positions_L3=torch.cat(positions),
            token_timestep=self.token_timestep,
            sources=tuple(
                ContextSource(entry_index=i, weight=count / total, num_tokens=count)
                for i, count in enumerate(counts)
                if count
            ),
        )

    def _kept(self, entry: MemoryEntry, rule: Rule) -> torch.Tensor:
        """Return which tokens of an entry are read, as a mask over its L tokens."""
        time, rows, columns = entry.grid
        length = self.encoder.config.frame_multiple
        steps = [
            not rule.hides(1 + (step - 1) * length if step else 0, 1 + step * length)
            for step in range(time)
        ]
        return torch.tensor(steps).repeat_interleave(rows * columns)

    def recall(self, state: MemoryState, frame: FrameRef, *, seed: int, num_steps: int) -> Recall:
        """Return the frame drawn by the transformer from memory tokens alone (phi inverse)."""
        if self.ports.draw is None:
            return Recall(source="none", note="No model is loaded that could draw from memory.")
        if not 0 <= frame.entry_index < len(state):
            raise MemoryStateError(
                f"Entry {frame.entry_index} of a memory with {len(state)}. Expected 0 to "
                f"{len(state) - 1}."
            )
        entry = state[frame.entry_index]
        if not 0 <= frame.frame < entry.num_frames:
            raise MemoryStateError(
                f"Frame {frame.frame} of a take with {entry.num_frames} frames. Expected 0 to "
                f"{entry.num_frames - 1}."
            )
        latent, within = latent_of_frame(frame.frame)
        first = max(0, latent - RECALL_WINDOW + 1)
        # Position -sum(...) at the first latent of the first entry, as in `context`.
        start = -sum(e.num_latents for e in state[frame.entry_index :])
        _, rows, columns = entry.grid
        unit = PATCH * self.encoder.config.rate_hwt[0]
        context = self.context(
            state, ContextRequest(num_latents=1, rows=rows, columns=columns, rules=frame.rules)
        )
        if not context.num_tokens:
            return Recall(source="none", note="Everything that memory held is forgotten here.")
        rule = frame.rules.get(frame.entry_index, AS_IT_IS)
        latents = self.ports.draw(
            RecallQuery(
                context=context,
                times=tuple(float(start + j) for j in range(first, latent + 1)),
                height=rows * unit,
                width=columns * unit,
                num_steps=num_steps,
                seed=seed,
            )
        )
        # A window that does not start its take decodes its first latent to a single frame.
        index = 0 if latent == first else 1 + 4 * (latent - first - 1) + within
        return Recall(
            source="memory",
            latents_BCTHW=latents,
            is_first=first == 0,
            frame_index=index,
            num_tokens=context.num_tokens,
            note="" if not rule.hides(frame.frame, frame.frame + 1) else FORGOTTEN,
        )

    def cost(self, state: MemoryState) -> Cost:
        """Return tokens and bytes of `state`."""
        tokens = sum(entry.num_tokens for entry in state)
        resident = sum(t.numel() * t.element_size() for e in state for t in e.tensors.values())
        return Cost(tokens=tokens, bytes_stored=entry_bytes(state), bytes_resident=resident)

    def expected_tensors(self, entry: MemoryEntry) -> Mapping[str, tuple[int, ...]]:
        """Return name and shape of every tensor that an entry with this grid must have."""
        return {"tokens": (entry.num_tokens, self.encoder.config.width)}
