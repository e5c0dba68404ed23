"""Storyboards read back as they were written, whatever the prompts contain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.timeline import storyboard
from studio.timeline.storyboard import Beat, Storyboard, StoryboardError

RATE = (8, 1)
TEXTS = st.one_of(
    st.text(min_size=1, max_size=30).filter(
        lambda t: t.strip() and not any(0xD800 <= ord(c) < 0xE000 for c in t)
    ),
    st.sampled_from(
        ['<img src=x onerror="alert(1)">', "שלום & <b>\u202e", '"quotes" \\ \n two lines']
    ),
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**53 - 1),
        "num_steps": st.integers(1, 50),
        "strength": st.integers(0, 40).map(lambda n: n / 8),
        "memory_system": st.sampled_from(["frame_preservation", "none"]),
    },
)


@st.composite
def boards(draw: st.DrawFn) -> Storyboard:
    beats, frame = [], draw(st.integers(0, 100))
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.one_of(st.none(), st.integers(1, 300)))
        title = draw(st.one_of(st.none(), st.text(max_size=5)))
        beats.append(
            Beat(frame=frame, text=draw(TEXTS), num_frames=length, title=title, params=draw(PARAMS))
        )
        frame += draw(st.integers(1, 400))
    return Storyboard(beats=tuple(beats), name=draw(st.text(max_size=8)))


@given(boards(), st.sampled_from([(8, 1), (24, 1), (30000, 1001)]))
def test_json_carries_every_storyboard(board: Storyboard, rate: tuple[int, int]) -> None:
    assert storyboard.parse(storyboard.write(board, rate), rate) == board


@given(boards())
def test_text_reads_back_the_same_or_is_refused(board: Storyboard) -> None:
    try:
        text = storyboard.write(board, RATE, form="text")
    except StoryboardError as error:
        assert "JSON" in str(error)
    else:
        assert storyboard.parse(text, RATE).beats == board.beats


def test_plain_beats_are_carried_by_text() -> None:
    beats = (Beat(frame=0, text="a ball"), Beat(frame=16, text='<img> it\'s "round"', num_frames=9))
    assert (
        storyboard.parse(storyboard.write(Storyboard(beats=beats), RATE, form="text"), RATE).beats
        == beats
    )


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_and_no_line_is_lost(text: str) -> None:
    try:
        board = storyboard.parse(text, RATE)
    except StoryboardError:
        return
    lines = [
        n
        for n in text.removeprefix("\ufeff").split("\n")
        if n.strip() and not n.strip().startswith("#")
    ]
    if not text.removeprefix("\ufeff").lstrip().startswith("{"):
        assert len(board.beats) + len(board.problems) == len(lines)


@pytest.mark.parametrize(
    ("line", "frame", "num_frames"),
    [
        ("00:00:12:00 she opens the door", 96, None),
        ("[00:00:05] she opens the door", 40, None),
        ("0:05-0:09 she opens the door", 40, 32),
        ("[0s-2s: she opens the door]", 0, 16),
        ("[1.5s: she opens the door]", 12, None),
        ("00:00:01:00 --> 00:00:02:00 she opens the door", 8, 8),
    ],
)
def test_the_forms_of_a_line(line: str, frame: int, num_frames: int | None) -> None:
    (beat,) = storyboard.parse(line, RATE).beats
    assert (beat.frame, beat.num_frames, beat.text) == (frame, num_frames, "she opens the door")


def test_unknown_lines_are_shown_with_their_number() -> None:
    board = storyboard.parse(
        "# My film\n0:00 a\nno time here\n0:00 too early\n0:09-0:05 back\n", RATE
    )
    assert board.name == "My film"
    assert [p.line for p in board.problems] == [3, 4, 5]
    assert board.problems[0].text == "no time here"
    assert "not after" in board.problems[1].message
    assert "not after its start" in board.problems[2].message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "# only a comment",
        "{",
        '{"shots": []}',
        '{"version": 9, "shots": [1]}',
        "{" * 100_000,
    ],
)
def test_a_storyboard_with_nothing_in_it_says_what_to_do(text: str) -> None:
    with pytest.raises(StoryboardError):
        storyboard.parse(text, RATE)


def test_json_shots_may_name_seconds_durations_and_follow_each_other() -> None:
    text = """{"version": 1, "name": "n", "rate": 24, "shots": [
        {"seconds": 1.5, "duration": 2, "prompt": "a"}, {"prompt": "b", "duration": "00:00:01:12"},
        {"at": "00:00:05:12", "prompt": "c", "seed": 3}, {"at": "x", "prompt": "d"},
        {"prompt": ""}, 7]}"""
    board = storyboard.parse(text, RATE)
    assert [(b.frame, b.num_frames) for b in board.beats] == [(12, 16), (28, 12), (44, None)]
    assert board.beats[2].params == {"seed": 3}
    assert [p.line for p in board.problems] == [4, 5, 6]
