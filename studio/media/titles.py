"""Title cards, drawn by moviepy as a canvas: it opens no video file and writes no film.

The only module that imports moviepy. Text is set in the typeface that comes with Pillow (Aileron,
free to use), which holds Latin letters only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from moviepy import ColorClip, CompositeVideoClip, TextClip
from moviepy.video.fx import CrossFadeIn, CrossFadeOut

from storage.records import Rate
from studio.media.child import MediaRefused
from studio.media.encode import Pixels
from studio.timeline.timecode import frames_of_seconds

CARD_SECONDS = 2.0
FADE_SECONDS = 0.25
BACKGROUND = (16, 18, 22)
INK = "#f2f2f2"
MARGIN = (8, 24)
"""Around the text, in pixels at most: without one moviepy cuts off what hangs below the line."""
SMALLEST_FONT = 6
MAX_CHARACTERS = 300


def card(text: str, size: tuple[int, int], rate: Rate) -> Iterator[Pixels]:
    """Yield the frames of a title card that fades in and out."""
    num_frames = max(1, frames_of_seconds(CARD_SECONDS, rate))
    seconds = num_frames * rate[1] / rate[0]
    drawn = text_clip(text, size)
    title = drawn.with_duration(seconds).with_position(("center", _top(drawn, size[1])))
    fades = [CrossFadeIn(FADE_SECONDS), CrossFadeOut(FADE_SECONDS)]
    background = ColorClip(size, color=BACKGROUND, duration=seconds)
    clip = CompositeVideoClip([background, title.with_effects(fades)], size=size)
    for index in range(num_frames):
        yield np.asarray(clip.get_frame(index * rate[1] / rate[0]), dtype=np.uint8)


def text_clip(text: str, size: tuple[int, int]) -> Any:
    """Return the text as a clip that fits `size`: broken by words, in the largest letters that do.

    Raises:
        MediaRefused: it does not fit in the smallest letters; nothing is ever cut off.
    """
    width, height = size
    margin = (min(MARGIN[0], width // 12), min(MARGIN[1], height // 6))
    if len(text) > MAX_CHARACTERS:
        raise _too_long(text, size)
    font_size = max(SMALLEST_FONT, height // 6)
    while True:
        clip = _drawn(text, font_size, width, margin)
        if clip.w <= width and clip.h <= height:
            return clip
        if font_size == SMALLEST_FONT:
            raise _too_long(text, size)
        font_size = max(SMALLEST_FONT, min(font_size - 1, font_size * 4 // 5))


def _too_long(text: str, size: tuple[int, int]) -> MediaRefused:
    return MediaRefused(
        f"A title of {len(text)} characters does not fit {size[0]} x {size[1]} pixels. Shorten it."
    )


def _top(clip: Any, height: int) -> int:
    """Return where the clip starts, so that its ink (not its box) is in the middle."""
    rows = np.flatnonzero(np.asarray(clip.mask.get_frame(0)).max(axis=1) > 0)
    if rows.size == 0:
        return (height - int(clip.h)) // 2
    ink_top, ink_bottom = int(rows[0]), int(rows[-1]) + 1
    return (height - (ink_bottom - ink_top)) // 2 - ink_top


def _drawn(text: str, font_size: int, width: int, margin: tuple[int, int]) -> Any:
    return TextClip(
        text=text,
        font_size=font_size,
        color=INK,
        method="caption",
        size=(width - 2 * margin[0], None),
        margin=margin,
        text_align="center",
        horizontal_align="center",
        duration=1,
    )
