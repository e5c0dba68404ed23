"""The one-pass VAE equals the stock chunks, in values and in gradients."""

from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan

from engine.train.one_pass_vae import decode_parallel, encode_parallel
from engine.train.tiny_vae import VAE_CONFIG

UNPATCHIFIED: dict[str, Any] = {
    **{"base_dim": 8, "z_dim": 4, "dim_mult": [1, 2, 2, 2], "num_res_blocks": 1},
    **{"temperal_downsample": [False, True, True], "latents_mean": [0.0] * 4},
    "latents_std": [1.0] * 4,
}


def vae_of(config: dict[str, Any]) -> AutoencoderKLWan:
    torch.manual_seed(0)
    return AutoencoderKLWan(**config).eval()


@pytest.mark.parametrize("config", [VAE_CONFIG, UNPATCHIFIED], ids=["embedded", "unpatchified"])
@pytest.mark.parametrize("num_frames", [1, 5, 9, 17])
def test_one_pass_equals_the_stock_chunks(config: dict[str, Any], num_frames: int) -> None:
    vae = vae_of(config)
    pixels_BCFHW = torch.rand(1, 3, num_frames, 32, 48) * 2 - 1
    with torch.no_grad():
        mean, log_variance = encode_parallel(vae, pixels_BCFHW)
        stock = vae.encode(pixels_BCFHW).latent_dist
        torch.testing.assert_close(mean, stock.mean, atol=1e-5, rtol=0)
        torch.testing.assert_close(log_variance, stock.logvar, atol=1e-5, rtol=0)
        decoded = decode_parallel(vae, mean).clamp(-1, 1)
        torch.testing.assert_close(decoded, vae.decode(mean).sample, atol=1e-5, rtol=0)
    assert decoded.shape == pixels_BCFHW.shape


def test_one_pass_has_the_gradients_of_the_stock_chunks() -> None:
    vae = vae_of(VAE_CONFIG)
    pixels_BCFHW = torch.rand(1, 3, 9, 16, 16) * 2 - 1
    mean, _ = encode_parallel(vae, pixels_BCFHW)
    torch.autograd.backward(decode_parallel(vae, mean).clamp(-1, 1).square().mean())
    own = {name: w.grad.clone() for name, w in vae.named_parameters() if w.grad is not None}
    vae.zero_grad()
    stock = vae.decode(vae.encode(pixels_BCFHW).latent_dist.mean).sample
    stock.square().mean().backward()
    for name, weight in vae.named_parameters():
        if weight.grad is not None:
            torch.testing.assert_close(own[name], weight.grad, atol=1e-5, rtol=1e-3)
    assert any("time_conv" in name for name in own)


def test_the_stock_classes_are_left_alone() -> None:
    vae = vae_of(VAE_CONFIG)
    pixels_BCFHW = torch.rand(1, 3, 5, 16, 16)
    with torch.no_grad():
        before = vae.encode(pixels_BCFHW).latent_dist.mean
        encode_parallel(vae, pixels_BCFHW)
        assert torch.equal(vae.encode(pixels_BCFHW).latent_dist.mean, before)


def test_a_clip_that_is_not_one_plus_four_k_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="8 frames"):
        encode_parallel(vae_of(VAE_CONFIG), torch.zeros(1, 3, 8, 16, 16))


def test_a_residual_vae_is_refused() -> None:
    with pytest.raises(ValueError, match="residual"):
        encode_parallel(vae_of({**UNPATCHIFIED, "is_residual": True}), torch.zeros(1, 3, 5, 32, 32))
