"""A cancel is heard before the next block, VAE layer or layer of the memory encoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from engine.context import EMPTY
from engine.errors import Cancelled
from engine.recipes import Model
from engine.render import shot_latents
from engine.video import vae as video_vae

LATENTS = (1, 16, 3, 4, 8)


class Trace:
    """Cancels while a certain module runs, and counts what begins after that."""

    def __init__(self, modules: list[Any], cancel_in: int) -> None:
        self.begun = 0
        self.is_cancelled = False
        self._cancel_in = cancel_in
        self._handles = [m.register_forward_hook(self._see) for m in modules]

    def _see(self, *_: Any) -> None:
        self.begun += 1
        if self.begun == self._cancel_in:
            self.is_cancelled = True

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


def traced(model: Model, part: str, cancel_in: int) -> Iterator[Trace]:
    if part == "transformer":
        modules = list(model.parts.transformer.blocks)
    elif part == "text":
        modules = list(model.parts.text_encoder.encoder.block)
    elif part == "memory":
        encoder = model.memories["frame_preservation"].encoder  # type: ignore[attr-defined]
        modules = [stage.conv for stage in encoder.stages]
    else:
        modules = [m for m in model.parts.vae.modules() if type(m).__name__ == "WanResidualBlock"]
    trace = Trace(modules, cancel_in)
    yield trace
    trace.remove()


def work(model: Model, part: str) -> None:
    """Run one call that takes several pieces of that part."""
    latents = torch.zeros(LATENTS)
    if part == "transformer":
        model.velocity(latents, 0.5, model.empty_text, EMPTY)
    elif part == "text":
        model.embed("Mia waves.")
        model.embed("Mia waves.")
    elif part == "vae":
        video_vae.decode(model.parts.vae, latents)
    elif part == "vae encoder":
        video_vae.encode(model.parts.vae, torch.zeros(9, 32, 64, 3, dtype=torch.uint8))
    else:
        memory = model.memories["frame_preservation"]
        frames = torch.zeros(9, 32, 64, 3, dtype=torch.uint8)
        memory.remember((), shot_latents(model, memory, latents, frames, digest="0" * 64))


@pytest.mark.parametrize("part", ["transformer", "text", "vae", "vae encoder", "memory"])
def test_nothing_begins_after_the_piece_that_ran_when_it_was_cancelled(
    model: Model, part: str
) -> None:
    (everything,) = _count(model, part)
    assert everything > 1
    for cancel_in in (1, everything - 1):
        for trace in traced(model, part, cancel_in):
            asking = model.stops.asking(lambda trace=trace: trace.is_cancelled)  # type: ignore[misc]
            with pytest.raises(Cancelled), asking:
                work(model, part)
            assert trace.begun == cancel_in


def test_a_model_that_was_stopped_anywhere_renders_as_before(model: Model) -> None:
    latents = torch.randn(LATENTS, generator=torch.Generator().manual_seed(1))
    before = video_vae.decode(model.parts.vae, latents)
    trace = next(traced(model, "vae", 5))
    with pytest.raises(Cancelled), model.stops.asking(lambda: trace.is_cancelled):
        video_vae.decode(model.parts.vae, latents)
    trace.remove()
    assert torch.equal(video_vae.decode(model.parts.vae, latents), before)


def test_outside_of_a_job_nobody_is_asked(model: Model) -> None:
    with model.stops.asking(lambda: True), pytest.raises(Cancelled):
        work(model, "transformer")
    work(model, "transformer")


def _count(model: Model, part: str) -> list[int]:
    found = []
    for trace in traced(model, part, 0):
        work(model, part)
        found.append(trace.begun)
    return found
