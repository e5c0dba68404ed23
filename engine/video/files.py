"""Takes as mp4 files with the pinned encoding, and frames read back from them, by PyAV."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from engine.errors import MediaError
from engine.specs import PINNED, Encoding
from engine.video.picture import Frame

OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4"}


def write_mp4(
    frames: Iterable[Frame],
    rate: tuple[int, int],
    *,
    encoding: Encoding = PINNED,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """Return an mp4 of H W 3 frames: H.264, all four BT.709 tags, faststart, closed GOPs.

    `tags` become the metadata of the file.
    """
    # A file, not a buffer: faststart writes the index in a second pass over what was written.
    with tempfile.TemporaryDirectory(prefix="mnemoreel-") as folder:
        path = Path(folder) / "take.mp4"
        _write(path, frames, Fraction(*rate), encoding, tags or {})
        return path.read_bytes()


def _write(
    path: Path,
    frames: Iterable[Frame],
    fps: Fraction,
    encoding: Encoding,
    tags: Mapping[str, str],
) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream(encoding.codec, rate=fps)
        stream.pix_fmt = encoding.pixel_format
        stream.options = {
            "crf": str(encoding.crf),
            "preset": encoding.preset,
            "flags": "+cgop",
            "g": str(encoding.keyframe_interval),
        }
        for name in ("color_primaries", "color_trc", "colorspace"):
            setattr(stream.codec_context, name, encoding.colour)
        stream.codec_context.color_range = 1
        for index, pixels in enumerate(frames):
            if index == 0:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            # PyAV converts with BT.601 whatever the tags say, unless it is told.
            frame = frame.reformat(format=encoding.pixel_format, dst_colorspace="ITU709")
            frame.pts, frame.time_base = index, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def read_frames(path: str) -> Iterator[Frame]:
    """Yield the H W 3 frames of a file that we wrote (normal form, BT.709).

    Raises:
        MediaError: the file cannot be opened or decoded.
    """
    try:
        with av.open(f"file:{path}", options=OPEN_OPTIONS) as container:
            for frame in container.decode(video=0):
                rgb = frame.reformat(format="rgb24", src_colorspace="ITU709")
                yield rgb.to_ndarray().astype(np.uint8, copy=False)
    except (av.error.FFmpegError, IndexError) as error:
        raise MediaError(
            f"The video {path} cannot be decoded ({error}). Expected one that the studio wrote."
        ) from error


def frame_at(path: str, index: int) -> torch.Tensor:
    """Return frame `index` as 1 H W 3."""
    for position, frame in enumerate(read_frames(path)):
        if position == index:
            return torch.from_numpy(frame.copy())[None]
    raise MediaError(f"The video {path} has no frame {index}. Expected a longer take.")
