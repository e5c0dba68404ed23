"""What can be read in a shot: its true attributes, and which of them its frames really show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

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


def visible_attributes(shot: ShotScript, picks: Sequence[int]) -> frozenset[str]:
    """Return the attributes that some of the frames `picks` show.

    A look is visible where another look would be another picture: each attribute is swapped and
    drawn again. The label map of a frame tells figures apart, not trousers from shirts.
    """
    truth_FHW3 = draw_shot(shot, picks).frames_FHW3.astype(np.int16)
    seen = set(STAGING)
    for name in APPEARANCE:
        character = _otherwise(shot.character, name)
        if character is None:
            continue
        other = dataclasses.replace(shot, characters=(character, *shot.characters[1:]))
        changed_FHW3 = np.abs(draw_shot(other, picks).frames_FHW3 - truth_FHW3)
        num_pixels = (changed_FHW3.max(axis=3) > _MIN_CHANGE).sum(axis=(1, 2))
        if num_pixels.max() >= MIN_PIXELS:
            seen.add(name)
    return frozenset(seen)


def _otherwise(character: Character, name: str) -> Character | None:
    """Return `character` with another value of one attribute, None where it has no meaning."""
    if name in ("shirt", "trousers", "hat_colour"):
        if name == "hat_colour" and character.hat == "none":
            return None
        return dataclasses.replace(
            character, **{name: _farthest(COLOURS, getattr(character, name))}
        )
    if name == "hair_length":
        return dataclasses.replace(character, long_hair=not character.long_hair)
    if name == "pattern":
        return dataclasses.replace(
            character, pattern="striped" if character.pattern == "plain" else "plain"
        )
    if name == "hat":
        return dataclasses.replace(character, hat="tophat" if character.hat == "none" else "none")
    palette = {"hair": HAIRS, "skin": SKINS}[name]
    return dataclasses.replace(character, **{name: _farthest(palette, getattr(character, name))})


def _farthest(palette: Mapping[str, Colour], name: str) -> str:
    """Return the colour of `palette` that differs most from the one called `name`."""
    here = palette[name]
    return max(
        palette,
        key=lambda other: sum(abs(a - b) for a, b in zip(palette[other], here, strict=True)),
    )
