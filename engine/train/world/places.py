"""Where it happens: six flat, friendly places, each with a coloured landmark and perhaps a sign.

World units: one unit is one pixel of a wide shot. A wide shot sees x 0..160, y 0..96; feet stand at
GROUND_Y. Everything reaches far enough beyond the frame for the camera to move.
"""

import random
from dataclasses import dataclass
from typing import Final

from engine.train.world import vocabulary
from engine.train.world.canvas import INK, Fill
from engine.train.world.geometry import Capsule, Dome, Ellipse, Polygon, box
from engine.train.world.lettering import word_width, write
from engine.train.world.vocabulary import COLOURS, Colour

GROUND_Y: Final = 87.0
_HORIZON = 66.0
_LEFT, _RIGHT, _TOP, _BOTTOM = -80.0, 240.0, -60.0, 160.0
_SUN: Colour = (255, 226, 90)
_WHITE: Colour = (250, 250, 246)
_WOOD: Colour = (142, 92, 58)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place of a story; it looks the same whenever the story returns to it."""

    kind: str
    """One of PLACES."""
    landmark_colour: str
    """Colour of the landmark that belongs to the kind, see LANDMARKS."""
    landmark_side: str
    """"left" or "right"; the sign stands on the other side."""
    sign: str
    """The word on the sign, "" without a sign."""
    layout: int
    """Seed of what no caption tells: trees, houses, hills and their shades."""

    @property
    def landmark(self) -> str:
        """The landmark's name."""
        return vocabulary.LANDMARKS[self.kind]

    @property
    def landmark_x(self) -> float:
        """Centre of the landmark in world units."""
        return 34.0 if self.landmark_side == "left" else 126.0

    @property
    def sign_x(self) -> float:
        """Centre of the sign in world units."""
        return 124.0 if self.landmark_side == "left" else 36.0


def find_places(rng: random.Random, num_places: int, text_probability: float) -> tuple[Place, ...]:
    """Return places of different kinds; each has a sign with probability `text_probability`."""
    kinds = rng.sample(vocabulary.PLACES, num_places)
    words = rng.sample(vocabulary.SIGN_WORDS, num_places)
    return tuple(
        Place(
            kind=kind,
            landmark_colour=rng.choice(tuple(COLOURS)),
            landmark_side=rng.choice(vocabulary.SIDES),
            sign=word if rng.random() < text_probability else "",
            layout=rng.randrange(1 << 30),
        )
        for kind, word in zip(kinds, words, strict=True)
    )


def scenery(place: Place) -> tuple[Fill, ...]:
    """Return everything behind the landmark, back to front."""
    rng = random.Random(place.layout)
    painters = {
        "park": _park,
        "street": _street,
        "room": _room,
        "beach": _beach,
        "night": _night,
        "snow": _snow,
    }
    return tuple(painters[place.kind](rng))


def landmark(place: Place) -> tuple[Fill, ...]:
    """Return the coloured landmark of the place, outlined."""
    x, colour = place.landmark_x, COLOURS[place.landmark_colour]
    dark = _darker(colour)
    painters = {
        "bench": _bench,
        "car": _car,
        "sofa": _sofa,
        "umbrella": _umbrella,
        "tent": _tent,
        "hut": _hut,
    }
    return tuple(painters[place.landmark](x, colour, dark))


def sign(place: Place) -> tuple[Fill, ...]:
    """Return the sign on its post, nothing for a place without one."""
    if not place.sign:
        return ()
    x, y = place.sign_x, 44.0
    half = word_width(place.sign) / 2 + 4
    return (
        Fill(box(x - 2, y, x + 2, GROUND_Y - 7), _WOOD, is_outlined=True),
        Fill(box(x - half, y - 9.5, x + half, y + 9.5), _WHITE, is_outlined=True),
        *write(place.sign, x, y, INK),
    )


def _darker(colour: Colour) -> Colour:
    red, green, blue = (int(value * 0.76) for value in colour)
    return red, green, blue


def _band(top: float, bottom: float, colour: Colour) -> Fill:
    return Fill(box(_LEFT, top, _RIGHT, bottom), colour)


def _park(rng: random.Random) -> list[Fill]:
    fills = [
        _band(_TOP, _HORIZON, rng.choice(((142, 208, 250), (168, 220, 248)))),
        _band(_HORIZON, _BOTTOM, rng.choice(((122, 200, 92), (104, 184, 84)))),
        Fill(Ellipse(rng.choice((18.0, 80.0, 142.0)), 12, 9, 9), _SUN),
    ]
    for x in (
        rng.uniform(-40, 10),
        rng.uniform(52, 64),
        rng.uniform(96, 108),
        rng.uniform(150, 190),
    ):
        crown = rng.choice(((52, 140, 70), (78, 160, 58)))
        fills.append(Fill(box(x - 4, 40, x + 4, _HORIZON + 4), _WOOD))
        fills.append(Fill(Ellipse(x, 30, 17, 18), crown))
    return fills


def _street(rng: random.Random) -> list[Fill]:
    fills = [_band(_TOP, _HORIZON, (190, 224, 246))]
    walls: list[Colour] = [(226, 138, 108), (240, 206, 140), (148, 176, 214), (200, 156, 190)]
    rng.shuffle(walls)
    x = -70.0 + rng.uniform(0, 20)
    for number in range(7):
        width, top = rng.uniform(40, 52), rng.uniform(8, 26)
        fills.append(Fill(box(x, top, x + width, _HORIZON), walls[number % 4]))
        for window in (x + width * 0.27, x + width * 0.73):
            fills.append(Fill(box(window - 6, top + 8, window + 6, top + 22), (250, 244, 206)))
        x += width
    fills += [_band(_HORIZON, 74, (206, 206, 204)), _band(74, _BOTTOM, (124, 126, 138))]
    fills += [Fill(box(x, 91, x + 18, 94), (244, 232, 140)) for x in range(-70, 240, 36)]
    return fills


def _room(rng: random.Random) -> list[Fill]:
    wall: Colour = rng.choice(((248, 224, 178), (196, 226, 232), (240, 204, 212), (206, 228, 188)))
    floor: Colour = rng.choice(((188, 134, 88), (160, 112, 84)))
    window_x = rng.choice((58.0, 102.0))
    picture_x = 160 - window_x
    frame_colour = COLOURS[rng.choice(("blue", "green", "orange", "purple"))]
    return [
        _band(_TOP, _HORIZON, wall),
        _band(_HORIZON, _BOTTOM, floor),
        _band(_HORIZON - 3, _HORIZON, _WHITE),
        Fill(box(window_x - 18, 8, window_x + 18, 42), _WHITE),
        Fill(box(window_x - 15, 11, window_x - 1.5, 39), (146, 206, 246)),
        Fill(box(window_x + 1.5, 11, window_x + 15, 39), (146, 206, 246)),
        Fill(box(picture_x - 12, 10, picture_x + 12, 32), _WOOD),
        Fill(box(picture_x - 9, 13, picture_x + 9, 29), frame_colour),
    ]


def _beach(rng: random.Random) -> list[Fill]:
    boat_x = rng.uniform(62, 98)
    hull = Polygon(((boat_x - 12, 48), (boat_x + 12, 48), (boat_x + 8, 54), (boat_x - 8, 54)))
    return [
        _band(_TOP, 48, (150, 214, 252)),
        _band(48, _HORIZON, rng.choice(((44, 148, 206), (36, 170, 196)))),
        _band(_HORIZON, _BOTTOM, (250, 226, 160)),
        Fill(Ellipse(rng.choice((18.0, 80.0, 142.0)), 13, 10, 10), _SUN),
        Fill(hull, (196, 78, 60)),
        Fill(Polygon(((boat_x, 28), (boat_x + 12, 46), (boat_x, 46))), _WHITE),
    ]


def _night(rng: random.Random) -> list[Fill]:
    hill_x = rng.uniform(20, 140)
    moon_x = rng.choice((18.0, 80.0, 142.0))
    fills = [
        _band(_TOP, _BOTTOM, rng.choice(((40, 44, 104), (30, 52, 98)))),
        Fill(Ellipse(hill_x, 74, 80, 34), (34, 62, 92)),
        Fill(Ellipse(hill_x - 110, 74, 60, 26), (34, 62, 92)),
        Fill(Ellipse(hill_x + 110, 74, 60, 26), (34, 62, 92)),
        _band(_HORIZON, _BOTTOM, (48, 92, 84)),
        Fill(Ellipse(moon_x, 14, 10, 10), (252, 244, 200)),
    ]
    for x in (10, 50, 110, 150, 190, -30):
        y = rng.uniform(6, 26)
        if abs(x - moon_x) > 16:
            fills.append(Fill(Ellipse(x, y, 1.8, 1.8), (250, 246, 220)))
    return fills


def _snow(rng: random.Random) -> list[Fill]:
    fills = [_band(_TOP, _HORIZON, (184, 212, 238))]
    for x in (rng.uniform(-20, 20), rng.uniform(70, 90), rng.uniform(140, 180)):
        fills.append(Fill(Polygon(((x, 12), (x + 50, 66), (x - 50, 66))), (140, 160, 196)))
        fills.append(Fill(Polygon(((x, 12), (x + 16.7, 30), (x - 16.7, 30))), _WHITE))
    fills.append(_band(_HORIZON, _BOTTOM, (242, 246, 252)))
    for x in (
        rng.uniform(-40, 6),
        rng.uniform(54, 66),
        rng.uniform(94, 106),
        rng.uniform(154, 190),
    ):
        fills.append(Fill(box(x - 3, 60, x + 3, 72), _WOOD))
        for step in (0, 1):
            top, half = 24 + step * 16, 12 + step * 4
            fills.append(
                Fill(Polygon(((x, top), (x + half, top + 22), (x - half, top + 22))), (44, 120, 96))
            )
    return fills


def _bench(x: float, colour: Colour, dark: Colour) -> list[Fill]:
    return [
        Fill(box(x - 17, 72, x - 13, 84), INK),
        Fill(box(x + 13, 72, x + 17, 84), INK),
        Fill(box(x - 21, 56, x + 21, 65), colour, is_outlined=True),
        Fill(box(x - 22, 70, x + 22, 76), dark, is_outlined=True),
    ]


def _car(x: float, colour: Colour, dark: Colour) -> list[Fill]:
    roof = Polygon(((x - 12, 50), (x + 10, 50), (x + 17, 64), (x - 18, 64)))
    glass = Polygon(((x - 10, 53), (x + 8, 53), (x + 12.5, 62), (x - 14, 62)))
    fills = [
        Fill(roof, colour, is_outlined=True),
        Fill(box(x - 27, 62, x + 27, 77), colour, is_outlined=True),
        Fill(glass, (206, 232, 246)),
        Fill(box(x - 27, 71, x + 27, 77), dark),
    ]
    for wheel in (x - 15, x + 15):
        fills += [
            Fill(Ellipse(wheel, 78, 6.5, 6.5), INK),
            Fill(Ellipse(wheel, 78, 2.6, 2.6), _WHITE),
        ]
    return fills


def _sofa(x: float, colour: Colour, dark: Colour) -> list[Fill]:
    return [
        Fill(box(x - 22, 52, x + 22, 74), colour, is_outlined=True),
        Fill(box(x - 24, 68, x + 24, 80), dark, is_outlined=True),
        Fill(Capsule(x - 25, 64, x - 25, 78, 8), colour, is_outlined=True),
        Fill(Capsule(x + 25, 64, x + 25, 78, 8), colour, is_outlined=True),
    ]


def _umbrella(x: float, colour: Colour, dark: Colour) -> list[Fill]:
    return [
        Fill(box(x - 1.8, 36, x + 1.8, 82), _WOOD, is_outlined=True),
        Fill(Dome(x, 44, 27, 19), colour, is_outlined=True),
        Fill(Dome(x, 44, 9, 19), dark),
    ]


def _tent(x: float, colour: Colour, dark: Colour) -> list[Fill]:
    return [
        Fill(Polygon(((x, 42), (x + 28, 82), (x - 28, 82))), colour, is_outlined=True),
        Fill(Polygon(((x, 56), (x + 9, 82), (x - 9, 82))), dark),
    ]


def _hut(x: float, colour: Colour, dark: Colour) -> list[Fill]:
    return [
        Fill(box(x - 20, 52, x + 20, 80), colour, is_outlined=True),
        Fill(Polygon(((x, 32), (x + 27, 52), (x - 27, 52))), _WHITE, is_outlined=True),
        Fill(box(x - 6, 62, x + 6, 80), dark),
    ]
