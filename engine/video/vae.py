"""The causal VAE as a stream: frames come out as they decode, memory stays flat.

One VAE object holds one feature cache, so nothing else may use it while a stream is open.
Latents here are always normalised with the mean and deviation of the VAE's configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

from engine.latent_time import num_latents
from engine.shapes import check


def normalise(vae: Any, latents_BCTHW: torch.Tensor) -> torch.Tensor:
    """Return raw VAE latents with mean 0 and deviation 1 per channel."""
    mean, std = _statistics(vae, latents_BCTHW)
    return (latents_BCTHW - mean) / std


def denormalise(vae: Any, latents_BCTHW: torch.Tensor) -> torch.Tensor:
    """Return what the VAE decodes: the inverse of `normalise`."""
    mean, std = _statistics(vae, latents_BCTHW)
    return latents_BCTHW * std + mean


@torch.no_grad()
def encode(vae: Any, frames_FHW3: torch.Tensor) -> torch.Tensor:
    """Return normalised latents 1 C T H W of uint8 frames, the mean of the posterior.

    Raises:
        ValueError: a number of frames other than 1 + 4k, which the VAE would drop unsaid.
    """
    num_latents(frames_FHW3.shape[0])
    check(frames_FHW3, "F H W 3")
    device = next(vae.parameters()).device
    pixels_BCTHW = frames_FHW3.to(device).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    return normalise(vae, vae.encode(pixels_BCTHW).latent_dist.mode().float())


@torch.no_grad()
def decode_stream(vae: Any, latents_BCTHW: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield uint8 frames F H W 3 latent by latent: 1 frame, then 4 each. Equal to `vae.decode`.

    Uses private names of the pinned diffusers version; a contract test holds it to `_decode`.
    In tiles, which a device that ran out of memory asks for, all frames are decoded first.
    """
    if vae.use_tiling:
        pixels = vae.decode(denormalise(vae, latents_BCTHW), return_dict=False)[0]
        frames = to_frames(pixels)
        yield from (frames[max(0, end - 4) : end] for end in range(1, len(frames) + 1, 4))
        return
    vae.clear_cache()
    x = vae.post_quant_conv(denormalise(vae, latents_BCTHW))
    for index in range(x.shape[2]):
        vae._conv_idx = [0]
        out = vae.decoder(
            x[:, :, index : index + 1],
            feat_cache=vae._feat_map,
            feat_idx=vae._conv_idx,
            first_chunk=index == 0,
        )
        if vae.config.patch_size is not None:
            out = unpatchify(out, patch_size=vae.config.patch_size)
        yield to_frames(out)
    vae.clear_cache()


def decode(vae: Any, latents_BCTHW: torch.Tensor) -> torch.Tensor:
    """Return all frames F H W 3 uint8."""
    return torch.cat(list(decode_stream(vae, latents_BCTHW)))


def to_frames(pixels_BCTHW: torch.Tensor) -> torch.Tensor:
    """Return model video in [-1, 1] as uint8 frames F H W 3 on the CPU (batch 1)."""
    pixels = (pixels_BCTHW[0].float().clamp(-1, 1) + 1) * 127.5
    return pixels.round().to(torch.uint8).permute(1, 2, 3, 0).cpu()


def reduce_clip(frames_FHW3: torch.Tensor, rate_hwt: tuple[int, int, int]) -> torch.Tensor:
    """Return the LR clip of the memory encoder: frames 0, r_t, 2 r_t, ..., areas averaged by r_s.

    The picture is padded with its last rows and columns to whole memory tokens first.
    """
    rate, _, rate_t = rate_hwt
    clip_F3HW = frames_FHW3[::rate_t].permute(0, 3, 1, 2).float()
    unit = 16 * rate
    rows, columns = (-n % unit for n in clip_F3HW.shape[-2:])
    if rows or columns:
        clip_F3HW = F.pad(clip_F3HW, (0, columns, 0, rows), mode="replicate")
    if rate > 1:
        clip_F3HW = F.avg_pool2d(clip_F3HW, rate)
    return clip_F3HW.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _statistics(vae: Any, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = torch.tensor(vae.config.latents_mean, device=like.device).view(1, -1, 1, 1, 1)
    std = torch.tensor(vae.config.latents_std, device=like.device).view(1, -1, 1, 1, 1)
    return mean, std
