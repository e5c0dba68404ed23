"""The Wan seam: with empty memory the transformer is stock; with memory it is what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanPipeline, WanTransformer3DModel
from torch import nn

from engine.context import EMPTY, Context
from engine.device.probe import Device
from engine.models.lora import add_lora, load_lora, save_lora
from engine.models.transformer import MemoryPort, grid_positions, rope_at
from engine.recipes import Model, load_model, wan
from engine.sampling.guidance import Guidance, guided
from engine.sampling.sampler import denoise

LATENTS = (1, 16, 3, 4, 8)


@pytest.fixture
def transformer(tiny_checkpoint: Path) -> Any:
    torch.manual_seed(0)
    return WanTransformer3DModel.from_pretrained(tiny_checkpoint, subfolder="transformer").eval()


def inputs() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "hidden_states": torch.randn(LATENTS, generator=generator),
        "timestep": torch.tensor([700.0]),
        "encoder_hidden_states": torch.randn(1, 8, 256, generator=generator),
    }


def context(count: int = 6, offset: float = -4.5) -> Context:
    generator = torch.Generator().manual_seed(2)
    positions = torch.rand(count, 3, generator=generator) * 2
    positions[:, 0] += offset
    return Context(
        tokens_BLD=torch.randn(1, count, 128, generator=generator), positions_L3=positions
    )


@torch.no_grad()
def test_empty_memory_is_bit_equal_to_the_stock_model(transformer: Any) -> None:
    stock = transformer(**inputs()).sample
    port = MemoryPort(transformer)
    with port.memory(EMPTY):
        assert torch.equal(transformer(**inputs()).sample, stock)
    port.remove()
    assert torch.equal(transformer(**inputs()).sample, stock)


@torch.no_grad()
def test_memory_changes_the_output_and_leaves_no_trace(transformer: Any) -> None:
    stock = transformer(**inputs()).sample
    port = MemoryPort(transformer)
    with port.memory(context()):
        read = transformer(**inputs()).sample
    assert read.shape == stock.shape
    assert (read - stock).abs().max() > 1e-4
    assert torch.equal(transformer(**inputs()).sample, stock)


def of_others(read: Context, *prompted: float) -> Context:
    """Return a context of three tokens a shot, some shots beside a text of their own."""
    empty_BLD = torch.randn(1, 8, 256, generator=torch.Generator().manual_seed(7))
    share_BL = torch.tensor(prompted).float().repeat_interleave(3)[None]
    return replace(read, prompt_share_BL=share_BL, empty_BLD=empty_BLD)


@torch.no_grad()
def test_past_shots_of_others_do_not_read_the_prompt(transformer: Any) -> None:
    port, read = MemoryPort(transformer), context()

    def seen(one: Context, **changes: torch.Tensor) -> torch.Tensor:
        with port.memory(one):
            out: torch.Tensor = transformer(**{**inputs(), **changes}).sample
        return out

    assert torch.allclose(seen(of_others(read, True, True)), seen(read), atol=1e-5)
    first, second = seen(of_others(read, True, False)), seen(of_others(read, False, True))
    assert not torch.allclose(first, seen(read), atol=1e-4)
    assert not torch.allclose(first, second, atol=1e-4)
    half = seen(of_others(read, True, 0.5))
    assert not torch.allclose(half, seen(read), atol=1e-5)
    assert not torch.allclose(half, first, atol=1e-5)
    # Where the section itself reads that text, nothing is left that could differ.
    empty_BLD = of_others(read, True, True).empty_BLD
    assert empty_BLD is not None
    one, other = (
        seen(of_others(read, *prompted), encoder_hidden_states=empty_BLD)
        for prompted in ((True, False), (False, False))
    )
    assert torch.allclose(one, other, atol=1e-5)


@torch.no_grad()
def test_each_item_has_its_own_others(transformer: Any) -> None:
    port, read = MemoryPort(transformer), context()
    both = {k: torch.cat([v, v]) for k, v in inputs().items()}
    rows = [of_others(read, True, False), of_others(read, False, True)]
    joined = torch.cat([row.prompt_share_BL for row in rows if row.prompt_share_BL is not None])
    with port.memory(replace(rows[0], prompt_share_BL=joined)):
        batched = transformer(**both).sample
    for index, row in enumerate(rows):
        with port.memory(row):
            alone = transformer(**inputs()).sample
        assert torch.allclose(batched[index : index + 1], alone, atol=1e-5)


@torch.no_grad()
def test_an_error_inside_leaves_no_trace(transformer: Any) -> None:
    stock = transformer(**inputs()).sample
    port = MemoryPort(transformer)
    with pytest.raises(RuntimeError), port.memory(context()):
        raise RuntimeError
    assert torch.equal(transformer(**inputs()).sample, stock)


def test_computed_positions_are_bit_equal_to_the_stock_table(transformer: Any) -> None:
    cos, sin = transformer.rope(torch.zeros(LATENTS))
    own_cos, own_sin = rope_at(transformer.rope, grid_positions(torch.arange(3), 2, 4))
    assert torch.equal(own_cos, cos)
    assert torch.equal(own_sin, sin)


@torch.no_grad()
def test_the_order_of_memory_tokens_does_not_matter(transformer: Any) -> None:
    port, read = MemoryPort(transformer), context()
    assert read.tokens_BLD is not None
    assert read.positions_L3 is not None
    order = torch.randperm(6)
    shuffled = Context(tokens_BLD=read.tokens_BLD[:, order], positions_L3=read.positions_L3[order])
    with port.memory(read):
        straight = transformer(**inputs()).sample
    with port.memory(shuffled):
        assert torch.allclose(transformer(**inputs()).sample, straight, atol=1e-5)


@torch.no_grad()
def test_only_time_differences_matter(transformer: Any) -> None:
    port = MemoryPort(transformer)
    with port.memory(context(offset=-4.5)):
        near = transformer(**inputs()).sample
    with port.memory(context(offset=5.5), torch.arange(3) + 10.0):
        assert torch.allclose(transformer(**inputs()).sample, near, atol=1e-4)


@torch.no_grad()
def test_each_item_may_have_its_own_times(transformer: Any) -> None:
    port = MemoryPort(transformer)
    both = {k: torch.cat([v, v]) for k, v in inputs().items()}
    times = torch.tensor([[0.0, 1.0, 2.0], [-3.0, -2.0, -1.0]])
    with port.memory(context(), times):
        batched = transformer(**both).sample
    for row in range(2):
        with port.memory(context(), times[row]):
            alone = transformer(**inputs()).sample
        assert torch.allclose(batched[row : row + 1], alone, atol=1e-5)


def test_gradients_reach_memory_and_survive_checkpointing(transformer: Any) -> None:
    port, read = MemoryPort(transformer), context()
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            transformer.enable_gradient_checkpointing()
        tokens = read.tokens_BLD.clone().requires_grad_()  # type: ignore[union-attr]
        one = Context(tokens_BLD=tokens, positions_L3=read.positions_L3)
        with port.memory(of_others(one, True, False)):
            loss = transformer(**inputs()).sample.pow(2).mean()
            loss.backward()
        assert tokens.grad is not None
        gradients.append(tokens.grad)
    assert gradients[0].abs().max() > 0
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)


@torch.no_grad()
def test_a_lora_is_saved_and_loaded_exactly(transformer: Any, tmp_path: Path) -> None:
    torch.manual_seed(3)
    stock = transformer(**inputs()).sample
    port = MemoryPort(transformer)
    add_lora(transformer, 4)
    for name, weight in transformer.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    with port.memory(context()):
        tuned = transformer(**inputs()).sample
    path = save_lora(transformer, tmp_path)
    transformer.delete_adapters("default")
    assert torch.allclose(transformer(**inputs()).sample, stock, atol=1e-6)
    matched, total = load_lora(transformer, path)
    assert matched == total == 2 * 2 * 10
    with port.memory(context()):
        assert torch.allclose(transformer(**inputs()).sample, tuned, atol=1e-6)


@torch.no_grad()
def test_our_loop_equals_the_stock_pipeline(tiny_checkpoint: Path, model: Model) -> None:
    pipeline = WanPipeline.from_pretrained(tiny_checkpoint, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    start = torch.randn(LATENTS, generator=torch.Generator().manual_seed(4))
    prompt = "Mia waves in the park."
    stock = pipeline(
        prompt=prompt,
        height=32,
        width=64,
        num_frames=9,
        num_inference_steps=4,
        guidance_scale=3.0,
        latents=start.clone(),
        max_sequence_length=model.card.text_length,
        output_type="latent",
    ).frames
    velocity = guided(
        model.velocity, Guidance(text=3.0), model.embed(prompt), model.empty_text, EMPTY
    )
    last = start
    for step in denoise(velocity, start, model.parts.scheduler, 4):
        last = step.latents_BCTHW
    assert torch.allclose(last, stock.float(), atol=2e-4)


def test_matrices_that_are_rounded_once_change_nothing(tiny_checkpoint: Path) -> None:
    device = Device(name="cpu", dtype=torch.bfloat16, threads=1, milliseconds={})
    rounded = load_model(wan(tiny_checkpoint), device)
    latents = torch.randn(LATENTS, generator=torch.Generator().manual_seed(5))
    text = rounded.embed("Mia waves in the park.")
    once = rounded.velocity(latents, 0.9, text, EMPTY)
    matrices = [m for m in rounded.parts.transformer.blocks.modules() if type(m) is nn.Linear]
    assert {m.weight.dtype for m in matrices} == {torch.bfloat16}
    for matrix in matrices:
        matrix.float()
    assert torch.equal(rounded.velocity(latents, 0.9, text, EMPTY), once)
