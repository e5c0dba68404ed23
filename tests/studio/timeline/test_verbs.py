"""Verbs over several shots: mute, lock, solo and emptying are one operation with one label."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.records import Cut, FramePin, Shot
from studio.timeline.cut import shown_shots, total_frames
from studio.timeline.edit import Edit, EditRefused
from studio.timeline.operation import run
from tests.studio.timeline.test_edits import setting

FILM = Cut(
    rate=(8, 1),
    width=96,
    height=64,
    shots=tuple(
        Shot(shot_id=name, prompt=name, num_frames=17, in_=0, out=25, take_id="t1")
        for name in "abcd"
    ),
)


def do(cut: Cut, kind: str, **op: Any) -> Edit:
    return run(cut, {"kind": kind, **op}, setting())


def muted(cut: Cut) -> str:
    return "".join(s.shot_id for s in cut.shots if s.muted)


def test_muting_several_shots_is_one_operation() -> None:
    edit = do(FILM, "set", shot_ids=["b", "c"], fields={"muted": True})
    assert (edit.kind, edit.label, muted(edit.cut)) == ("set", "Mute 2 shots", "bc")
    back = do(edit.cut, "set", shot_ids=["b", "c"], fields={"muted": False})
    assert (back.label, back.cut) == ("Unmute 2 shots", FILM)


def test_locking_several_shots_is_one_operation_and_holds_each_of_them() -> None:
    locked = do(FILM, "set", shot_ids=["a", "d"], fields={"locked": True})
    assert locked.label == "Lock 2 shots"
    with pytest.raises(EditRefused, match="Shot 4 is locked"):
        do(locked.cut, "set", shot_ids=["b", "d"], fields={"prompt": "x"})


def test_solo_leaves_only_its_shots_in_the_film_locked_or_not() -> None:
    film = replace(FILM, shots=(replace(FILM.shots[0], locked=True), *FILM.shots[1:]))
    edit = do(film, "solo", shot_ids=["c"])
    assert edit.label == "Solo Shot 3"
    assert [s.shot_id for s in shown_shots(edit.cut)] == ["c"]
    assert do(edit.cut, "solo", shot_ids=["b", "c"]).label == "Solo 2 shots"
    over = do(edit.cut, "solo", shot_ids=[])
    assert (over.label, over.cut) == ("Unmute every shot", film)


def test_an_emptied_shot_keeps_its_prompt_and_its_room() -> None:
    edit = do(FILM, "clear", shot_ids=["b"])
    shot = edit.cut.shots[1]
    assert (edit.label, shot.prompt, shot.take_id) == ("Empty Shot 2", "b", None)
    assert (shot.num_frames, shot.in_, shot.out) == (25, 0, 25)
    assert total_frames(edit.cut) == total_frames(FILM)


def test_a_length_that_cannot_be_made_is_rounded_and_the_label_says_so() -> None:
    trimmed = do(FILM, "trim", shot_id="b", **{"in": 2, "out": 12}).cut
    edit = do(trimmed, "clear", shot_ids=["b", "c"])
    assert edit.label == "Empty 2 shots (-1 frames)"
    assert [s.out for s in edit.cut.shots] == [25, 9, 25, 25]


def test_a_shot_without_a_take_is_not_emptied_again() -> None:
    empty = do(FILM, "clear", shot_ids=["b"]).cut
    with pytest.raises(EditRefused, match="nothing to empty"):
        do(empty, "clear", shot_ids=["b"])


def test_moving_both_ends_of_a_trim_is_a_slip() -> None:
    trimmed = do(FILM, "trim", shot_id="a", **{"in": 2, "out": 12})
    slipped = do(trimmed.cut, "trim", shot_id="a", **{"in": 5, "out": 15})
    assert (trimmed.label, slipped.label) == ("Trim Shot 1", "Slip Shot 1")


def test_an_inserted_shot_may_bring_its_fields_in_the_same_step() -> None:
    edit = do(FILM, "insert", before="c", prompt="x", fields={"seed": 5, "strength": 0})
    shot = edit.cut.shots[2]
    assert (edit.label, len(edit.cut.shots)) == ("Add Shot 3", 5)
    assert (shot.prompt, shot.params.seed, shot.memory.strength) == ("x", 5, 0)
    bridge = {"start": {"source": "neighbour"}, "end": {"source": "neighbour"}}
    params = do(FILM, "insert", before="c", fields=bridge).cut.shots[2].params
    assert params.start == params.end == FramePin(source="neighbour")
    for fields in ([1], {"num_frames": 9}, {"colour": "red"}):
        with pytest.raises(EditRefused, match="Expected"):
            do(FILM, "insert", before="c", fields=fields)
