"""Plans: lengths are legal, nothing asked for is lost, unknown words are named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from studio.timeline.plan import EngineFacts, legal_length, legal_lengths, plan, unknown_words
from studio.timeline.storyboard import Beat, Storyboard, parse

FACTS = EngineFacts(
    frame_multiple=4,
    max_frames=33,
    default_frames=17,
    rate=(8, 1),
    tokens_per_shot=100,
    seconds_per_shot=2.0,
    words=frozenset(["a", "red", "ball", "rolls", "the", "door", "isn't"]),
)

VECTORS = Path(__file__).parents[2] / "js" / "words.json"


@st.composite
def facts(draw: st.DrawFn) -> EngineFacts:
    multiple = draw(st.sampled_from([1, 4, 8]))
    largest = draw(st.integers(1 + 2 * multiple, 200))
    return EngineFacts(
        frame_multiple=multiple,
        max_frames=largest,
        default_frames=1 + multiple,
        rate=(8, 1),
        tokens_per_shot=1,
        seconds_per_shot=0.0,
    )


@given(st.integers(1, 3000), facts())
def test_pieces_are_legal_nearly_equal_and_close_to_what_was_asked(
    asked: int, given_facts: EngineFacts
) -> None:
    lengths = legal_lengths(asked, given_facts)
    multiple = given_facts.frame_multiple
    assert all(
        (n - 1) % multiple == 0 and 1 + multiple <= n <= given_facts.max_frames for n in lengths
    )
    assert max(lengths) - min(lengths) <= multiple
    if asked > multiple:
        assert abs(sum(lengths) - asked) <= max(1, multiple // 2 + multiple % 2)


@given(st.integers(1, 33))
def test_no_other_legal_length_is_nearer(asked: int) -> None:
    chosen = legal_length(asked, FACTS)
    assert all(abs(chosen - asked) <= abs(n - asked) for n in range(5, 34, 4))


def test_a_long_beat_becomes_several_shots_with_letters() -> None:
    made = plan(parse("0:00-0:10 a red ball\n0:10 the door", FACTS.rate), FACTS)
    assert [s.title for s in made.shots] == ["1a", "1b", "1c", "2"]
    assert [s.start for s in made.shots] == [0, 29, 54, 79]
    assert made.total_frames == sum(s.num_frames for s in made.shots)
    assert made.shots[0].memory_tokens == 0
    assert made.shots[1].memory_tokens == round(100 * 29 / 17)
    assert made.total_seconds == sum(2.0 * s.num_frames / 17 for s in made.shots)
    assert "80 frames asked for, 79 planned" in made.warnings[0]


def test_words_the_model_does_not_know_are_named_once() -> None:
    made = plan(parse("0:00 A Red dragon, a red DRAGON isn't <b>", FACTS.rate), FACTS)
    assert made.shots[0].unknown_words == ("dragon", "b")
    assert any("dragon, b" in w for w in made.warnings)
    assert unknown_words("anything", frozenset()) == ()


def test_unknown_words_are_the_same_here_as_on_the_page() -> None:
    vectors = json.loads(VECTORS.read_text("utf-8"))
    for vector in vectors:
        words = frozenset(vector["words"])
        assert unknown_words(vector["text"], words) == tuple(vector["unknown"]), vector["text"]


def test_gaps_overlaps_and_a_late_start_are_said() -> None:
    beats = (
        Beat(frame=8, text="a", num_frames=17),
        Beat(frame=20, text="a", num_frames=17),
        Beat(frame=60, text="a", num_frames=17),
    )
    made = plan(Storyboard(beats=beats), FACTS)
    assert len(made.warnings) == 3
    assert "starts at zero" in made.warnings[0]


def test_a_plan_that_outgrows_the_budget_says_from_which_shot_on() -> None:
    board = parse("0:00 a ball\n0:01 a box\n0:02 a ball", (8, 1))
    facts = replace(FACTS, memory_budget=FACTS.tokens_per_shot)
    warned = [w for w in plan(board, facts).warnings if "budget" in w]
    assert len(warned) == 1
    assert warned[0].startswith("From Shot 3")
    assert not any("budget" in w for w in plan(board, FACTS).warnings)
