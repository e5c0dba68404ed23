"""Laws of timecode: writing and reading are inverses at every rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.timeline import timecode
from studio.timeline.timecode import Rate, TimecodeError

RATES = st.sampled_from([(8, 1), (10, 1), (24, 1), (25, 1), (30, 1), (24000, 1001), (60000, 1001)])
DROP_RATES = st.sampled_from([(30000, 1001), (60000, 1001)])
FRAMES = st.integers(0, 24 * 3600 * 60)


@given(FRAMES, RATES)
def test_a_written_frame_reads_back_as_itself(frame: int, rate: Rate) -> None:
    assert timecode.parse(timecode.format(frame, rate), rate) == frame


@given(FRAMES, DROP_RATES)
def test_drop_frame_numbers_read_back_as_themselves(frame: int, rate: Rate) -> None:
    text = timecode.format(frame, rate, drop=True)
    assert ";" in text
    assert timecode.parse(text, rate) == frame


def test_drop_frame_follows_the_wall_clock_for_an_hour() -> None:
    an_hour = round(3600 * 30000 / 1001)
    assert timecode.format(an_hour, (30000, 1001), drop=True) == "01:00:00;00"


@given(FRAMES, RATES, st.integers(-500, 500))
def test_a_step_counts_from_the_playhead(origin: int, rate: Rate, step: int) -> None:
    text = f"{step:+d}"
    if origin + step < 0:
        with pytest.raises(TimecodeError, match="before the start"):
            timecode.parse(text, rate, origin=origin)
    else:
        assert timecode.parse(text, rate, origin=origin) == origin + step


@pytest.mark.parametrize(
    ("text", "frame"),
    [("12", 96), ("1:05", 65 * 8), ("00:00:02:03", 19), ("0:00:12", 96), ("1.5s", 12), ("0s", 0)],
)
def test_the_forms_an_editor_types(text: str, frame: int) -> None:
    assert timecode.parse(text, (8, 1)) == frame


@pytest.mark.parametrize(
    "text", ["", "abc", "1:2:3:4:5", "0:75", "00:00:00:08", "-1:00", "1;05", "\uff19"]
)
def test_what_is_not_a_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(TimecodeError, match=r"Expected|before|not|A second"):
        timecode.parse(text, (8, 1))


def test_drop_frame_at_a_rate_without_it_is_refused() -> None:
    with pytest.raises(TimecodeError, match="Drop-frame at 24/1"):
        timecode.format(10, (24, 1), drop=True)
    with pytest.raises(TimecodeError, match="does not exist"):
        timecode.parse("00:01:00;00", (30000, 1001))
