"""A picture of one frame: filled shapes in world units, with smooth edges and a map of labels."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.train.world.geometry import Points, Shape
from engine.train.world.vocabulary import Colour

WIDTH: Final = 160
HEIGHT: Final = 96
INK: Final[Colour] = (44, 36, 52)

BACKGROUND: Final = 0
SIGN: Final = 1
PROP: Final = 2
LANDMARK: Final = 3
FIGURE: Final = 4
"""Label of the first acting character; the second has FIGURE + 1."""

_FINE = 2  # drawn twice as large, then averaged: a 2 x 2 box on top of OpenCV's own smooth edges
_SHIFT = 4  # 1/16 of a pixel
_ORIGIN = (0.0, 0.0)
_OUTLINE_PIXELS = 1.7  # thinner lines than 1.5 pixels do not survive an 8 x 8 latent


@dataclass(frozen=True, slots=True)
class Fill:
    """One shape with its colour; `is_outlined` adds the dark line around it."""

    shape: Shape
    colour: Colour
    is_outlined: bool = False


Layer = tuple[Fill, ...]
"""Fills that share one silhouette: their outlines are drawn first, so none lies inside it."""

Stencil = list[tuple[Points, Colour]]
"""A layer cut out once: corner points with their colour, back to front, outlines included."""


def cut(layer: Layer, scale: float) -> Stencil:
    """Return the stencil of `layer` with outlines as thick as they look good at `scale`."""
    grow = _OUTLINE_PIXELS * scale**-0.4  # lines thicken slower than the zoom
    outlines = [(item.shape.points(grow), INK) for item in layer if item.is_outlined]
    return outlines + [(item.shape.points(), item.colour) for item in layer]


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees: the world point at the centre, and pixels per world unit."""

    centre_x: float
    centre_y: float
    scale: float


@dataclass
class Canvas:
    """One frame being painted, back to front."""

    view: View
    fine_HW3: NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros((HEIGHT * _FINE, WIDTH * _FINE, 3), np.uint8)
    )
    labels_HW: NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.uint8)
    )

    def copy(self, view: View) -> "Canvas":
        """Return an independent canvas with the same paint, to be painted on under `view`."""
        return Canvas(view, self.fine_HW3.copy(), self.labels_HW.copy())

    def paint(
        self, stencil: Stencil, label: int = BACKGROUND, at: tuple[float, float] = _ORIGIN
    ) -> None:
        """Paint a stencil whose origin lies `at` a world point.

        A label other than BACKGROUND also marks the label map.
        """
        view = self.view
        left = (at[0] - view.centre_x) * view.scale + WIDTH / 2
        top = (at[1] - view.centre_y) * view.scale + HEIGHT / 2
        # OpenCV counts from the centre of a pixel: hence the halves.
        one = 1 << _SHIFT
        offset = np.array([left * one - one / 2, top * one - one / 2], np.float32)
        fine_offset = np.array(
            [left * _FINE * one - one / 2, top * _FINE * one - one / 2], np.float32
        )
        factor = np.float32(view.scale * one)
        for points, colour in stencil:
            fine = np.rint(points * (factor * _FINE) + fine_offset).astype(np.int32)
            cv2.fillPoly(self.fine_HW3, [fine], colour, cv2.LINE_AA, _SHIFT)
            if label != BACKGROUND:
                coarse = np.rint(points * factor + offset).astype(np.int32)
                cv2.fillPoly(self.labels_HW, [coarse], label, cv2.LINE_8, _SHIFT)

    def picture(self) -> NDArray[np.uint8]:
        """Return the frame, HEIGHT x WIDTH x 3."""
        small = cv2.resize(self.fine_HW3, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)
