"""phi: rates, alignment, causality, and the canonical program."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig, token_positions

RATES = [(4, 4, 2), (2, 2, 2), (2, 2, 4), (2, 2, 1), (2, 2, 8)]
SIZE = (16, 24)


def build(rate: tuple[int, int, int], **options: object) -> tuple[MemoryEncoder, nn.Module]:
    torch.manual_seed(0)
    config = MemoryEncoderConfig(
        rate_hwt=rate,
        width=32,
        channels=(8, 16, 16, 16),
        **options,  # type: ignore[arg-type]
    )
    encoder = MemoryEncoder(config).double().eval()
    torch.nn.init.normal_(encoder.out.weight, std=0.2)
    return encoder, nn.Conv3d(16, 32, (1, 2, 2), (1, 2, 2)).double()


def clip(rate: tuple[int, int, int], steps: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(1, 16, 1 + steps * rate[2], *SIZE, generator=generator).double()
    height, width = (-(-n // (2 * rate[0])) * 2 for n in SIZE)
    reduced = torch.randn(1, 16, 1 + steps, height, width, generator=generator).double()
    return latents, reduced


@pytest.mark.parametrize("rate", RATES)
@torch.no_grad()
def test_every_rate_gives_the_tokens_of_its_grid(rate: tuple[int, int, int]) -> None:
    encoder, patch = build(rate)
    latents, reduced = clip(rate)
    grid = encoder.config.grid(latents.shape[2], *SIZE)
    assert encoder(latents, reduced, patch).shape == (1, grid[0] * grid[1] * grid[2], 32)
    assert token_positions(grid, rate, -5.0).shape == (grid[0] * grid[1] * grid[2], 3)


@pytest.mark.parametrize("rate", RATES)
@torch.no_grad()
def test_the_stream_equals_the_whole_clip(rate: tuple[int, int, int]) -> None:
    encoder, patch = build(rate)
    latents, reduced = clip(rate, steps=3)
    whole = encoder(latents, reduced, patch)
    streamed = encoder.stream(latents, reduced, patch)
    assert (whole - streamed).abs().max() <= 1e-12
    assert torch.equal(streamed, encoder.stream(latents, reduced, patch))


@pytest.mark.parametrize("rate", [(2, 2, 2), (2, 2, 4)])
@torch.no_grad()
def test_a_latent_never_reaches_earlier_tokens(rate: tuple[int, int, int]) -> None:
    encoder, patch = build(rate)
    latents, reduced = clip(rate, steps=3)
    per_step = encoder.config.grid(1, *SIZE)[1] * encoder.config.grid(1, *SIZE)[2]
    base = encoder.stream(latents, reduced, patch)
    for changed in range(latents.shape[2]):
        other = latents.clone()
        other[:, :, changed] += 1
        tokens = encoder.stream(other, reduced, patch)
        first = -(-changed // rate[2])
        assert torch.equal(tokens[:, : first * per_step], base[:, : first * per_step])
        assert not torch.equal(tokens[:, first * per_step :], base[:, first * per_step :])


@torch.no_grad()
def test_phi_begins_as_exactly_the_reduced_clip() -> None:
    torch.manual_seed(0)
    encoder = MemoryEncoder(MemoryEncoderConfig(width=32, channels=(8, 16, 16, 16)))
    patch = nn.Conv3d(16, 32, (1, 2, 2), (1, 2, 2))
    latents, reduced = (part.float() for part in clip((2, 2, 2)))
    expected = patch(reduced).flatten(2).transpose(1, 2)
    assert torch.equal(encoder.stream(latents, reduced, patch), expected)


@torch.no_grad()
def test_the_branches_are_switches_that_sum() -> None:
    both, patch = build((2, 2, 2))
    latents, reduced = clip((2, 2, 2))
    parts = []
    for branch in ("lr", "hr"):
        alone, _ = build((2, 2, 2), branches=branch)
        parts.append(alone(latents, reduced, patch))
    assert torch.allclose(both(latents, reduced, patch), parts[0] + parts[1])


def test_positions_stand_at_the_centre_of_what_a_token_covers() -> None:
    positions = token_positions((3, 1, 1), (2, 2, 2), -5.0)
    assert positions[:, 0].tolist() == [-5.0, -3.5, -1.5]
    assert positions[0, 1:].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("rate", [(3, 3, 2), (2, 4, 2), (0, 0, 1)])
def test_an_impossible_rate_is_refused(rate: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="rate"):
        MemoryEncoderConfig(rate_hwt=rate)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hr", ["patchifier", "shortcut"])
@torch.no_grad()
def test_a_linear_branch_streams_too_and_begins_as_the_reduced_clip(
    rate: tuple[int, int, int], hr: str
) -> None:
    torch.manual_seed(0)
    config = MemoryEncoderConfig(rate_hwt=rate, width=32, channels=(8, 16, 16, 16), hr=hr)  # type: ignore[arg-type]
    encoder = MemoryEncoder(config).double().eval()
    patch = nn.Conv3d(16, 32, (1, 2, 2), (1, 2, 2)).double()
    latents, reduced = clip(rate, steps=3)
    start = encoder.stream(latents, reduced, patch)
    assert torch.equal(start, patch(reduced).flatten(2).transpose(1, 2))
    assert encoder.patchifier is not None
    torch.nn.init.normal_(encoder.patchifier.conv.weight, std=0.1)
    whole, streamed = encoder(latents, reduced, patch), encoder.stream(latents, reduced, patch)
    assert (whole - streamed).abs().max() <= 1e-12
    assert not torch.equal(whole, start)


@torch.no_grad()
def test_the_large_patchifier_is_its_convolution_in_either_format() -> None:
    encoder = MemoryEncoder(MemoryEncoderConfig(width=256, hr="shortcut")).eval()
    patchifier = encoder.patchifier
    assert patchifier is not None
    torch.nn.init.normal_(patchifier.conv.weight, std=0.1)
    latents = torch.randn(2, 16, 6, 12, 20, generator=torch.Generator().manual_seed(3))
    true = patchifier.conv(latents).flatten(2).transpose(1, 2)
    torch.testing.assert_close(patchifier.step(latents), true, rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = patchifier.step(latents).float()
    # With AMX the convolution itself is far off in bf16: its squared error was 1.5 of the truth's.
    assert float((rounded - true).pow(2).mean() / true.pow(2).mean()) < 1e-3


@torch.no_grad()
def test_the_large_patchifier_is_one_linear_map_of_a_tokens_block() -> None:
    config = MemoryEncoderConfig(width=32, branches="hr", hr="patchifier")
    encoder = MemoryEncoder(config).double()
    assert set(dict(encoder.named_parameters())) == {
        "patchifier.conv.weight",
        "patchifier.conv.bias",
    }
    assert encoder.patchifier is not None
    torch.nn.init.normal_(encoder.patchifier.conv.weight, std=0.1)
    latents, reduced = clip((2, 2, 2), steps=2)
    tokens = encoder(latents, reduced, nn.Identity())
    block = latents[0, :, 1:3, :4, :4].flatten()  # the second token in time: latents 1 and 2
    first = encoder.patchifier.conv.weight.flatten(1) @ block
    per_step = (SIZE[0] // 4) * (SIZE[1] // 4)
    assert (tokens[0, per_step] - first).abs().max() <= 1e-12
