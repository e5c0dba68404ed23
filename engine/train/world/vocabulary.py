"""Every word the drawn world can say: names, colours, places, actions, function words."""

import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

Colour = tuple[int, int, int]
"""Red, green, blue in 0..255."""

COLOURS: Final = MappingProxyType(
    {
        "red": (222, 50, 54),
        "blue": (42, 96, 220),
        "green": (44, 164, 78),
        "yellow": (250, 210, 58),
        "purple": (136, 64, 198),
        "orange": (244, 132, 32),
        "pink": (248, 126, 188),
        "white": (246, 246, 242),
    }
)
SKINS: Final = MappingProxyType(
    {"pale": (255, 222, 192), "tan": (228, 172, 122), "brown": (152, 98, 64), "dark": (96, 62, 48)}
)
HAIRS: Final = MappingProxyType(
    {
        "blond": (240, 206, 96),
        "brown": (120, 74, 42),
        "black": (44, 38, 42),
        "ginger": (214, 98, 34),
        "grey": (172, 172, 180),
    }
)

NAMES: Final = ("mia", "bob", "zoe", "max", "ana", "leo", "ivy", "sam")
PATTERNS: Final = ("plain", "striped", "dotted", "sashed")
HATS: Final = ("none", "cap", "tophat", "beanie", "crown")
PLACES: Final = ("park", "street", "room", "beach", "night", "snow")
ACTIONS: Final = (
    "stands",
    "walks left",
    "walks right",
    "jumps",
    "waves",
    "turns",
    "dances",
)
FRAMINGS: Final = ("wide", "medium", "close")
CAMERAS: Final = ("static", "pan left", "pan right", "zoom in")
SIGN_WORDS: Final = ("cat", "sun", "tea", "hop", "fun", "ice", "map", "bus", "zoo", "inn")
PROPS: Final = ("ball", "balloon")
WEATHERS: Final = ("clear", "rain", "snow")
SIDES: Final = ("left", "right")
NUMBERS: Final = MappingProxyType({1: "one", 2: "two", 3: "three", 4: "four", 5: "five"})

PLACE_PHRASES: Final = MappingProxyType(
    {
        "park": "in the park",
        "street": "on the street",
        "room": "in the room",
        "beach": "on the beach",
        "night": "at night",
        "snow": "in the snow",
    }
)
LANDMARKS: Final = MappingProxyType(
    {
        "park": "bench",
        "street": "car",
        "room": "sofa",
        "beach": "umbrella",
        "night": "tent",
        "snow": "hut",
    }
)

_PLURALS = ("stand", "walk", "jump", "wave", "turn", "dance", "balls", "balloons")
_FUNCTION_WORDS = (
    *("a", "an", "and", "are", "at", "away", "camera", "flies", "fly", "hair", "has", "hat", "in"),
    *("is", "it", "long", "moves", "no", "on", "pans", "rains", "says", "shirt", "short", "shot"),
    *("sign", "skin", "snows", "still", "the", "there", "trousers", "view", "wears", "zooms"),
)


def words_of(text: str) -> tuple[str, ...]:
    """Return the lower-case words of `text` in order; punctuation only separates."""
    return tuple(re.findall(r"[a-z0-9']+", text.lower()))


def _all_words() -> tuple[str, ...]:
    phrases: list[Iterable[str]] = [COLOURS, SKINS, HAIRS, NAMES, PATTERNS, HATS[1:], ACTIONS]
    phrases += [FRAMINGS, CAMERAS, SIGN_WORDS, PROPS, SIDES, NUMBERS.values()]
    phrases += [PLACE_PHRASES.values(), LANDMARKS.values(), _PLURALS, _FUNCTION_WORDS]
    return tuple(sorted({word for group in phrases for text in group for word in words_of(text)}))


WORDS: Final = _all_words()
"""Every word a caption can contain, sorted."""


def _themes() -> dict[str, tuple[str, ...]]:
    camera = ("static camera", "the camera pans left", "the camera pans right")
    return {
        "People": tuple(name.capitalize() for name in NAMES),
        "Actions": (*ACTIONS, *("stand", "walk", "jump", "wave", "turn", "dance")),
        "Places": tuple(PLACE_PHRASES.values()),
        "Framing": tuple(f"{framing} shot" for framing in FRAMINGS),
        "Camera": (*camera, "the camera zooms in", "the camera is still"),
        "Colours": tuple(COLOURS),
        "Clothes": ("wears", "shirt", *PATTERNS, "trousers", *HATS[1:], "no hat"),
        "Looks": (*(f"{s} skin" for s in SKINS), *(f"{h} hair" for h in HAIRS), "long", "short"),
        "Things": (*LANDMARKS.values(), *PROPS, *(f"{prop}s" for prop in PROPS), "sign"),
        "Numbers and sides": (*NUMBERS.values(), *(f"on the {side}" for side in SIDES)),
        "Weather": ("it rains", "it snows"),
        "Sign words": tuple(word.upper() for word in SIGN_WORDS),
    }


def _themes_of_all_words() -> MappingProxyType[str, tuple[str, ...]]:
    themes = _themes()
    placed = {word for phrases in themes.values() for text in phrases for word in words_of(text)}
    return MappingProxyType({**themes, "Small words": tuple(w for w in WORDS if w not in placed)})


THEMES: Final = _themes_of_all_words()
"""Every word by theme, in phrases as captions write them: what an editor browses."""


def unknown_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` the world does not know, each once, in order of appearance."""
    known = frozenset(WORDS)
    return tuple(dict.fromkeys(word for word in words_of(text) if word not in known))
