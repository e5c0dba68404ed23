"""The VAE as a stream equals the stock calls, and says what it would otherwise drop."""

from __future__ import annotations

import pytest
import torch

from engine.latent_time import latent_of_frame, num_frames, num_latents, padded_frames
from engine.recipes import Model
from engine.video import vae as video_vae


def frames(count: int, height: int = 32, width: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=generator)


@torch.no_grad()
def test_the_stream_equals_the_stock_decode(model: Model) -> None:
    latents = torch.randn(1, 16, 4, 4, 8, generator=torch.Generator().manual_seed(0))
    stock = model.parts.vae.decode(video_vae.denormalise(model.parts.vae, latents)).sample
    parts = list(video_vae.decode_stream(model.parts.vae, latents))
    assert [len(part) for part in parts] == [1, 4, 4, 4]
    assert torch.equal(torch.cat(parts), video_vae.to_frames(stock))


@torch.no_grad()
def test_encoding_is_causal_and_normalised(model: Model) -> None:
    clip = frames(17)
    whole = video_vae.encode(model.parts.vae, clip)
    assert whole.shape == (1, 16, 5, 4, 8)
    assert torch.allclose(video_vae.encode(model.parts.vae, clip[:9]), whole[:, :, :3], atol=1e-6)
    raw = video_vae.denormalise(model.parts.vae, whole)
    assert torch.allclose(video_vae.normalise(model.parts.vae, raw), whole, atol=1e-6)


@pytest.mark.parametrize("count", [0, 2, 8, 80])
def test_a_length_that_is_not_1_plus_4k_is_named(model: Model, count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} frames"):
        video_vae.encode(model.parts.vae, frames(count))


def test_frames_and_latents_are_inverse() -> None:
    for latent in range(1, 30):
        assert num_latents(num_frames(latent)) == latent
    assert [latent_of_frame(f) for f in (0, 1, 4, 5, 16)] == [
        (0, 0),
        (1, 0),
        (1, 3),
        (2, 0),
        (4, 3),
    ]


@pytest.mark.parametrize(("count", "padded"), [(1, 9), (2, 9), (9, 9), (10, 17), (33, 33)])
def test_padding_reaches_the_next_legal_length(count: int, padded: int) -> None:
    assert padded_frames(count, 8) == padded


def test_the_reduced_clip_averages_areas_and_takes_every_second_frame() -> None:
    clip = frames(17)
    reduced = video_vae.reduce_clip(clip, (2, 2, 2))
    assert reduced.shape == (9, 16, 32, 3)
    expected = clip[2, :2, :2].float().mean((0, 1)).round()
    assert torch.equal(reduced[1, 0, 0].float(), expected)


def test_an_awkward_size_is_padded_not_cropped() -> None:
    assert video_vae.reduce_clip(frames(9, 48, 80), (2, 2, 2)).shape == (5, 32, 48, 3)
