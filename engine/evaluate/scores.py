"""Numbers with their uncertainty: means whose 95 % interval comes from resampling whole stories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NUM_RESAMPLES = 2000
_SEED = 0
_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    num_values: int
    num_stories: int

    def text(self, digits: int = 2) -> str:
        """Return the score as a cell of a table."""
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def score(values: Iterable[tuple[int, float]]) -> Score | None:
    """Return the mean of `values`, pairs of (story, value); None where there are none.

    Shots of one story share their people and places, so stories are drawn again, not shots. The
    interval is the 2.5th and 97.5th percentile of 2,000 such draws with a fixed seed.
    """
    sums, counts = _by_story(values)
    if not len(sums):
        return None
    draws = _draws(len(sums))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    return _summed(float(sums.sum() / counts.sum()), means, counts)


def ratio(later: Iterable[tuple[int, float]], first: Iterable[tuple[int, float]]) -> Score | None:
    """Return mean(`later`) / mean(`first`), stories drawn again for both together.

    None where one of them is empty or the first mean is zero.
    """
    pairs = [list(later), list(first)]
    stories = sorted({story for values in pairs for story, _ in values})
    (top, top_counts), (bottom, bottom_counts) = (_by_story(values, stories) for values in pairs)
    if not top_counts.sum() or not bottom.sum():
        return None
    draws = _draws(len(stories))
    with np.errstate(divide="ignore", invalid="ignore"):
        above = top[draws].sum(axis=1) / top_counts[draws].sum(axis=1)
        below = bottom[draws].sum(axis=1) / bottom_counts[draws].sum(axis=1)
        drawn = above / below
    mean = (top.sum() / top_counts.sum()) / (bottom.sum() / bottom_counts.sum())
    return _summed(float(mean), drawn[np.isfinite(drawn)], top_counts)


def _by_story(
    values: Iterable[tuple[int, float]], stories: Sequence[int] = ()
) -> tuple[_Numbers, _Numbers]:
    groups: dict[int, list[float]] = {story: [] for story in stories}
    for story, value in values:
        groups.setdefault(story, []).append(value)
    return (
        np.array([sum(group) for group in groups.values()], dtype=np.float64),
        np.array([len(group) for group in groups.values()], dtype=np.float64),
    )


def _draws(num_stories: int) -> npt.NDArray[np.int64]:
    rng = np.random.default_rng(_SEED)
    return rng.integers(num_stories, size=(NUM_RESAMPLES, num_stories))


def _summed(mean: float, drawn: _Numbers, counts: _Numbers) -> Score:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Score(
        mean=mean,
        low=float(low),
        high=float(high),
        num_values=int(counts.sum()),
        num_stories=int((counts > 0).sum()),
    )
