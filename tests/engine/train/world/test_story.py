"""Stories are deterministic, say nothing twice, and know what they rely on."""

from itertools import pairwise
from typing import Any

import pytest

from engine.train.world import vocabulary
from engine.train.world.story import TEST_SEEDS, TRAINING_SEEDS, VALIDATION_SEEDS, WorldDials, tell

EVERYTHING = WorldDials(
    two_people=0.4, max_count=5, diagonal=0.5, text=1.0, weather=0.5, min_shots=4, max_shots=8
)
SEEDS = range(1_000_000, 1_000_150)


def test_a_seed_always_tells_the_same_story() -> None:
    assert tell(1_000_003) == tell(1_000_003)
    assert tell(1_000_003) != tell(1_000_004)


def test_captions_use_only_words_of_the_vocabulary() -> None:
    for seed in SEEDS:
        for shot in (*tell(seed).shots, *tell(seed, EVERYTHING).shots):
            assert vocabulary.unknown_words(shot.caption) == ()


def test_every_word_of_the_vocabulary_appears_in_some_caption() -> None:
    said: set[str] = set()
    for seed in range(1_000_000, 1_000_600):
        for shot in tell(seed, EVERYTHING).shots:
            said.update(vocabulary.words_of(shot.caption))
    assert set(vocabulary.WORDS) - said == set()


def test_unknown_words_are_named_once_and_in_order() -> None:
    assert vocabulary.unknown_words("Zoe juggles; a DRAGON juggles.") == ("juggles", "dragon")


def test_a_look_is_described_in_the_first_shot_of_a_character_and_never_again() -> None:
    for seed in SEEDS:
        met: set[str] = set()
        for shot in tell(seed, EVERYTHING).shots:
            new = {c.name for c in shot.characters} - met
            assert {c.name for c in shot.described} == new
            assert shot.first_mention == bool(new)
            assert ("trousers" in shot.caption) == bool(new)
            met |= new


def test_a_first_caption_tells_every_visible_attribute() -> None:
    for seed in SEEDS:
        shot = tell(seed).shots[0]
        person, words = shot.character, vocabulary.words_of(shot.caption)
        for attribute in ("name", "skin", "hair", "shirt", "pattern", "trousers"):
            assert getattr(person, attribute) in words
        assert ("long" if person.long_hair else "short") in words
        if person.hat == "none":
            assert "no hat" in shot.caption
        else:
            assert f"{person.hat_colour} {person.hat}" in shot.caption
        for attribute in ("action", "framing"):
            assert set(getattr(shot, attribute).split()) <= set(words)


def test_a_place_is_described_only_when_the_story_first_comes_there() -> None:
    for seed in SEEDS:
        seen = set()
        for shot in tell(seed, EVERYTHING).shots:
            assert shot.is_new_place == (shot.scene not in seen)
            assert ("says" in shot.caption) == shot.is_new_place
            seen.add(shot.scene)


def test_the_relevant_past_is_every_earlier_shot_with_this_person_or_place() -> None:
    for seed in SEEDS:
        shots = tell(seed, EVERYTHING).shots
        for index, shot in enumerate(shots):
            names = {c.name for c in shot.characters}
            person = [i for i in range(index) if names & {c.name for c in shots[i].characters}]
            place = [i for i in range(index) if shots[i].place == shot.place]
            assert list(shot.same_person) == person
            assert list(shot.same_place) == place
            assert list(shot.relevant_past) == sorted({*person, *place})


def test_a_character_keeps_its_look_and_differs_from_the_other() -> None:
    for seed in SEEDS:
        people = {c.name: c for shot in tell(seed).shots for c in shot.characters}
        for shot in tell(seed).shots:
            assert all(people[c.name] == c for c in shot.characters)
        assert len({c.shirt for c in people.values()}) == len(people)
        assert all(c.trousers != c.shirt for c in people.values())


def test_a_third_of_the_stories_alternates_between_two_people() -> None:
    stories = [tell(seed).shots for seed in SEEDS]
    alternating = [
        shots
        for shots in stories
        if len({s.character.name for s in shots}) == 2
        and all(a.character != b.character for a, b in pairwise(shots))
    ]
    assert len(alternating) > len(stories) / 4


def test_a_place_returns_after_as_many_shots_as_the_dial_says() -> None:
    shots = tell(1_000_001, WorldDials(min_shots=7, max_shots=7, revisit_after=2)).shots
    home = shots[0].place
    assert [i for i, shot in enumerate(shots) if shot.place == home] == [0, 3, 6]


def test_the_length_of_shots_changes_nothing_else_in_a_story() -> None:
    short, long = tell(5, WorldDials(num_frames=9)), tell(5, WorldDials(num_frames=41))
    assert [s.caption for s in short.shots] == [s.caption for s in long.shots]


def test_seeds_of_training_validation_and_test_do_not_meet() -> None:
    assert TRAINING_SEEDS.stop <= VALIDATION_SEEDS.start
    assert VALIDATION_SEEDS.stop <= TEST_SEEDS.start


@pytest.mark.parametrize("seed", [-1, 1_000_000_000])
def test_a_reserved_seed_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="reserved"):
        tell(seed)


@pytest.mark.parametrize("num_frames", [8, 45, -3])
def test_a_length_that_is_not_one_plus_four_k_is_refused(num_frames: int) -> None:
    with pytest.raises(ValueError, match="1 \\+ 4k"):
        WorldDials(num_frames=num_frames)


@pytest.mark.parametrize("dial", ["two_people", "text", "weather", "diagonal"])
def test_a_dial_outside_its_range_is_refused(dial: str) -> None:
    dials: dict[str, Any] = {dial: 1.5}
    with pytest.raises(ValueError, match=dial):
        WorldDials(**dials)
