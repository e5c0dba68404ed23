"""The studio's own writer of video: a frame counter as pts, the pinned encoding, BT.709 tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from engine.specs import PINNED, Encoding
from storage.records import Rate

Pixels = npt.NDArray[np.uint8]
"""One frame, H W 3."""
LIMITED_RANGE = 1
"""Number of the limited (tv) range in colour tags."""

Told = Callable[[int], None]
"""Called with the number of frames written so far."""


def frame_of_rgb(pixels: Pixels) -> av.VideoFrame:
    """Return an RGB picture as a yuv420p frame in BT.709."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    # Without the colour space PyAV converts with BT.601, whatever the tags say.
    return frame.reformat(format=PINNED.pixel_format, dst_colorspace="ITU709")


def write(
    path: Path,
    frames: Iterable[av.VideoFrame],
    rate: Rate,
    *,
    encoding: Encoding = PINNED,
    told: Told | None = None,
) -> int:
    """Write yuv420p frames of one even size to an mp4 and return how many there were.

    Every frame lasts exactly one frame of `rate`, whatever times it came with. A file without
    frames is not a video: the caller must not use it.
    """
    count = 0
    fps = Fraction(*rate)
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = _stream(container, fps, encoding)
        for frame in frames:
            if count == 0:
                stream.width, stream.height = frame.width, frame.height
            frame.pts, frame.time_base = count, 1 / fps
            frame.pict_type = 0  # the encoder chooses the type, not the file it came from
            container.mux(stream.encode(frame))
            count += 1
            if told is not None:
                told(count)
        if count:
            container.mux(stream.encode(None))
    return count


def _stream(container: av.container.OutputContainer, fps: Fraction, encoding: Encoding) -> Any:
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
    stream.codec_context.color_range = LIMITED_RANGE
    return stream
