"""Convex shapes that can grow: an outline is the same shape, filled a little larger behind it."""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""Corner points, shape (P, 2), x to the right and y down, in world units."""

_CORNERS = 22
_ANGLES = np.arange(_CORNERS) * (2 * math.pi / _CORNERS)
_CIRCLE: Final = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1).astype(np.float32)
_HALF_ANGLES = np.linspace(-math.pi / 2, math.pi / 2, 8)
_HALF: Final = np.stack([np.cos(_HALF_ANGLES), np.sin(_HALF_ANGLES)], axis=1).astype(np.float32)


class Shape(Protocol):
    """Anything that can be filled, at its own size or grown outwards."""

    def points(self, grow: float = 0.0) -> Points:
        """Return the corners after growing the shape outwards by `grow` world units."""
        ...


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An upright ellipse around (x, y)."""

    x: float
    y: float
    half_width: float
    half_height: float

    def points(self, grow: float = 0.0) -> Points:
        """Return the corners after growing the shape outwards by `grow` world units."""
        radii = np.array([self.half_width + grow, self.half_height + grow], np.float32)
        return _CIRCLE * radii + np.array([self.x, self.y], np.float32)


@dataclass(frozen=True, slots=True)
class Dome:
    """The upper half of an ellipse whose flat side lies at y."""

    x: float
    y: float
    half_width: float
    height: float

    def points(self, grow: float = 0.0) -> Points:
        """Return the corners after growing the shape outwards by `grow` world units."""
        corners = _HALF[:, ::-1] * np.array(
            [self.half_width + grow, -(self.height + grow)], np.float32
        ) + np.array([self.x, self.y], np.float32)
        if grow:
            ends = [[self.x + self.half_width + grow, self.y + grow]]
            ends.append([self.x - self.half_width - grow, self.y + grow])
            corners = np.concatenate([corners, np.array(ends, np.float32)])
        return corners


@dataclass(frozen=True, slots=True)
class Capsule:
    """A thick line with round ends from (x0, y0) to (x1, y1)."""

    x0: float
    y0: float
    x1: float
    y1: float
    width: float

    def points(self, grow: float = 0.0) -> Points:
        """Return the corners after growing the shape outwards by `grow` world units."""
        dx, dy = self.x1 - self.x0, self.y1 - self.y0
        length = math.hypot(dx, dy)
        along_x, along_y = (dx / length, dy / length) if length > 0 else (1.0, 0.0)
        radius = self.width / 2 + grow
        turn = np.array([[along_x, along_y], [-along_y, along_x]], np.float32) * radius
        cap = _HALF @ turn
        end = np.array([self.x1, self.y1], np.float32)
        start = np.array([self.x0, self.y0], np.float32)
        return np.concatenate([cap + end, start - cap])


@dataclass(frozen=True, slots=True)
class Polygon:
    """A convex polygon given by its corners, clockwise on the screen."""

    corners: tuple[tuple[float, float], ...]

    def points(self, grow: float = 0.0) -> Points:
        """Return the corners after growing the shape outwards by `grow` world units."""
        corners = np.array(self.corners, np.float32)
        if grow == 0.0:
            return corners
        edges = np.concatenate([corners[1:], corners[:1]]) - corners
        normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
        normals /= np.sqrt((normals * normals).sum(axis=1, keepdims=True)) + 1e-6
        before = np.concatenate([normals[-1:], normals[:-1]])
        # A corner moves along the bisector; 1 + cos keeps both edges at distance `grow`.
        spread = np.maximum(1 + (normals * before).sum(axis=1, keepdims=True), 0.5)
        grown: Points = corners + np.float32(grow) * (normals + before) / spread
        return grown


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Return the upright rectangle between two corners."""
    return Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))
