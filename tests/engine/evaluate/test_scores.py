"""Means carry an interval that knows how many stories there were."""

from __future__ import annotations

import pytest

from engine.evaluate.scores import ratio, score


def test_the_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    values = [(story, float(story % 3 == 0)) for story in range(30)]
    result = score(values)
    assert result is not None
    assert result == score(values)
    assert result.mean == pytest.approx(1 / 3)
    assert result.low < result.mean < result.high
    assert (result.num_values, result.num_stories) == (30, 30)


def test_shots_of_one_story_do_not_make_it_more_certain() -> None:
    few = [(story, float(story % 2)) for story in range(10)]
    many = [value for value in few for _ in range(20)]
    once, repeated = score(few), score(many)
    assert once is not None and repeated is not None
    assert (once.low, once.high) == (repeated.low, repeated.high)


def test_more_stories_make_it_more_certain() -> None:
    few = score((story, float(story % 2)) for story in range(10))
    many = score((story, float(story % 2)) for story in range(1000))
    assert few is not None and many is not None
    assert many.high - many.low < 0.2 * (few.high - few.low)


def test_nothing_measured_is_not_zero() -> None:
    assert score([]) is None


def test_a_score_is_written_with_its_interval() -> None:
    result = score([(0, 1.0), (1, 1.0)])
    assert result is not None
    assert result.text() == "1.00 [1.00, 1.00]"


def test_a_ratio_is_of_means_and_its_interval_holds_it() -> None:
    later = [(story, 0.5) for story in range(8)]
    first = [(story, float(story % 2)) for story in range(8)]
    result = ratio(later, first)
    assert result is not None
    assert result.mean == pytest.approx(1.0)
    assert result.low < 1.0 < result.high
    assert ratio(later, [(0, 0.0)]) is None
    assert ratio([], first) is None
