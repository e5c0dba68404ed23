"""Shots rendered for a table, several at once: the studio's sampling on batches of equal shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from engine.context import (
    Context,
    ContextRequest,
    Memory,
    MemoryEntry,
    Rules,
    weights_digest,
)
from engine.evaluate.films import SYSTEM, Past, memory_of, names_of
from engine.evaluate.shelf import NO_SHELF, Shelf
from engine.latent_time import num_latents
from engine.memory.entries import from_bytes, to_bytes
from engine.recipes import Model
from engine.render import shot_latents
from engine.sampling import sampler
from engine.sampling.guidance import guided
from engine.specs import LATER_SHARE
from engine.train.world.canvas import HEIGHT, WIDTH
from engine.train.world.script import ShotScript
from engine.video import vae as video_vae

BATCH_SIZE = 8


@dataclass(frozen=True, kw_only=True)
class Order:
    """A shot to be rendered from its caption and a memory."""

    script: ShotScript
    past: Past
    strength: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Take:
    """A shot the model made."""

    frames_FHW3: torch.Tensor
    entries: tuple[MemoryEntry, ...]
    """What it left in memory; empty where the orders asked for pictures only."""


class Renderer:
    """Renders orders for the tables; what is on the shelf is not rendered again."""

    def __init__(
        self,
        model: Model,
        *,
        shelf: Shelf = NO_SHELF,
        system: str = SYSTEM,
        later: float = LATER_SHARE,
    ) -> None:
        """Hold what renders are made with; `later` as in `Past.rules`."""
        self.model = model
        self.later = later
        self.shelf = shelf
        self.memory: Memory = memory_of(model, system)
        self.num_rendered = 0
        parts = model.parts
        self._identity = (
            *(
                weights_digest(dict(part.state_dict()))
                for part in (parts.transformer, parts.text_encoder, parts.vae)
            ),
            self.memory.info.fingerprint,
            str(model.device.dtype),
        )

    def pictures(self, orders: Sequence[Order]) -> list[torch.Tensor]:
        """Return the frames F H W 3 of every order."""
        return [self._decoded(latents) for latents in self.latents(orders)]

    def takes(self, orders: Sequence[Order]) -> list[Take]:
        """Return frames and memory entries of every order, as the studio would keep them."""
        result = []
        for order, latents in zip(orders, self.latents(orders), strict=True):
            frames = self._decoded(latents)
            key = ("entry", *self._key(order))
            kept = self.shelf.take(*key)
            if kept is None:
                digest = f"take.{order.seed}.{len(order.past.state)}"
                shot = shot_latents(self.model, self.memory, latents, frames, digest=digest)
                entry = self.memory.remember(order.past.state, shot)
                data = torch.frombuffer(bytearray(to_bytes(entry)), dtype=torch.uint8)
                self.shelf.put({"entry": data}, *key)
            else:
                entry = from_bytes(kept["entry"].numpy().tobytes(), self.memory)
            result.append(Take(frames_FHW3=frames, entries=(entry,)))
        return result

    def latents(self, orders: Sequence[Order]) -> list[torch.Tensor]:
        """Return the clean latents 1 C T H W of every order, bf16 as in the blob of a take."""
        result: dict[int, torch.Tensor] = {}
        missing: list[int] = []
        for index, order in enumerate(orders):
            kept = self.shelf.take("take", *self._key(order))
            if kept is None:
                missing.append(index)
            else:
                result[index] = kept["latents"].float()
        for batch in _batches(orders, missing):
            drawn = self._render([orders[index] for index in batch])
            for place, index in enumerate(batch):
                latents = drawn[place : place + 1]
                result[index] = latents
                kept = {"latents": latents.to(torch.bfloat16)}
                self.shelf.put(kept, "take", *self._key(orders[index]))
        return [result[index] for index in range(len(orders))]

    @torch.no_grad()
    def _render(self, orders: Sequence[Order]) -> torch.Tensor:
        model, card = self.model, self.model.card
        self.num_rendered += len(orders)
        time = num_latents(orders[0].script.num_frames)
        rows, columns = HEIGHT // 8, WIDTH // 8
        request = ContextRequest(num_latents=time, rows=rows // 2, columns=columns // 2)
        contexts = []
        for order in orders:
            context = self.memory.context(order.past.state, request)
            rules = self._rules(order)
            contexts.append(model.addressed(context, rules))
        context = stacked(contexts)
        velocity = guided(
            model.velocity,
            model.guidance(text=card.guidance, memory=orders[0].strength),
            torch.cat([model.embed(order.script.caption) for order in orders]),
            model.empty_text.expand(len(orders), -1, -1),
            context,
        )
        shape = (1, model.parts.vae.config.z_dim, time, rows, columns)
        latents = torch.cat(
            [sampler.noise(shape, order.seed, model.device.name) for order in orders]
        )
        for step in sampler.denoise(velocity, latents, model.parts.scheduler, card.num_steps):
            latents = step.latents_BCTHW
        return latents.to(torch.bfloat16).float()

    def _rules(self, order: Order) -> Rules:
        return order.past.rules(names_of(order.script), later=self.later)

    def _decoded(self, latents_BCTHW: torch.Tensor) -> torch.Tensor:
        with self.model.device.autocast():
            return video_vae.decode(self.model.parts.vae, latents_BCTHW)

    def _key(self, order: Order) -> tuple[object, ...]:
        card = self.model.card
        return (
            *self._identity,
            order.script.caption,
            order.script.num_frames,
            [weights_digest(entry.tensors) for entry in order.past.state],
            sorted((index, rule.prompt_share) for index, rule in self._rules(order).items()),
            order.strength if order.past.state else 0.0,
            order.seed,
            (card.num_steps, card.guidance, card.guidance_floor),
        )


def stacked(contexts: Sequence[Context]) -> Context:
    """Return one context for a batch. All must hold as many tokens, at the same places."""
    first = contexts[0]
    if first.tokens_BLD is None:
        return first
    tokens = [context.tokens_BLD for context in contexts if context.tokens_BLD is not None]
    shares = [context.prompt_share_BL for context in contexts]
    empty = [context.empty_BLD for context in contexts if context.empty_BLD is not None]
    whole = torch.ones(1, tokens[0].shape[1])
    return Context(
        tokens_BLD=torch.cat(tokens),
        positions_L3=first.positions_L3,
        token_timestep=first.token_timestep,
        prompt_share_BL=torch.cat([whole if s is None else s for s in shares]) if empty else None,
        empty_BLD=empty[0] if empty else None,
    )


def _batches(orders: Sequence[Order], indices: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices of orders that fit into one batch: same length, memory shape and strength."""
    groups: dict[object, list[int]] = defaultdict(list)
    for index in indices:
        order = orders[index]
        grids = tuple((entry.grid, entry.num_latents) for entry in order.past.state)
        groups[order.script.num_frames, grids, order.strength if grids else 0.0].append(index)
    for group in groups.values():
        for first in range(0, len(group), BATCH_SIZE):
            yield group[first : first + BATCH_SIZE]
