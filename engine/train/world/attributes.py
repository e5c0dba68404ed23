"""What can be read in a shot: its true attributes, and which of them its frames really show."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.train.world.characters import Character
from engine.train.world.draw import draw_shot
from engine.train.world.script import ShotScript
from engine.train.world.vocabulary import (
    ACTIONS,
    COLOURS,
    FRAMINGS,
    HAIRS,
    HATS,
    PATTERNS,
    PLACES,
    SKINS,
    Colour,
)

APPEARANCE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "shirt": tuple(COLOURS),
        "pattern": PATTERNS,
        "trousers": tuple(COLOURS),
        "hat": HATS,
        "hat_colour": tuple(COLOURS),
        "hair": tuple(HAIRS),
        "hair_length": ("short", "long"),
        "skin": tuple(SKINS),
    }
)
"""How the acting character looks: what only memory knows after the first mention."""
STAGING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"place": PLACES, "action": ACTIONS, "framing": FRAMINGS}
)
"""What the caption of every shot says."""
ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({**APPEARANCE, **STAGING})

MIN_PIXELS: Final = 60
"""An attribute is visible where changing it changes this many of a frame's 15,360 pixels."""
_PALETTES: Final[Mapping[str, Mapping[str, Colour]]] = MappingProxyType(
    {"shirt": COLOURS, "trousers": COLOURS, "hat_colour": COLOURS, "hair": HAIRS, "skin": SKINS}
)
_MIN_CHANGE = 40  # of 255 in one channel: less is anti-aliasing


def labels_of(shot: ShotScript) -> dict[str, str]:
    """Return the true value of every attribute of `shot`, that of the left one of two people."""
    character = shot.character
    return {
        "shirt": character.shirt,
        "pattern": character.pattern,
        "trousers": character.trousers,
        "hat": character.hat,
        "hat_colour": character.hat_colour,
        "hair": character.hair,
        "hair_length": "long" if character.long_hair else "short",
        "skin": character.skin,
        "place": shot.place,
        "action": shot.action,
        "framing": shot.framing,
    }


def visible_attributes(shot: ShotScript, picks: Sequence[int], index: int = 0) -> frozenset[str]:
    """Return the attributes that some of the frames `picks` show, of person `index` from the left.

    A look is visible where another look would be another picture: each attribute is swapped and
    drawn again. The label map of a frame tells figures apart, not trousers from shirts.
    """
    truth_FHW3 = draw_shot(shot, picks).frames_FHW3
    seen = set(STAGING)
    for name in APPEARANCE:
        changed_FHW = _changed(shot, truth_FHW3, name, picks, index)
        if changed_FHW is not None and changed_FHW.sum(axis=(1, 2)).max() >= MIN_PIXELS:
            seen.add(name)
    return frozenset(seen)


def colour_pixels(shot: ShotScript, picks: Sequence[int]) -> Iterator[tuple[NDArray[Any], float]]:
    """Yield where the colours of looks are, and how little tells each from another.

    Per person and coloured attribute: the pixels F H W (booleans) of the frames `picks`, and the
    squared distance (of 255, summed over channels) to the nearest other colour of its palette.
    """
    truth_FHW3 = draw_shot(shot, picks).frames_FHW3
    for index, character in enumerate(shot.characters):
        for name, palette in _PALETTES.items():
            changed_FHW = _changed(shot, truth_FHW3, name, picks, index)
            if changed_FHW is not None:
                here: str = getattr(character, name)
                others = [other for other in palette if other != here]
                yield changed_FHW, min(_distance(palette[here], palette[o]) for o in others)


def _changed(
    shot: ShotScript, truth_FHW3: NDArray[Any], name: str, picks: Sequence[int], index: int = 0
) -> NDArray[Any] | None:
    """Return which pixels F H W another value of one attribute of person `index` changes."""
    character = _otherwise(shot.characters[index], name)
    if character is None:
        return None
    people = (*shot.characters[:index], character, *shot.characters[index + 1 :])
    other = dataclasses.replace(shot, characters=people)
    change_FHW3 = draw_shot(other, picks).frames_FHW3.astype(np.int16) - truth_FHW3
    changed_FHW: NDArray[Any] = np.abs(change_FHW3).max(axis=3) > _MIN_CHANGE
    return changed_FHW


def _otherwise(character: Character, name: str) -> Character | None:
    """Return `character` with another value of one attribute, None where it has no meaning."""
    if name == "hat_colour" and character.hat == "none":
        return None
    if name == "hair_length":
        return dataclasses.replace(character, long_hair=not character.long_hair)
    now: str = getattr(character, name)
    others: dict[str, Any] = {}
    if name in _PALETTES:
        others[name] = _farthest(_PALETTES[name], now)
    elif name == "pattern":
        others[name] = "striped" if now == "plain" else "plain"
    else:
        others[name] = "tophat" if now == "none" else "none"
    return dataclasses.replace(character, **others)


def _farthest(palette: Mapping[str, Colour], name: str) -> str:
    """Return the colour of `palette` that differs most from the one called `name`."""
    here = palette[name]
    return max(
        palette,
        key=lambda other: sum(abs(a - b) for a, b in zip(palette[other], here, strict=True)),
    )


def _distance(colour: Colour, other: Colour) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(colour, other, strict=True)))
