"""Wan's VAE in one pass over time, for training; equal to the stock encode and decode in chunks.

diffusers walks a clip in chunks with a cache of features, and skips all temporal resampling without
that cache. Here the same modules see the whole clip of 1 + 4k frames at once: causal convolutions
pad with zeros exactly where an empty cache would. Only the plain (not residual) blocks of Wan 2.1
are covered.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders import autoencoder_kl_wan as wan
from torch import Tensor, nn


def encode_parallel(vae: AutoencoderKLWan, pixels_BCFHW: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and log variance of the posterior, B C T H W, for 1 + 4k frames in [-1, 1]."""
    _check(vae, pixels_BCFHW)
    x = pixels_BCFHW
    if vae.config.patch_size is not None:
        x = wan.patchify(x, vae.config.patch_size)
    encoder = vae.encoder
    x = encoder.conv_in(x)
    for layer in encoder.down_blocks:
        x = _down(layer, x) if isinstance(layer, wan.WanResample) else _block(layer, x)
    x = _middle(encoder.mid_block, x)
    x = encoder.conv_out(F.silu(_norm(encoder.norm_out, x)))
    mean_BCTHW, log_variance_BCTHW = vae.quant_conv(x).chunk(2, dim=1)
    return mean_BCTHW, log_variance_BCTHW


def decode_parallel(vae: AutoencoderKLWan, latents_BCTHW: Tensor) -> Tensor:
    """Return 1 + 4k frames B C F H W of `latents_BCTHW`, not clamped to [-1, 1]."""
    decoder = vae.decoder
    x = decoder.conv_in(vae.post_quant_conv(latents_BCTHW))
    x = _middle(decoder.mid_block, x)
    for up_block in decoder.up_blocks:
        for block in up_block.resnets:
            x = _block(block, x)
        for layer in up_block.upsamplers or ():
            x = _up(layer, x)
    x = decoder.conv_out(F.silu(_norm(decoder.norm_out, x)))
    if vae.config.patch_size is not None:
        x = wan.unpatchify(x, vae.config.patch_size)
    decoded_BCFHW: Tensor = x
    return decoded_BCFHW


def channels_last(vae: AutoencoderKLWan) -> None:
    """Keep the kernels of `vae` with their channels last; so stay features of clips given so.

    The CPU's convolutions work on that layout: forward and backward take a sixth less time.
    """
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weight in vae.parameters():
        if weight.ndim in formats:
            weight.data = weight.data.contiguous(memory_format=formats[weight.ndim])


def _check(vae: AutoencoderKLWan, pixels_BCFHW: Tensor) -> None:
    if vae.config.is_residual:
        raise ValueError("A residual VAE (Wan 2.2). The one-pass forward covers Wan 2.1's blocks.")
    if pixels_BCFHW.shape[2] % 4 != 1:
        raise ValueError(f"A clip of {pixels_BCFHW.shape[2]} frames. Lengths are 1 + 4k.")


class _RmsNorm(torch.autograd.Function):
    """x / RMS(x) * gamma over channels, without the float32 copies autograd would keep.

    A third of a training step went into these copies in bfloat16; only the sums need float32.
    """

    @staticmethod
    def forward(context: Any, x: Tensor, gamma: Tensor) -> Tensor:
        energy = (x * x).sum(dim=1, keepdim=True, dtype=torch.float32)
        inverse = torch.rsqrt(energy + 1e-12).mul_(x.shape[1] ** 0.5).to(x.dtype)
        unit = x * inverse
        context.save_for_backward(unit, inverse, gamma)
        return unit * gamma.to(x.dtype)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        unit, inverse, gamma = context.saved_tensors
        outer = [dim for dim in range(unit.ndim) if dim != 1]
        gamma_gradient = (gradient * unit).sum(dim=outer, dtype=torch.float32).view_as(gamma)
        inner = gradient * gamma.to(gradient.dtype)
        along = (inner * unit).sum(dim=1, keepdim=True, dtype=torch.float32).div_(unit.shape[1])
        return inner.sub_(unit * along.to(unit.dtype)).mul_(inverse), gamma_gradient


def _norm(norm: wan.WanRMS_norm, x: Tensor) -> Tensor:
    normalised: Tensor = _RmsNorm.apply(x, norm.gamma)  # type: ignore[no-untyped-call]
    return normalised


def _block(block: nn.Module, x: Tensor) -> Tensor:
    if not isinstance(block, wan.WanResidualBlock):
        raise TypeError(f"A {type(block).__name__} in the VAE. Expected residual blocks only.")
    hidden: Tensor = block.conv1(F.silu(_norm(block.norm1, x)))
    hidden = block.conv2(F.silu(_norm(block.norm2, hidden)))
    shortcut: Tensor = block.conv_shortcut(x)
    return hidden + shortcut


def _middle(middle: wan.WanMidBlock, x: Tensor) -> Tensor:
    x = _block(middle.resnets[0], x)
    for attention, block in zip(middle.attentions, middle.resnets[1:], strict=True):
        x = _block(block, attention(x))
    return x


def _frame_by_frame(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    flat = layer(x.transpose(1, 2).flatten(0, 1))
    return flat.view(x.shape[0], x.shape[2], *flat.shape[1:]).transpose(1, 2)


def _down(resample: wan.WanResample, x: Tensor) -> Tensor:
    x = _frame_by_frame(resample.resample, x)
    if resample.mode == "downsample3d" and x.shape[2] > 1:
        x = torch.cat([x[:, :, :1], resample.time_conv(x)], dim=2)
    return x


def _up(resample: wan.WanResample, x: Tensor) -> Tensor:
    if resample.mode == "upsample3d" and x.shape[2] > 1:
        # The first latent frame gives one frame; the causal convolution never sees it.
        later = resample.time_conv(x[:, :, 1:])
        later = later.view(x.shape[0], 2, *x.shape[1:2], *later.shape[2:])
        x = torch.cat([x[:, :, :1], later.movedim(1, 3).flatten(2, 3)], dim=2)
    upsample, convolution = resample.resample
    doubled = _frame_by_frame(lambda frames: nn.Upsample.forward(upsample, frames), x)
    return _frame_by_frame(convolution, doubled)
