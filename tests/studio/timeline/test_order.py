"""How one list of entries differs from another, against the plain way to say it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.timeline.order import difference

LISTS = st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=9)


def plainly_moved(old: list[str], new: list[str]) -> list[str]:
    """Everything in both lists but the longest part that rises, the first of several."""
    first = [key for key in old if key in new]
    places = [new.index(key) for key in first]
    best: list[list[int]] = []
    for at, place in enumerate(places):
        fitting = [run for run in best if places[run[-1]] < place]
        best.append([*max(fitting, key=len, default=[]), at])
    kept = max(best, key=len, default=[])
    return [key for at, key in enumerate(first) if at not in kept]


@given(LISTS, LISTS)
def test_what_is_gone_new_and_moved_is_what_the_plain_way_says(
    old: list[str], new: list[str]
) -> None:
    found = difference(tuple(old), tuple(new))
    assert list(found.lost) == [key for key in old if key not in new]
    assert [new[place] for place in found.fresh] == [key for key in new if key not in old]
    assert list(found.moved) == plainly_moved(old, new)


@given(LISTS)
def test_the_same_list_differs_in_nothing(keys: list[str]) -> None:
    found = difference(tuple(keys), tuple(keys))
    assert (found.lost, found.fresh, found.moved) == ((), (), ())


def test_an_entry_that_a_stranger_named_twice_counts_once() -> None:
    found = difference(("a", "b", "a"), ("b", "a", "b"))
    assert (found.lost, found.fresh, found.moved) == ((), (), ("b",))


def test_one_entry_that_went_far_is_all_that_moved() -> None:
    old = tuple("abcdefgh")
    assert difference(old, tuple("bcdefgha")).moved == ("a",)
