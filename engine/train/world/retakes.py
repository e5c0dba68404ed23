"""Retakes: later shots of a story in which somebody looks wrong, as a film's own takes may."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, Final

from engine.train.world import vocabulary
from engine.train.world.attributes import visible_attributes
from engine.train.world.characters import Character
from engine.train.world.script import ShotScript
from engine.train.world.story import Story

MISTAKES: Final = {"skin": 0.5} | dict.fromkeys(
    ("shirt", "pattern", "trousers", "hat", "hat_colour", "hair", "hair_length"), 0.35
)
"""How often each attribute goes wrong. Skin goes wrong most in films (docs/decisions/0014)."""
_VALUES: Final = {
    "skin": tuple(vocabulary.SKINS),
    "hair": tuple(vocabulary.HAIRS),
    "shirt": tuple(vocabulary.COLOURS),
    "pattern": vocabulary.PATTERNS,
    "trousers": tuple(vocabulary.COLOURS),
    "hat": vocabulary.HATS,
    "hat_colour": tuple(vocabulary.COLOURS),
}


def retaken(story: Story) -> Story:
    """Return `story` with every later shot of a person drawn as if their look was misremembered.

    Only what the first shot of them shows goes wrong; what it hides can be known from later shots
    alone, so there they stay right. Equal stories give equal retakes.
    """
    rng = random.Random(story.seed ^ 0x2E7A)
    wrong: dict[str, Character] = {}
    shots: list[ShotScript] = []
    for shot in story.shots:
        people = tuple(wrong.get(person.name, person) for person in shot.characters)
        shots.append(replace(shot, characters=people))
        picks = range(0, shot.num_frames, 4)
        for index, person in enumerate(shot.characters):
            if person.name not in wrong:
                shown = visible_attributes(shot, picks, index)
                wrong[person.name] = mistaken(person, shown, rng)
    return Story(story.seed, tuple(shots))


def mistaken(character: Character, shown: frozenset[str], rng: random.Random) -> Character:
    """Return `character` with some of the attributes in `shown` another."""
    changed = character
    for name, share in MISTAKES.items():
        if name not in shown or rng.random() >= share:
            continue
        if name == "hair_length":
            changed = replace(changed, long_hair=not character.long_hair)
            continue
        taken = {getattr(character, name)}
        if name in ("shirt", "trousers"):  # alike, they would hide where one ends
            taken |= {changed.shirt, changed.trousers}
        others: dict[str, Any] = {name: rng.choice([v for v in _VALUES[name] if v not in taken])}
        changed = replace(changed, **others)
    return changed
