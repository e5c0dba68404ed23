"""How one list of entries differs from another: what is gone, what is new, what changed places."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Sequence
from dataclasses import dataclass

Keys = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What became of a list."""

    lost: Keys = ()
    """In the old list only, in its order."""
    fresh: tuple[int, ...] = ()
    """Places of the new list whose entries are not in the old one."""
    moved: Keys = ()
    """In both, but out of their longest common order; in the order of the old list."""


# Every shot of a film is compared at every edit, and an edit changes what a few of them read.
@functools.lru_cache(maxsize=4096)
def difference(old: Keys, new: Keys) -> Difference:
    """Return how `new` differs from `old`; an entry named twice counts where it is first."""
    here, before = set(new), set(old)
    lost = tuple(key for key in old if key not in here)
    fresh = tuple(place for place, key in enumerate(new) if key not in before)
    common = here & before
    first = list(dict.fromkeys(key for key in old if key in common))
    second = list(dict.fromkeys(key for key in new if key in common))
    return Difference(lost=lost, fresh=fresh, moved=tuple(_moved(first, second)))


def _moved(first: list[str], second: list[str]) -> list[str]:
    """Return the entries that are out of order; both lists hold the same ones."""
    if first == second:
        return []
    start, end = 0, len(first)
    while first[start] == second[start]:
        start += 1
    while first[end - 1] == second[end - 1]:
        end -= 1
    middle = first[start:end]
    places = {key: place for place, key in enumerate(second[start:end])}
    kept = {middle[index] for index in _longest_rising([places[key] for key in middle])}
    return [key for key in middle if key not in kept]


def _longest_rising(places: Sequence[int]) -> list[int]:
    """Return the indices of a longest rising part, of several the one that begins first."""
    ends: list[int] = []  # smallest place that a rising part of each length ends in
    by_length: list[list[int]] = []
    for index, place in enumerate(places):
        length = bisect.bisect_left(ends, place)
        if length == len(ends):
            ends.append(place)
            by_length.append([])
        ends[length] = place
        by_length[length].append(index)
    found = [by_length[-1][0]]
    for indices in reversed(by_length[:-1]):
        after = places[found[-1]]
        found.append(next(index for index in indices if places[index] < after))
    return found[::-1]
