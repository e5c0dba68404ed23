"""How a character looks on screen: a big head, round eyes and strong colours, in layers of shapes.

Local coordinates: the feet stand at (0, 0), y points down, the top of a bare head is at y = -55.
"""

import math
from dataclasses import dataclass
from typing import Final

from engine.train.world.canvas import INK, Fill, Layer
from engine.train.world.characters import Character
from engine.train.world.geometry import Capsule, Dome, Ellipse, Polygon, Shape, box
from engine.train.world.vocabulary import COLOURS, HAIRS, SKINS, Colour

_SHOE: Final[Colour] = (84, 58, 50)
_MOUTH: Final[Colour] = (176, 40, 58)
_CREAM: Final[Colour] = (252, 250, 240)
_NAVY: Final[Colour] = (40, 44, 92)
_SHOULDER_Y = -29.0
_HIP_Y = -13.0
_HEAD_Y = -42.0
_STEPS_PER_SECOND = 1.5


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the limbs are at one instant, in local units. Computed by `pose_at`."""

    lift: float
    """Height of the feet above the ground."""
    lean: float
    """Sideways shift of the upper body."""
    turn: float
    """Angle around the vertical axis in radians; 0 faces the camera, pi shows the back."""
    feet: tuple[tuple[float, float], tuple[float, float]]
    """Left and right foot on screen, relative to the ground point."""
    hands: tuple[tuple[float, float], tuple[float, float]]
    """Left and right hand on screen."""


def pose_at(action: str, seconds: float) -> Pose:
    """Return the pose of `action` after `seconds`; the same second always gives the same pose."""
    if action in ("walks left", "walks right"):
        return _walking(seconds, direction=-1.0 if action == "walks left" else 1.0)
    if action == "jumps":
        height = abs(math.sin(math.pi * seconds))
        reach = -30.0 - 14.0 * height
        return Pose(12 * height, 0.0, 0.0, _FEET, ((-20.0, reach), (20.0, reach)))
    if action == "waves":
        swing = math.sin(2 * math.pi * 1.25 * seconds)
        return Pose(0.0, 0.0, 0.0, _FEET, (_HANDS[0], (21.0 + 5.0 * swing, -47.0 + abs(swing))))
    if action == "turns":
        angle = 2 * math.pi * seconds / 2.4
        narrow = max(0.55, abs(math.cos(angle)))
        left, right = _HANDS
        hands = ((left[0] * narrow, left[1]), (right[0] * narrow, right[1]))
        return Pose(0.0, 0.0, angle, _FEET, hands)
    if action == "dances":
        sway = math.sin(2 * math.pi * seconds)
        hands = ((-19.0, -28.0 - 14.0 * sway), (19.0, -28.0 + 14.0 * sway))
        feet = ((-5.5, -3.0 * max(sway, 0.0)), (5.5, -3.0 * max(-sway, 0.0)))
        return Pose(0.0, 4.0 * sway, 0.0, feet, hands)
    if action == "stands":
        return Pose(0.0, 0.0, 0.0, _FEET, _HANDS)
    raise ValueError(f"There is no action {action!r}. Choose one of vocabulary.ACTIONS.")


_FEET = ((-5.5, 0.0), (5.5, 0.0))
_HANDS = ((-14.5, -14.0), (14.5, -14.0))


def _walking(seconds: float, *, direction: float) -> Pose:
    swing = math.sin(2 * math.pi * _STEPS_PER_SECOND / 2 * seconds)
    feet = ((-3.0 + 8 * swing, 0.0), (3.0 - 8 * swing, 0.0))
    hands = ((-11.0 - 8 * swing, -15.0), (11.0 + 8 * swing, -15.0))
    return Pose(1.5 * abs(swing), 0.0, direction * 0.8, feet, hands)


def figure_layers(character: Character, pose: Pose) -> tuple[Layer, ...]:
    """Return the layers of `character` in `pose`, back to front, in local units."""
    is_back = math.cos(pose.turn) < -0.1
    narrow = max(0.72, abs(math.cos(pose.turn))) if abs(pose.turn) > 0.9 else 1.0
    body = _Body(character, pose, narrow, is_back)
    layers = [body.legs()]
    if character.long_hair and not is_back:
        layers.append(body.long_hair())
    layers += [body.far_arm(), body.torso(), body.near_arm(), body.head()]
    if character.long_hair and is_back:
        layers.append(body.long_hair())
    if character.hat != "none":
        layers.append(body.hat())
    return tuple(layers)


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(value * factor)) for value in colour)
    return red, green, blue


def _solid(*fills: tuple[Shape, Colour]) -> Layer:
    return tuple(Fill(shape, colour, is_outlined=True) for shape, colour in fills)


@dataclass(frozen=True, slots=True)
class _Body:
    character: Character
    pose: Pose
    narrow: float
    is_back: bool

    def legs(self) -> Layer:
        colour, lift = COLOURS[self.character.trousers], self.pose.lift
        fills: list[tuple[Shape, Colour]] = []
        for side, (x, y), factor in zip((-1, 1), self.pose.feet, (0.86, 1.0), strict=True):
            hip_x = side * 5.0 * self.narrow + self.pose.lean * 0.5
            foot_x, foot_y = x * self.narrow, y - lift
            toes = 2.0 * math.sin(self.pose.turn)
            fills.append((Ellipse(foot_x + toes, foot_y - 2, 5.0, 3.0), _SHOE))
            limb = Capsule(hip_x, _HIP_Y - lift, foot_x, foot_y - 5, 8.0)
            fills.append((limb, _shade(colour, factor)))
        return _solid(*fills)

    def _arm(self, side: int) -> Layer:
        character = self.character
        x, y = self.pose.hands[0 if side < 0 else 1]
        x, y = x + self.pose.lean, y - self.pose.lift
        start_x = side * 9.0 * self.narrow + self.pose.lean
        start_y = _SHOULDER_Y + 3.5 - self.pose.lift
        sleeve = _shade(COLOURS[character.shirt], 0.88)
        return _solid(
            (Ellipse(x, y, 3.6, 3.6), SKINS[character.skin]),
            (
                Capsule(
                    start_x,
                    start_y,
                    start_x + (x - start_x) * 0.8,
                    start_y + (y - start_y) * 0.8,
                    6.5,
                ),
                sleeve,
            ),
        )

    def far_arm(self) -> Layer:
        return self._arm(-1)

    def near_arm(self) -> Layer:
        return self._arm(1)

    def torso(self) -> Layer:
        character, lean = self.character, self.pose.lean
        top, bottom = _SHOULDER_Y - self.pose.lift, _HIP_Y + 1.5 - self.pose.lift
        upper, lower = 10.0 * self.narrow, 11.0 * self.narrow
        low_lean = lean * 0.5

        def across(start: float, end: float, left: float = -1.0, right: float = 1.0) -> Polygon:
            """A band from `start` to `end` of the height, `left` to `right` of the half width."""
            corners = []
            for part, side in ((start, left), (start, right), (end, right), (end, left)):
                half = upper + (lower - upper) * part
                middle = lean + (low_lean - lean) * part
                corners.append((middle + side * half, top + (bottom - top) * part))
            return Polygon(tuple(corners))

        fills = [Fill(across(0.0, 1.0), COLOURS[character.shirt], is_outlined=True)]
        second = _NAVY if character.shirt in ("white", "yellow", "pink") else _CREAM
        if character.pattern == "striped":
            fills += [Fill(across(part, part + 0.2), second) for part in (0.22, 0.62)]
        elif character.pattern == "dotted":
            for row in (0.3, 0.74):
                fills += [
                    Fill(
                        Ellipse(
                            lean * (1 - row / 2) + side * 6.2 * self.narrow,
                            top + (bottom - top) * row,
                            2.3 * self.narrow,
                            2.3,
                        ),
                        second,
                    )
                    for side in (-1, 0, 1)
                ]
        elif character.pattern == "sashed":
            side = -1.0 if self.is_back else 1.0
            corners = [
                (lean - side * upper, top),
                (lean - side * upper * 0.35, top),
                (low_lean + side * lower, bottom - 4.5),
                (low_lean + side * lower, bottom),
                (low_lean + side * lower * 0.55, bottom),
            ]
            fills.append(Fill(Polygon(tuple(corners)), second))
        return tuple(fills)

    def _head_at(self) -> tuple[float, float, float]:
        return self.pose.lean * 1.3, _HEAD_Y - self.pose.lift, max(self.narrow, 0.9)

    def long_hair(self) -> Layer:
        x, y, wide = self._head_at()
        hair = HAIRS[self.character.hair]
        if self.is_back:
            return (Fill(box(x - 13 * wide, y - 2, x + 13 * wide, y + 16), hair, is_outlined=True),
                    Fill(Ellipse(x, y, 13.2 * wide, 12.2), hair))  # fmt: skip
        locks = (
            Capsule(x + side * 11.5 * wide, y - 4, x + side * 11.5 * wide, y + 14, 8)
            for side in (-1, 1)
        )
        return _solid(*((lock, hair) for lock in locks))

    def head(self) -> Layer:
        x, y, wide = self._head_at()
        skin, hair = SKINS[self.character.skin], HAIRS[self.character.hair]
        if self.is_back:
            return _solid((Ellipse(x, y, 13 * wide, 12), hair))
        fills = [
            Fill(Ellipse(x, y, 13 * wide, 12), skin, is_outlined=True),
            Fill(Dome(x, y - 3.5, 12.8 * wide, 9.5), hair, is_outlined=False),
        ]
        if not self.character.long_hair:
            fills += [Fill(Ellipse(x + side * 12 * wide, y - 3, 1.8, 4), hair) for side in (-1, 1)]
        ahead = x + 5.5 * math.sin(self.pose.turn)
        for side in (-1, 1):
            eye_x = ahead + side * 5.4 * wide
            fills.append(Fill(Ellipse(eye_x, y + 1.5, 3.2, 3.8), _CREAM))
            fills.append(Fill(Ellipse(eye_x + math.sin(self.pose.turn), y + 1.8, 2.0, 2.5), INK))
        fills.append(Fill(Ellipse(ahead, y + 7.6, 3.6, 1.8), _MOUTH))
        return tuple(fills)

    def hat(self) -> Layer:
        x, y, wide = self._head_at()
        colour = COLOURS[self.character.hat_colour]
        dark = _shade(colour, 0.74)
        hat = self.character.hat
        if hat == "cap":
            ahead = math.sin(self.pose.turn)
            forward = 0.0 if self.is_back else (1.0 if ahead >= 0 else -1.0)
            return _solid(
                (Dome(x, y - 4, 13.4 * wide, 11), colour),
                (Capsule(x - 6 * forward, y - 4.5, x + 18 * forward, y - 4.5, 3.8), dark),
            )
        if hat == "tophat":
            return (
                *_solid((box(x - 9, y - 25, x + 9, y - 7), colour),
                        (Capsule(x - 15, y - 7.5, x + 15, y - 7.5, 4.2), colour)),
                Fill(box(x - 9, y - 14, x + 9, y - 10), dark),
            )  # fmt: skip
        if hat == "beanie":
            return (
                *_solid(
                    (Ellipse(x, y - 17, 4, 4), _CREAM), (Dome(x, y - 5, 13.4 * wide, 11), colour)
                ),
                *_solid((Capsule(x - 11.5 * wide, y - 5.5, x + 11.5 * wide, y - 5.5, 5), dark)),
            )
        spikes = tuple(
            (Polygon(((x + k * 8 - 4, y - 9), (x + k * 8, y - 22), (x + k * 8 + 4, y - 9))), colour)
            for k in (-1, 0, 1)
        )
        return (*_solid(*spikes, (box(x - 12, y - 11, x + 12, y - 5), colour)),
                Fill(Ellipse(x, y - 8, 2, 2), _CREAM))  # fmt: skip
