"""Pictures compared and kept: PSNR and SSIM as pinned, JPEG and PNG, film strips."""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image

from engine.errors import MediaError

STRIP_TILES = 24
"""Most tiles of a film strip."""
STRIP_HEIGHT = 54
MAX_PSNR = 100.0
"""dB given to identical frames."""

Frame = npt.NDArray[np.uint8]


def psnr(a_FHW3: torch.Tensor, b_FHW3: torch.Tensor) -> float:
    """Return dB over 8-bit RGB: per frame 10 log10(255^2 / MSE), then the mean over frames."""
    error = (a_FHW3.double() - b_FHW3.double()).pow(2).flatten(1).mean(1)
    return float(
        torch.where(
            error == 0, torch.tensor(MAX_PSNR), 10 * torch.log10(255**2 / error.clamp_min(1e-12))
        ).mean()
    )


def ssim(a_FHW3: torch.Tensor, b_FHW3: torch.Tensor) -> float:
    """Return SSIM per RGB channel, Gaussian 11x11 with sigma 1.5, valid border, no downsampling.

    C1 = 0.01^2, C2 = 0.03^2 on [0, 1], population covariance; the mean of pixels, channels, frames.
    """
    x, y = (t.permute(0, 3, 1, 2).double() / 255 for t in (a_FHW3, b_FHW3))
    offsets = torch.arange(11).double() - 5
    window = torch.exp(-offsets.pow(2) / (2 * 1.5**2))
    kernel = torch.outer(window, window)
    kernel = (kernel / kernel.sum()).expand(3, 1, 11, 11)

    def blurred(image: torch.Tensor) -> torch.Tensor:
        return F.conv2d(image, kernel, groups=3)

    mean_x, mean_y = blurred(x), blurred(y)
    var_x = blurred(x * x) - mean_x**2
    var_y = blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def jpeg(frame: Frame, *, quality: int = 85) -> bytes:
    """Return one H W 3 frame as JPEG bytes."""
    return _image(frame, "JPEG", quality=quality)


def png(frame: Frame) -> bytes:
    """Return one H W 3 frame as PNG bytes."""
    return _image(frame, "PNG")


def read_image(data: bytes) -> Frame:
    """Return an image that the studio stored as H W 3.

    Raises:
        MediaError: not an image.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8).copy()
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise MediaError(f"A still that cannot be read: {error}. Add the picture again.") from error


def strip(frames_FHW3: Frame) -> tuple[bytes, int]:
    """Return the film strip as JPEG, and its number of tiles: evenly spaced frames in one row."""
    tiles = min(STRIP_TILES, len(frames_FHW3))
    picks = [math.floor((i + 0.5) * len(frames_FHW3) / tiles) for i in range(tiles)]
    height, width = frames_FHW3.shape[1:3]
    size = (max(1, round(STRIP_HEIGHT * width / height)), STRIP_HEIGHT)
    row = Image.new("RGB", (size[0] * tiles, size[1]))
    for index, pick in enumerate(picks):
        tile = Image.fromarray(frames_FHW3[pick]).resize(size, Image.Resampling.LANCZOS)
        row.paste(tile, (index * size[0], 0))
    return _save(row, "JPEG", quality=82), tiles


def _image(frame: Frame, kind: str, **options: int) -> bytes:
    return _save(Image.fromarray(frame), kind, **options)


def _save(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
