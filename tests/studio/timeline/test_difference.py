"""What differs between two cuts, and a shot brought from one into the other."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from storage.records import Cut, Shot
from studio.timeline.difference import Changed, changed_fields, difference
from studio.timeline.edit import EditRefused
from studio.timeline.graft import graft


def shot(name: str, **fields: object) -> Shot:
    made = Shot(shot_id=name, prompt=f"prompt of {name}", num_frames=9, in_=0, out=9)
    return replace(made, **fields)  # type: ignore[arg-type]


def cut(*shots: Shot) -> Cut:
    return Cut(rate=(8, 1), width=96, height=64, shots=shots)


A, B, C, D = (shot(name) for name in "abcd")


def test_equal_cuts_do_not_differ() -> None:
    found = difference(cut(A, B), cut(A, B))
    assert (found.added, found.removed, found.changed, found.moved) == ((), (), (), ())


def test_what_was_added_removed_and_changed_is_named_by_shot() -> None:
    after = cut(A, replace(B, take_id="t2", in_=2), D)
    found = difference(cut(A, B, C), after)
    assert (found.added, found.removed) == (("d",), ("c",))
    assert found.changed == (Changed(shot_id="b", fields=("take", "trim")),)
    assert changed_fields(A, replace(A, prompt="x", muted=True)) == ("prompt", "muted")


def test_one_shot_moved_to_the_front_is_one_move() -> None:
    assert difference(cut(A, B, C, D), cut(D, A, B, C)).moved == ("d",)
    assert difference(cut(A, B, C, D), cut(B, C, A, D)).moved == ("a",)


def test_taking_the_moved_shots_out_leaves_the_same_order_in_both_cuts() -> None:
    chosen = random.Random(3)
    shots = [shot(f"s{n}") for n in range(30)]
    for _ in range(20):
        mixed = chosen.sample(shots, 25)
        moved = set(difference(cut(*shots), cut(*mixed)).moved)
        kept = [s.shot_id for s in mixed if s.shot_id not in moved]
        common = [s.shot_id for s in shots if s in mixed and s.shot_id not in moved]
        assert kept == common


def test_a_grafted_shot_takes_its_other_state_in_its_place() -> None:
    there = cut(A, replace(B, take_id="t7", prompt="rain"), C)
    edit = graft(cut(C, B, A), there, "b", verb="graft", origin="Pick take 7")
    assert edit.cut.shots == (C, there.shots[1], A)
    assert edit.label == "Graft Shot 2 from “Pick take 7”"


def test_a_restored_shot_stands_behind_the_shot_that_it_followed() -> None:
    there = cut(A, B, C, D)
    edit = graft(cut(D, A), there, "c", verb="restore", origin="")
    assert [s.shot_id for s in edit.cut.shots] == ["d", "a", "c"]
    assert edit.label == "Restore Shot 3"
    first = graft(cut(C, D), there, "a", verb="restore", origin="")
    assert [s.shot_id for s in first.cut.shots] == ["a", "c", "d"]
    alone = graft(cut(), there, "d", verb="restore", origin="")
    assert alone.cut.shots == (D,)


def test_a_graft_that_changes_nothing_or_a_locked_shot_is_refused() -> None:
    with pytest.raises(EditRefused, match="same in both"):
        graft(cut(A), cut(A, B), "a", verb="graft", origin="")
    with pytest.raises(EditRefused, match="not in that cut"):
        graft(cut(A), cut(B), "a", verb="graft", origin="")
    with pytest.raises(EditRefused, match="locked here"):
        graft(cut(replace(A, locked=True)), cut(A), "a", verb="graft", origin="")
