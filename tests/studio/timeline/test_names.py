"""Names in prompts, as far as capitals tell."""

from __future__ import annotations

import random

import pytest

from engine.evaluate.films import Past
from engine.specs import LATER_SHARE
from engine.train.world.story import WorldDials, tell
from studio.timeline.names import names_in, tell_looks


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Mia walks left in the park, wide view.", {"Mia"}),
        ("In the room, Mia and Bob wave. A sign says SUN.", {"Mia", "Bob"}),
        ("Close view: Zoë's hat", {"Zoë"}),
        ("she opens the door", set()),
        ("THE END", set()),
        ("Night. The camera pans. It rains.", set()),
        ("O'Brien and D\u2019Arcy", set()),
        ("<img onerror=alert(1)>", set()),
    ],
)
def test_names_are_capitalised_words_that_do_not_open_sentences(
    prompt: str, names: set[str]
) -> None:
    assert names_in(prompt) == names


def test_the_people_of_the_drawn_world_and_nobody_else_are_found_in_its_captions() -> None:
    full = WorldDials(two_people=0.4, max_count=5, weather=0.3, text=0.5)
    for seed in range(60):
        for shot in tell(seed, full).shots:
            people = {character.name.capitalize() for character in shot.characters}
            assert names_in(shot.caption) == people, shot.caption


MIA, LEO = frozenset({"Mia"}), frozenset({"Leo"})
NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("asked", "shown", "told"),
    [
        (MIA, [MIA, MIA, LEO], [1, 0.3, 0]),
        (MIA, [LEO, NOBODY, LEO], [0, 1, 0]),
        (MIA | LEO, [MIA, MIA | LEO, LEO], [1, 1, 0.3]),
        (MIA | LEO, [MIA | LEO, MIA, LEO], [1, 0.3, 0.3]),
        (NOBODY, [MIA, LEO, NOBODY], [1, 1, 1]),
        (MIA, [], []),
    ],
)
def test_a_person_looks_as_in_the_first_shot_that_names_them(
    asked: frozenset[str], shown: list[frozenset[str]], told: list[float]
) -> None:
    assert tell_looks(asked, shown, later=0.3) == tuple(told)


def test_the_tables_read_the_past_as_the_studio_does() -> None:
    rng = random.Random(0)
    people = [NOBODY, MIA, LEO, MIA | LEO]
    for _ in range(200):
        shown, asked = rng.choices(people, k=6), rng.choice(people[1:])
        rules = Past(names=tuple(shown)).rules(asked, later=LATER_SHARE)
        told = [rules[index].prompt_share if index in rules else 1.0 for index in range(6)]
        assert tuple(told) == tell_looks(asked, shown, later=LATER_SHARE)
