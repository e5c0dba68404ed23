"""PSNR and SSIM as pinned, against an independent program; strips and files."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from engine.errors import MediaError
from engine.video.files import frame_at, read_frames, write_mp4
from engine.video.picture import MAX_PSNR, jpeg, png, psnr, ssim, strip


def pictures(count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (count, 48, 64, 3), dtype=np.uint8)
    noise = rng.integers(-20, 21, a.shape)
    b = np.clip(a.astype(int) + noise, 0, 255).astype(np.uint8)
    return torch.from_numpy(a), torch.from_numpy(b)


def test_psnr_equals_skimage() -> None:
    a, b = pictures()
    expected = np.mean(
        [peak_signal_noise_ratio(x.numpy(), y.numpy()) for x, y in zip(a, b, strict=True)]
    )
    assert psnr(a, b) == pytest.approx(expected, abs=1e-6)
    assert psnr(a, a) == MAX_PSNR


def test_ssim_equals_skimage_on_the_valid_border() -> None:
    a, b = pictures()
    maps = []
    for x, y in zip(a.numpy() / 255, b.numpy() / 255, strict=True):
        _, full = structural_similarity(
            x, y, channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, full=True,
        )  # fmt: skip
        maps.append(full[5:-5, 5:-5].mean())
    assert ssim(a, b) == pytest.approx(np.mean(maps), abs=1e-6)
    assert ssim(a, a) == pytest.approx(1.0)


def test_a_strip_has_evenly_spaced_tiles() -> None:
    frames = np.zeros((33, 96, 160, 3), np.uint8)
    frames[:, :, :, 0] = np.arange(33)[:, None, None] * 7
    data, tiles = strip(frames)
    image = Image.open(io.BytesIO(data))
    assert tiles == 24
    assert image.size == (24 * 90, 54)
    reds = [np.asarray(image)[27, 45 + 90 * i, 0] for i in range(24)]
    assert reds == sorted(reds)
    assert reds[-1] > 200


def test_png_is_exact_and_jpeg_is_small() -> None:
    frame = pictures()[0][0].numpy()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(frame)))), frame)
    assert jpeg(frame)[:2] == b"\xff\xd8"


def test_a_take_reads_back_frame_by_frame(tmp_path: Path) -> None:
    frames = np.zeros((17, 96, 160, 3), np.uint8)
    for index in range(17):
        frames[index, :, :, 1] = 20 + 12 * index
    path = tmp_path / "take.mp4"
    path.write_bytes(write_mp4(iter(frames), (8, 1)))
    read = np.stack(list(read_frames(str(path))))
    assert read.shape == frames.shape
    assert np.abs(read.astype(int) - frames).max() <= 4
    assert torch.equal(frame_at(str(path), 9)[0], torch.from_numpy(read[9]))
    with pytest.raises(MediaError, match="no frame 17"):
        frame_at(str(path), 17)


def test_a_take_carries_all_four_colour_tags_and_true_bt709(tmp_path: Path) -> None:
    red = np.zeros((9, 96, 160, 3), np.uint8)
    red[..., 0] = 255
    path = tmp_path / "red.mp4"
    path.write_bytes(write_mp4(iter(red), (8, 1)))
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        tags = (
            context.color_primaries, context.color_trc, context.colorspace, context.color_range
        )  # fmt: skip
        frame = next(container.decode(video=0))
        luma, blue, red_part = (
            int(np.asarray(plane)[8 * plane.line_size + 8]) for plane in frame.planes
        )
    assert tuple(int(t) for t in tags) == (1, 1, 1, 1)
    assert (luma, blue, red_part) == pytest.approx((63, 102, 240), abs=2)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "take.mp4"
    path.write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    with pytest.raises(MediaError, match=r"take\.mp4"):
        list(read_frames(str(path)))
