"""Names in prompts, as far as capitals tell."""

from __future__ import annotations

import random

import pytest

from engine.evaluate.films import Past
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
    ("asked", "shown", "by_first", "by_all"),
    [
        (MIA, [MIA, MIA, LEO], [True, False, False], [True, True, False]),
        (MIA, [LEO, NOBODY, LEO], [False, True, False], [False, True, False]),
        (MIA | LEO, [MIA, MIA | LEO, LEO], [True, True, False], [True, True, True]),
        (MIA | LEO, [MIA | LEO, MIA, LEO], [True, False, False], [True, True, True]),
        (NOBODY, [MIA, LEO, NOBODY], [True, True, True], [True, True, True]),
        (MIA, [], [], []),
    ],
)
def test_a_person_looks_as_in_the_first_shot_that_names_them(
    asked: frozenset[str], shown: list[frozenset[str]], by_first: list[bool], by_all: list[bool]
) -> None:
    assert tell_looks(asked, shown, is_first_alone=True) == tuple(by_first)
    assert tell_looks(asked, shown, is_first_alone=False) == tuple(by_all)


@pytest.mark.parametrize("is_first_alone", [True, False])
def test_the_tables_read_the_past_as_the_studio_does(is_first_alone: bool) -> None:  # noqa: FBT001
    rng = random.Random(0)
    people = [NOBODY, MIA, LEO, MIA | LEO]
    for _ in range(200):
        shown, asked = rng.choices(people, k=6), rng.choice(people[1:])
        rules = Past(names=tuple(shown)).rules(asked, is_first_alone=is_first_alone)
        told = [not (index in rules and rules[index].is_unprompted) for index in range(6)]
        assert tuple(told) == tell_looks(asked, shown, is_first_alone=is_first_alone)
