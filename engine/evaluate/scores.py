"""Numbers with their uncertainty: means whose 95 % interval comes from resampling whole stories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 2000
_SEED = 0


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
    by_story: dict[int, list[float]] = defaultdict(list)
    for story, value in values:
        by_story[story].append(value)
    if not by_story:
        return None
    sums = np.array([sum(group) for group in by_story.values()])
    counts = np.array([len(group) for group in by_story.values()])
    rng = np.random.default_rng(_SEED)
    draws = rng.integers(len(sums), size=(NUM_RESAMPLES, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Score(
        mean=float(sums.sum() / counts.sum()),
        low=float(low),
        high=float(high),
        num_values=int(counts.sum()),
        num_stories=len(sums),
    )
