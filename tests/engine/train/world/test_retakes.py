"""Retakes: what goes wrong in them, and what must not."""

from __future__ import annotations

import random
from dataclasses import replace

from engine.train.world.attributes import APPEARANCE, visible_attributes
from engine.train.world.retakes import MISTAKES, mistaken, retaken
from engine.train.world.story import Story, WorldDials, tell

DIALS = WorldDials(num_frames=9, min_shots=4, max_shots=6, two_people=0.3)


def without_looks(story: Story) -> list[object]:
    return [replace(shot, characters=()) for shot in story.shots]


def test_only_looks_of_later_shots_go_wrong_and_only_what_the_first_shows() -> None:
    num_wrong = 0
    for seed in range(6):
        story = tell(seed, DIALS)
        again = retaken(story)
        assert again == retaken(story)
        assert without_looks(again) == without_looks(story)
        shown: dict[str, frozenset[str]] = {}
        for shot, other in zip(story.shots, again.shots, strict=True):
            picks = range(0, shot.num_frames, 4)
            for index, (person, wrong) in enumerate(
                zip(shot.characters, other.characters, strict=True)
            ):
                if person.name not in shown:
                    assert wrong == person, "the first shot of somebody is right"
                    shown[person.name] = visible_attributes(shot, picks, index)
                differ = {
                    "hair_length" if name == "long_hair" else name
                    for name in vars(person)
                    if getattr(person, name) != getattr(wrong, name)
                }
                assert differ <= shown[person.name]
                num_wrong += bool(differ)
    assert num_wrong > 8


def test_every_look_goes_wrong_about_as_often_as_said() -> None:
    rng = random.Random(0)
    character = tell(0).shots[0].character
    counts = dict.fromkeys(MISTAKES, 0)
    for _ in range(600):
        wrong = mistaken(character, frozenset(APPEARANCE), rng)
        assert wrong.name == character.name and wrong.shirt != wrong.trousers
        for name in counts:
            field = "long_hair" if name == "hair_length" else name
            counts[name] += getattr(wrong, field) != getattr(character, field)
    for name, share in MISTAKES.items():
        assert abs(counts[name] / 600 - share) < 0.06, name
    assert mistaken(character, frozenset(), rng) == character
