"""An inflated VAE treats every frame of a still clip as the picture it is."""

import torch
from diffusers import AutoencoderKLWan

from engine.train.inflation import start_as_images
from engine.train.one_pass_vae import decode_parallel, encode_parallel
from engine.train.tiny_vae import VAE_CONFIG


def test_a_still_clip_is_encoded_and_decoded_like_its_picture() -> None:
    torch.manual_seed(0)
    vae = AutoencoderKLWan(**VAE_CONFIG)
    start_as_images(vae)
    picture_BCFHW = torch.rand(1, 3, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        mean, _ = encode_parallel(vae, picture_BCFHW)
        clip_mean, _ = encode_parallel(vae, picture_BCFHW.expand(-1, -1, 9, -1, -1))
        decoded = decode_parallel(vae, mean)
        clip = decode_parallel(vae, clip_mean)
    torch.testing.assert_close(clip_mean, mean.expand(-1, -1, 3, -1, -1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(clip, decoded.expand(-1, -1, 9, -1, -1), atol=1e-5, rtol=1e-5)


def test_single_pictures_leave_the_weights_of_time_without_gradient() -> None:
    torch.manual_seed(0)
    vae = AutoencoderKLWan(**VAE_CONFIG)
    start_as_images(vae)
    mean, _ = encode_parallel(vae, torch.rand(1, 3, 1, 16, 16))
    torch.autograd.backward(decode_parallel(vae, mean).square().mean())
    kernel = vae.encoder.conv_in.weight
    assert kernel.grad[:, :, :-1].abs().max() == 0
    assert kernel.grad[:, :, -1].abs().max() > 0
