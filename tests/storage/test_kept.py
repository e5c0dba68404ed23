"""What is kept in memory: asked for once, bounded, the oldest let go."""

from __future__ import annotations

import pytest

from storage.kept import Kept


def test_a_value_is_made_once_and_then_kept() -> None:
    kept: Kept[str, list[int]] = Kept(2)
    first = kept.get("a", lambda: [1])
    assert kept.get("a", lambda: [2]) is first
    assert kept.find("b") is None


def test_only_what_is_missing_is_made_and_the_answer_keeps_the_order() -> None:
    kept: Kept[int, int] = Kept(9)
    kept.put(2, 20)
    asked: list[list[int]] = []

    def make(keys: list[int]) -> dict[int, int]:
        asked.append(keys)
        return {key: key * 10 for key in keys}

    assert kept.get_all([3, 2, 1, 3], make) == [30, 20, 10, 30]
    assert asked == [[3, 1]]


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    kept: Kept[str, int] = Kept(2)
    for name in "ab":
        kept.put(name, 1)
    kept.find("a")
    kept.put("c", 1)
    assert [kept.find(name) for name in "abc"] == [1, None, 1]
    assert len(kept) == 2


def test_room_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected 1 or more"):
        Kept(0)
