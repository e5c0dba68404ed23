"""A story: shots with exact captions, in which only memory knows what a person looks like."""

import random
from dataclasses import dataclass
from typing import Final

from engine.train.world import captions, vocabulary
from engine.train.world.characters import Character, cast
from engine.train.world.places import Place, find_places
from engine.train.world.script import PropSet, ShotScript

VALIDATION_SEEDS: Final = range(900_000, 1_000_000)
TEST_SEEDS: Final = range(1_000_000, 2_000_000)
TRAINING_SEEDS: Final = range(900_000)
RESERVED_FROM: Final = 1_000_000_000
"""Seeds from here on are kept back and refused."""


@dataclass(frozen=True, kw_only=True)
class WorldDials:
    """What stories contain. The defaults are the simple diet; every dial is for measuring."""

    num_frames: int = 17
    """Pixel frames of every shot, 1 + 4k up to 41, at 8 frames a second."""
    min_shots: int = 2
    """Fewest shots of a story."""
    max_shots: int = 8
    """Most shots of a story."""
    two_people: float = 0.0
    """Probability that both characters act in the same shot. 0 = one person per shot."""
    max_count: int = 0
    """Most identical props in a shot, up to 5. 0 = no props."""
    diagonal: float = 0.0
    """Probability that the props of a shot fly away diagonally."""
    text: float = 0.3
    """Probability that a place has a sign."""
    weather: float = 0.0
    """Probability of falling rain or snow in a shot."""
    revisit_after: int = 0
    """Shots spent elsewhere before the first place returns. 0 = places come at random."""

    def __post_init__(self) -> None:
        if self.num_frames % 4 != 1 or not 1 <= self.num_frames <= 41:
            raise ValueError(
                f"Shots of {self.num_frames} frames. Lengths are 1 + 4k, from 1 to 41."
            )
        if not 1 <= self.min_shots <= self.max_shots:
            raise ValueError(
                f"{self.min_shots} to {self.max_shots} shots. Expected 1 <= min <= max."
            )
        if not 0 <= self.max_count <= max(vocabulary.NUMBERS):
            raise ValueError(
                f"Up to {self.max_count} props. Expected 0 to {max(vocabulary.NUMBERS)}."
            )
        for name in ("two_people", "diagonal", "text", "weather"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}. A probability lies in 0..1.")


@dataclass(frozen=True)
class Story:
    """One story: its shots in order. Equal seeds and dials give equal stories."""

    seed: int
    shots: tuple[ShotScript, ...]


SIMPLE: Final = WorldDials()


def tell(seed: int, dials: WorldDials = SIMPLE) -> Story:
    """Return the story of `seed`. Raises ValueError for a reserved seed."""
    if not 0 <= seed < RESERVED_FROM:
        raise ValueError(f"Seed {seed} is reserved. Use 0 to {RESERVED_FROM - 1}.")
    rng = random.Random(seed)
    num_shots = rng.randint(dials.min_shots, dials.max_shots)
    characters = cast(rng, 2 if rng.random() < 0.65 or dials.two_people > 0 else 1)
    num_places = min(rng.choice((1, 2, 2, 3)), num_shots)
    if dials.revisit_after:
        num_places = max(num_places, 2)
    places = find_places(rng, num_places, dials.text)
    actors = _choose_actors(rng, characters, num_shots)
    route = _choose_route(rng, places, num_shots, dials.revisit_after)
    shots: list[ShotScript] = []
    for actor, place in zip(actors, route, strict=True):
        acting = characters if rng.random() < dials.two_people else (actor,)
        shots.append(_film(rng, shots, acting, place, dials))
    return Story(seed, tuple(shots))


def _choose_actors(
    rng: random.Random, characters: tuple[Character, ...], num_shots: int
) -> list[Character]:
    if len(characters) == 1:
        return [characters[0]] * num_shots
    if rng.random() < 0.5:
        return [characters[index % 2] for index in range(num_shots)]  # forces the name to bind
    return [characters[0]] + [rng.choice(characters) for _ in range(num_shots - 1)]


def _choose_route(
    rng: random.Random, places: tuple[Place, ...], num_shots: int, revisit_after: int
) -> list[Place]:
    if revisit_after:
        away = [rng.choice(places[1:]) for _ in range(num_shots)]
        return [
            places[0] if index % (revisit_after + 1) == 0 else away[index]
            for index in range(num_shots)
        ]
    return [places[0]] + [rng.choice(places) for _ in range(num_shots - 1)]


def _film(
    rng: random.Random,
    past: list[ShotScript],
    acting: tuple[Character, ...],
    place: Place,
    dials: WorldDials,
) -> ShotScript:
    names = {character.name for character in acting}
    met = {character.name for shot in past for character in shot.characters}
    same_person = [i for i, shot in enumerate(past) if names & {c.name for c in shot.characters}]
    same_place = [i for i, shot in enumerate(past) if shot.scene == place]
    shot = ShotScript(
        caption="",
        num_frames=dials.num_frames,
        characters=acting,
        scene=place,
        action=rng.choice(vocabulary.ACTIONS),
        framing=rng.choice(vocabulary.FRAMINGS if len(acting) == 1 else ("wide", "medium")),
        camera=rng.choice(vocabulary.CAMERAS),
        described=tuple(c for c in acting if c.name not in met),
        is_new_place=not same_place,
        same_person=tuple(same_person),
        same_place=tuple(same_place),
        props=_choose_props(rng, dials),
        weather=_choose_weather(rng, dials),
        stage_x=rng.uniform(74, 86),
    )
    return captions.with_caption(shot, rng)


def _choose_props(rng: random.Random, dials: WorldDials) -> PropSet | None:
    if dials.max_count == 0:
        return None
    return PropSet(
        kind=rng.choice(vocabulary.PROPS),
        colour=rng.choice(tuple(vocabulary.COLOURS)),
        count=rng.randint(1, dials.max_count),
        is_flying=rng.random() < dials.diagonal,
    )


def _choose_weather(rng: random.Random, dials: WorldDials) -> str:
    if rng.random() >= dials.weather:
        return "clear"
    return rng.choice(("rain", "snow"))
