"""Who acts: a character's name and look, and how the two are drawn at random without confusion."""

import random
from dataclasses import dataclass

from engine.train.world import vocabulary


@dataclass(frozen=True, kw_only=True)
class Character:
    """A named person whose look never changes within a story. All fields are vocabulary words."""

    name: str
    """Lower case, one of NAMES."""
    skin: str
    """One of SKINS."""
    hair: str
    """Hair colour, one of HAIRS."""
    long_hair: bool
    """Whether the hair falls to the shoulders."""
    shirt: str
    """Shirt colour, one of COLOURS."""
    pattern: str
    """Shirt pattern, one of PATTERNS. Its second colour follows from the shirt's colour."""
    trousers: str
    """Colour of the trousers, never the shirt's."""
    hat: str
    """One of HATS; "none" for a bare head."""
    hat_colour: str
    """Colour of the hat; meaningless without one."""

    @property
    def hat_words(self) -> str:
        """The hat as a caption says it."""
        return "no hat" if self.hat == "none" else f"{with_article(self.hat_colour)} {self.hat}"


def with_article(word: str) -> str:
    """Return `word` behind "a" or "an"."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def cast(rng: random.Random, num_characters: int) -> tuple[Character, ...]:
    """Return characters that differ in name, shirt colour and kind of hat, so none is confused."""
    names = rng.sample(vocabulary.NAMES, num_characters)
    colours = tuple(vocabulary.COLOURS)
    shirts = rng.sample(colours, num_characters)
    hats = rng.sample(vocabulary.HATS, num_characters)
    characters = []
    for name, shirt, hat in zip(names, shirts, hats, strict=True):
        characters.append(
            Character(
                name=name,
                skin=rng.choice(tuple(vocabulary.SKINS)),
                hair=rng.choice(tuple(vocabulary.HAIRS)),
                long_hair=rng.random() < 0.5,
                shirt=shirt,
                pattern=rng.choice(vocabulary.PATTERNS),
                trousers=rng.choice([colour for colour in colours if colour != shirt]),
                hat=hat,
                hat_colour=rng.choice(colours),
            )
        )
    return tuple(characters)
