"""Block letters for signs, as strokes that stay crisp at every zoom."""

from itertools import pairwise
from types import MappingProxyType
from typing import Final

from engine.train.world.canvas import Fill
from engine.train.world.geometry import Capsule
from engine.train.world.vocabulary import Colour

_Stroke = tuple[tuple[float, float], ...]

# Corners of each letter's pen strokes on a grid 2 wide and 3 high, y down.
_GLYPHS: Final = MappingProxyType(
    {
        "a": (((0, 3), (0, 1), (1, 0), (2, 1), (2, 3)), ((0, 1.9), (2, 1.9))),
        "b": (((0, 0), (1.6, 0), (2, 0.7), (1.5, 1.4), (0, 1.4)),
              ((1.5, 1.4), (2, 2.2), (1.6, 3), (0, 3), (0, 0))),
        "c": (((2, 0), (0.6, 0), (0, 0.7), (0, 2.3), (0.6, 3), (2, 3)),),
        "e": (((2, 0), (0, 0), (0, 3), (2, 3)), ((0, 1.5), (1.6, 1.5))),
        "f": (((2, 0), (0, 0), (0, 3)), ((0, 1.5), (1.6, 1.5))),
        "h": (((0, 0), (0, 3)), ((2, 0), (2, 3)), ((0, 1.5), (2, 1.5))),
        "i": (((1, 0), (1, 3)),),
        "m": (((0, 3), (0, 0), (1, 1.6), (2, 0), (2, 3)),),
        "n": (((0, 3), (0, 0), (2, 3), (2, 0)),),
        "o": (((0.6, 0), (1.4, 0), (2, 0.7), (2, 2.3), (1.4, 3), (0.6, 3), (0, 2.3), (0, 0.7),
               (0.6, 0)),),
        "p": (((0, 3), (0, 0), (1.5, 0), (2, 0.8), (1.5, 1.6), (0, 1.6)),),
        "s": (((2, 0), (0.4, 0), (0, 0.75), (0.4, 1.5), (1.6, 1.5), (2, 2.25), (1.6, 3), (0, 3)),),
        "t": (((0, 0), (2, 0)), ((1, 0), (1, 3))),
        "u": (((0, 0), (0, 2.3), (0.6, 3), (1.4, 3), (2, 2.3), (2, 0)),),
        "z": (((0, 0), (2, 0), (0, 3), (2, 3)),),
    }
)  # fmt: skip
LETTER_HEIGHT: Final = 10.0
"""World units from the middle of the top stroke to the middle of the bottom stroke."""
_LETTER_WIDTH = 6.4
_GAP = 4.6
_PEN = 2.5


def word_width(word: str) -> float:
    """Return the width of `word` in world units."""
    return len(word) * _LETTER_WIDTH + (len(word) - 1) * _GAP + _PEN


def write(word: str, x: float, y: float, colour: Colour) -> tuple[Fill, ...]:
    """Return the strokes of `word` centred on (x, y). Raises ValueError for an unknown letter."""
    fills = []
    left = x - word_width(word) / 2 + _PEN / 2
    top = y - LETTER_HEIGHT / 2
    for letter in word.lower():
        if letter not in _GLYPHS:
            raise ValueError(f"No glyph for {letter!r}. Signs can use {''.join(_GLYPHS)}.")
        for stroke in _GLYPHS[letter]:
            points = [
                (left + u * _LETTER_WIDTH / 2, top + v * LETTER_HEIGHT / 3) for u, v in stroke
            ]
            for (x0, y0), (x1, y1) in pairwise(points):
                fills.append(Fill(Capsule(x0, y0, x1, y1, _PEN), colour))
        left += _LETTER_WIDTH + _GAP
    return tuple(fills)
