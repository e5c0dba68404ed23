"""A picture of one frame: filled shapes in world units, with smooth edges and a map of labels."""

from collections.abc import Iterable
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
_OUTLINE_PIXELS = 1.7  # thinner lines than 1.5 pixels do not survive an 8 x 8 latent


@dataclass(frozen=True, slots=True)
class Fill:
    """One shape with its colour; `is_outlined` adds the dark line around it."""

    shape: Shape
    colour: Colour
    is_outlined: bool = False


Layer = tuple[Fill, ...]
"""Fills that share one silhouette: their outlines are drawn first, so none lies inside it."""


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees: the world point at the centre, and pixels per world unit."""

    centre_x: float
    centre_y: float
    scale: float

    def to_pixels(self, points: Points) -> Points:
        """Return `points` in pixel coordinates of the picture."""
        offset = np.array(
            [WIDTH / 2 - self.centre_x * self.scale, HEIGHT / 2 - self.centre_y * self.scale],
            np.float32,
        )
        return points * np.float32(self.scale) + offset


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

    def paint(self, layer: Iterable[Fill], label: int = BACKGROUND) -> None:
        """Paint the fills of one layer; a label other than BACKGROUND also marks the label map."""
        fills = tuple(layer)
        grow = _OUTLINE_PIXELS * self.view.scale**-0.4  # lines thicken slower than the zoom
        for item in fills:
            if item.is_outlined:
                self._fill(item.shape.points(grow), INK, label)
        for item in fills:
            self._fill(item.shape.points(), item.colour, label)

    def picture(self) -> NDArray[np.uint8]:
        """Return the frame, HEIGHT x WIDTH x 3."""
        small = cv2.resize(self.fine_HW3, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    def _fill(self, points: Points, colour: Colour, label: int) -> None:
        pixels = self.view.to_pixels(points) * np.float32(1 << _SHIFT)
        # Pixel centres lie at .5: shifting by half a pixel keeps the average over 2 x 2 centred.
        fine = np.round(pixels * _FINE - (1 << _SHIFT) / 2).astype(np.int32)
        cv2.fillPoly(self.fine_HW3, [fine], colour, cv2.LINE_AA, _SHIFT)
        if label != BACKGROUND:
            coarse = np.round(pixels - (1 << _SHIFT) / 2).astype(np.int32)
            cv2.fillPoly(self.labels_HW, [coarse], label, cv2.LINE_8, _SHIFT)
