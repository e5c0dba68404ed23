"""Complete configurations as functions, and the loaded model they describe.

`load_model` puts a checkpoint, the memory port, the memory systems and the device together: the
one object that render.py, retrieve.py and the worker hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from engine.context import EMPTY, Context, Memory, Ports, RecallQuery, Rules, addressed
from engine.device.probe import Device
from engine.memory.registry import MemorySite, build, shipped
from engine.models.checkpoint import WanParts, load_checkpoint
from engine.models.stops import Stops
from engine.models.text import embed_prompts
from engine.models.transformer import MemoryPort
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import denoise, noise

EMBEDDED = Path(__file__).resolve().parent.parent / "assets" / "checkpoints" / "embedded"
RECALL_STEPS = {"mean": 1, "sample": 8}
"""Steps of the two recall modes. One step from pure noise is the mean of what memory knows."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an editor picks as a preset: a checkpoint with its way of sampling."""

    name: str
    checkpoint: Path
    memory_systems: tuple[str, ...] = ()
    """Memory systems to build. Empty = all that are registered or ship with the checkpoint."""


def embedded() -> Recipe:
    """Return the model that ships with the studio: a tiny Wan that draws a small world."""
    return Recipe(name="embedded", checkpoint=EMBEDDED)


def wan(folder: Path) -> Recipe:
    """Return a recipe for a Wan folder from elsewhere, with the defaults of its card."""
    return Recipe(name=folder.name, checkpoint=folder)


class Model:
    """A loaded checkpoint with its memory systems, on one device. One forward at a time."""

    def __init__(self, parts: WanParts, device: Device, systems: tuple[str, ...]) -> None:
        self.parts = parts
        self.card = parts.card
        self.device = device
        self.port = MemoryPort(parts.transformer)
        if device.dtype == torch.bfloat16:
            _match_norms(parts.transformer)
            _round_matrices(parts.transformer)
        site = MemorySite(
            folder=parts.folder / "memory",
            ports=Ports(
                patch_embedding=self._patch_embedding,
                draw=self.draw,
                weights_digest=parts.digest,
                device=device.name,
            ),
            latent_channels=int(parts.vae.config.z_dim),
            width=int(parts.transformer.config.num_attention_heads)
            * int(parts.transformer.config.attention_head_dim),
            token_timestep=parts.card.token_timestep,
        )
        self.memories: Mapping[str, Memory] = {name: build(name, site) for name in systems}
        own = ("transformer", "text_encoder", "vae")
        self.stops = Stops({name: getattr(parts, name) for name in own}, self.memories)

    @cached_property
    def frame_multiple(self) -> int:
        """Shot lengths are 1 + frame_multiple * k, so that the default memory system aligns.

        Other rates repeat a shot's last frame for encoding where its length does not divide.
        """
        encoder = getattr(self.memories.get(self.card.memory), "encoder", None)
        if encoder is None:
            rates = [getattr(m, "encoder", None) for m in self.memories.values()]
            return max([4, *(int(e.config.frame_multiple) for e in rates if e is not None)])
        return max(4, int(encoder.config.frame_multiple))

    @cached_property
    def empty_text(self) -> torch.Tensor:
        """Embedding of the empty prompt, 1 L D."""
        return self.embed("")

    def guidance(self, *, text: float, memory: float) -> Guidance:
        """Return guidance of these scales; memory guidance acts as far down as the card says."""
        return Guidance(text=text, memory=memory, memory_floor=self.card.guidance_floor)

    def addressed(self, context: Context, rules: Rules) -> Context:
        """Return `context` with entries beside the empty prompt as far as ruled."""
        return addressed(context, rules, self.empty_text) if self.card.knows_names else context

    @torch.no_grad()
    def embed(self, prompt: str) -> torch.Tensor:
        """Return the embedding 1 L D of a prompt."""
        with self.device.autocast():
            text_BLD = embed_prompts(
                [prompt],
                self.parts.tokenizer,
                self.parts.text_encoder,
                length=self.card.text_length,
            )
        return text_BLD.float()

    @torch.no_grad()
    def velocity(
        self,
        latents_BCTHW: torch.Tensor,
        sigma: float,
        text_BLD: torch.Tensor,
        context: Context,
        times: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return eps - x0 as the transformer sees it, with `context` read from memory."""
        timestep = torch.full((latents_BCTHW.shape[0],), sigma * 1000.0, device=self.device.name)
        with self.device.autocast(), self.port.memory(context, times):
            out = self.parts.transformer(
                hidden_states=latents_BCTHW,
                timestep=timestep,
                encoder_hidden_states=text_BLD,
                return_dict=False,
            )[0]
        return out.float()  # type: ignore[no-any-return]

    def draw(self, query: RecallQuery) -> torch.Tensor:
        """Return latents drawn from memory tokens alone: empty prompt, guidance 1."""
        times = torch.tensor(query.times)
        shape = (1, self.parts.vae.config.z_dim, len(query.times), query.height, query.width)
        start = noise(shape, query.seed, self.device.name)

        def velocity(latents: torch.Tensor, sigma: float) -> torch.Tensor:
            return self.velocity(latents, sigma, self.empty_text, query.context, times)

        latents = start
        for step in denoise(velocity, start, self.parts.scheduler, query.num_steps):
            latents = step.latents_BCTHW
        return latents

    def warm_up(self) -> None:
        """Run one forward, so that the first shot does not pay for it."""
        size = (self.card.height // 8, self.card.width // 8)
        latents = torch.zeros(1, self.parts.vae.config.z_dim, 1, *size, device=self.device.name)
        self.velocity(latents, 1.0, self.empty_text, EMPTY)

    def _patch_embedding(self, latents_BCTHW: torch.Tensor) -> torch.Tensor:
        # Outside `port.memory` no hook does anything: this is the stock convolution.
        return self.parts.transformer.patch_embedding(latents_BCTHW)  # type: ignore[no-any-return]


def _match_norms(transformer: Any) -> None:
    # With a weight of another format PyTorch leaves its fused kernel, and says so on every start.
    for block in transformer.blocks:
        for attention in (block.attn1, block.attn2):
            attention.norm_q.to(torch.bfloat16)
            attention.norm_k.to(torch.bfloat16)


def _round_matrices(transformer: Any) -> None:
    # Autocast rounds frozen weights anew in every forward: a tenth of a step. Files hold bf16, so
    # nothing changes but that.
    for block in transformer.blocks:
        for module in block.modules():
            if isinstance(module, torch.nn.Linear):
                module.to(torch.bfloat16)


def load_model(recipe: Recipe, device: Device) -> Model:
    """Return the model of `recipe` on `device`.

    Raises:
        CheckpointError: the folder cannot be used as it is.
    """
    parts = load_checkpoint(recipe.checkpoint, device=device.name)
    systems = recipe.memory_systems or tuple(shipped(recipe.checkpoint / "memory"))
    return Model(parts, device, systems)
