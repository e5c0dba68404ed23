"""A video VAE that starts as an image VAE: it learns pictures first, then only what time adds."""

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders import autoencoder_kl_wan as wan
from torch import Tensor


@torch.no_grad()
def start_as_images(vae: AutoencoderKLWan) -> None:
    """Set all weights that look at other frames, so that each frame is treated like a single one.

    Causal kernels get zeros for past frames, upsampling in time repeats a frame, downsampling
    averages two. While only single frames are trained on, these weights receive no gradient.
    """
    for name, module in vae.named_modules():
        if not isinstance(module, wan.WanCausalConv3d):
            continue
        if name.endswith("time_conv"):
            _identity(module.weight, module.bias)
        else:
            module.weight[:, :, :-1].zero_()


def _identity(weight: Tensor, bias: Tensor) -> None:
    width = weight.shape[1]
    identity = torch.eye(width)
    weight.zero_()
    bias.zero_()
    if weight.shape[0] == 2 * width:  # upsampling: two frames from one
        weight[:width, :, -1, 0, 0] = identity
        weight[width:, :, -1, 0, 0] = identity
    else:
        weight[:, :, -2, 0, 0] = identity / 2
        weight[:, :, -1, 0, 0] = identity / 2
