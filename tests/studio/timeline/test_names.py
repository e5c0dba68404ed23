"""Names in prompts, as far as capitals tell."""

from __future__ import annotations

import pytest

from engine.train.world.story import WorldDials, tell
from studio.timeline.names import names_in


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
