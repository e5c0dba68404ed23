"""Markers: named frames, one operation each, carried along with the pictures under them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records import Cut, Marker
from studio.timeline.cut import locate, total_frames
from studio.timeline.edit import Edit, EditRefused
from studio.timeline.markers import MAX_FRAME, MAX_MARKERS
from studio.timeline.operation import run
from tests.studio.timeline.test_edits import cuts, setting
from tests.studio.timeline.test_verbs import FILM

NAMED = replace(FILM, markers=(Marker(frame=3, label="door"), Marker(frame=40, label="")))


def do(cut: Cut, kind: str, **op: Any) -> Edit:
    return run(cut, {"kind": kind, **op}, setting())


def frames(cut: Cut) -> list[int]:
    return [m.frame for m in cut.markers]


def test_every_marker_edit_is_labelled_in_an_editors_words() -> None:
    assert do(NAMED, "add_marker", frame=9, label="cat").label == "Add marker “cat”"
    assert do(NAMED, "add_marker", frame=9).label == "Add a marker"
    assert do(NAMED, "rename_marker", frame=3, label="cat").label == "Call a marker “cat”"
    assert do(NAMED, "rename_marker", frame=3, label="").label == "Take the name off a marker"
    assert do(NAMED, "move_marker", frame=3, to=50).label == "Move marker “door”"
    assert do(NAMED, "delete_markers", frames=[40]).label == "Delete a marker"
    assert do(NAMED, "delete_markers", frames=[3, 40]).label == "Delete 2 markers"


def test_markers_stay_in_order_and_a_frame_has_at_most_one() -> None:
    moved = do(NAMED, "move_marker", frame=3, to=50).cut
    assert [(m.frame, m.label) for m in moved.markers] == [(40, ""), (50, "door")]
    for op in ({"kind": "add_marker", "frame": 40}, {"kind": "move_marker", "frame": 3, "to": 40}):
        with pytest.raises(EditRefused, match="There is a marker at frame 40 already"):
            run(NAMED, op, setting())


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ({"kind": "rename_marker", "frame": 4, "label": "x"}, "no marker at frame 4"),
        ({"kind": "add_marker", "frame": -1}, "Expected 0 to"),
        ({"kind": "add_marker", "frame": MAX_FRAME + 1}, "Expected 0 to"),
        ({"kind": "add_marker", "frame": 1.5}, "whole number"),
        ({"kind": "add_marker", "frame": 1, "label": "x" * 201}, "at most 200"),
        ({"kind": "add_marker", "frame": 1, "label": "\0"}, "NUL"),
        ({"kind": "delete_markers", "frames": []}, "No marker was named"),
        ({"kind": "delete_markers", "frames": 3}, "Expected a list"),
    ],
)
def test_a_marker_that_does_not_fit_is_refused_in_words(op: dict[str, Any], words: str) -> None:
    with pytest.raises(EditRefused, match=words):
        run(NAMED, op, setting())


def test_markers_have_a_limit() -> None:
    full = replace(FILM, markers=tuple(Marker(frame=n, label="") for n in range(MAX_MARKERS)))
    with pytest.raises(EditRefused, match="at most 1000"):
        do(full, "add_marker", frame=MAX_MARKERS)


@given(cuts(), st.data())
def test_splitting_a_take_leaves_markers_where_they_are(cut: Cut, data: st.DataObject) -> None:
    able = [s for s in cut.shots if s.take_id and not s.locked and s.out - s.in_ > 1]
    if not able:
        return
    shot = data.draw(st.sampled_from(able))
    frame = data.draw(st.integers(1, shot.out - shot.in_ - 1))
    assert do(cut, "split", shot_id=shot.shot_id, frame=frame).cut.markers == cut.markers


@given(cuts(), st.data())
def test_moving_shots_keeps_every_marker_on_its_picture(cut: Cut, data: st.DataObject) -> None:
    if not cut.shots:
        return
    ids = [s.shot_id for s in cut.shots]
    chosen = data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
    after = do(cut, "move", shot_ids=chosen, before=data.draw(st.sampled_from([*ids, None]))).cut
    place = {m.label: m.frame for m in after.markers}
    for marker in cut.markers:
        old, new = locate(cut, marker.frame), locate(after, place[marker.label])
        if old is None or new is None:
            assert old is new is None
        else:
            assert (old.shot.shot_id, old.frame) == (new.shot.shot_id, new.frame)


def test_splitting_an_empty_shot_keeps_a_marker_in_its_half() -> None:
    empty = do(FILM, "clear", shot_ids=["a"]).cut
    marked = replace(empty, markers=(Marker(frame=20, label=""), Marker(frame=30, label="b")))
    after = do(marked, "split", shot_id="a", frame=13).cut
    assert total_frames(after) - total_frames(marked) == 1
    assert frames(after) == [20, 31]
