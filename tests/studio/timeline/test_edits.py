"""Laws of edits: pure, labelled, and either legal or refused with the number."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records import Cut, Marker, Shot, ShotParams, cut_from_json, cut_to_json
from storage.shot_memory import ShotMemory
from studio.timeline import edits
from studio.timeline.cut import duration, locate, shown_shots, starts, total_frames
from studio.timeline.edit import EditRefused, Material
from studio.timeline.operation import Setting, run
from studio.timeline.plan import plan
from studio.timeline.storyboard import parse
from tests.studio.timeline.test_plan import FACTS

MATERIALS = {
    f"t{n}": Material(take_id=f"t{n}", number=n, num_frames=17 + 8 * n) for n in range(1, 4)
}


def setting() -> Setting:
    numbers = itertools.count(100)
    return Setting(facts=FACTS, materials=MATERIALS, new_id=lambda: f"s{next(numbers)}")


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    shots = []
    for index in range(draw(st.integers(0, 6))):
        take = draw(st.sampled_from([None, *MATERIALS]))
        length = MATERIALS[take].num_frames if take else 17
        in_ = draw(st.integers(0, length - 1)) if take else 0
        out = draw(st.integers(in_ + 1, length)) if take else length
        shots.append(
            Shot(
                shot_id=f"s{index}",
                title="",
                prompt=draw(st.text(max_size=4).filter(str.isprintable)),
                num_frames=17,
                in_=in_,
                out=out,
                take_id=take,
                locked=draw(st.booleans()),
                muted=draw(st.booleans()),
                params=ShotParams(seed=index),
                memory=ShotMemory(),
            )
        )
    frames = draw(st.lists(st.integers(0, 120), max_size=4, unique=True))
    markers = tuple(Marker(frame=frame, label=str(frame)) for frame in sorted(frames))
    return Cut(rate=(8, 1), width=96, height=64, shots=tuple(shots), markers=markers)


IDS = st.sampled_from([f"s{n}" for n in range(7)])
OPS = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("move"),
            "shot_ids": st.lists(IDS, max_size=3),
            "before": st.one_of(st.none(), IDS),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("trim"),
            "shot_id": IDS,
            "in": st.integers(-2, 45),
            "out": st.integers(-2, 45),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["delete", "duplicate", "clear", "solo"]),
            "shot_ids": st.lists(IDS, max_size=3),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(
                ["add_marker", "rename_marker", "move_marker", "delete_markers"]
            ),
            "frame": st.integers(-1, 130),
            "to": st.integers(-1, 130),
            "label": st.one_of(st.text(max_size=3), st.none()),
            "frames": st.lists(st.integers(-1, 130), max_size=3),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("insert"),
            "before": st.one_of(st.none(), IDS),
            "prompt": st.text(max_size=5),
        }
    ),
    st.fixed_dictionaries({"kind": st.just("split"), "shot_id": IDS, "frame": st.integers(-1, 45)}),
    st.fixed_dictionaries(
        {
            "kind": st.just("pick_take"),
            "shot_id": IDS,
            "take_id": st.sampled_from([*MATERIALS, "none"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("set"),
            "shot_id": IDS,
            "fields": st.dictionaries(
                st.sampled_from(
                    [
                        "title",
                        "prompt",
                        "seed",
                        "num_frames",
                        "locked",
                        "muted",
                        "strength",
                        "nonsense",
                    ]
                ),
                st.one_of(
                    st.text(max_size=3), st.integers(-5, 60), st.booleans(), st.none(), st.floats()
                ),
                max_size=2,
            ),
        }
    ),
    st.dictionaries(
        st.text(max_size=6), st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=3
    ),
)


@given(cuts(), OPS)
def test_any_operation_gives_a_legal_cut_or_is_refused_in_words(
    cut: Cut, op: dict[str, Any]
) -> None:
    before = cut_to_json(cut)
    try:
        edit = run(cut, op, setting())
    except EditRefused as error:
        assert str(error)
        assert cut_to_json(cut) == before
        return
    assert cut_to_json(cut) == before
    assert edit.label
    assert edit.kind == op["kind"]
    ids = [s.shot_id for s in edit.cut.shots]
    assert len(ids) == len(set(ids))
    for shot in edit.cut.shots:
        length = MATERIALS[shot.take_id].num_frames if shot.take_id else shot.num_frames
        assert 0 <= shot.in_ < shot.out <= length
    frames = [m.frame for m in edit.cut.markers]
    assert frames == sorted(set(frames))
    assert len(frames) == len(cut.markers) or op["kind"] in ("add_marker", "delete_markers")
    assert cut_from_json(cut_to_json(edit.cut)) == edit.cut


@given(cuts(), st.data())
def test_moving_keeps_every_shot_and_the_order_of_the_others(cut: Cut, data: st.DataObject) -> None:
    if not cut.shots:
        return
    ids = [s.shot_id for s in cut.shots]
    chosen = data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
    before = data.draw(st.sampled_from([*ids, None]))
    moved = [s.shot_id for s in edits.move(cut, chosen, before=before).cut.shots]
    assert sorted(moved) == sorted(ids)
    assert [i for i in moved if i not in chosen] == [i for i in ids if i not in chosen]
    if before is not None and before not in chosen:
        assert moved[moved.index(before) - 1] == [i for i in ids if i in chosen][-1]


@given(cuts(), st.data())
def test_splitting_a_take_keeps_every_frame_of_the_cut(cut: Cut, data: st.DataObject) -> None:
    able = [s for s in cut.shots if s.take_id and not s.locked and s.out - s.in_ > 1]
    if not able:
        return
    shot = data.draw(st.sampled_from(able))
    frame = data.draw(st.integers(1, shot.out - shot.in_ - 1))
    after = run(cut, {"kind": "split", "shot_id": shot.shot_id, "frame": frame}, setting()).cut
    assert total_frames(after) == total_frames(cut)
    for position in range(total_frames(cut)):
        a, b = locate(cut, position), locate(after, position)
        assert a is not None and b is not None
        assert (a.shot.take_id, a.frame) == (b.shot.take_id, b.frame)


@given(cuts())
def test_every_frame_of_the_cut_is_in_exactly_one_shot(cut: Cut) -> None:
    found = [locate(cut, frame) for frame in range(total_frames(cut))]
    assert all(f is not None and f.shot.in_ <= f.frame < f.shot.out for f in found)
    assert locate(cut, total_frames(cut)) is None
    assert locate(cut, -1) is None
    assert sum(duration(s) for s in cut.shots) == len(found)
    assert all(start < len(found) for start in starts(cut))
    assert [s for s in cut.shots if not s.muted] == list(shown_shots(cut))


def test_a_locked_shot_keeps_its_picture_whatever_is_asked() -> None:
    cut = Cut(rate=(8, 1), width=96, height=64, shots=())
    cut = run(cut, {"kind": "insert", "before": None, "prompt": "x"}, setting()).cut
    locked = run(cut, {"kind": "set", "shot_id": "s100", "fields": {"locked": True}}, setting())
    assert locked.label == "Lock Shot 1"
    for op in (
        {"kind": "delete", "shot_ids": ["s100"]},
        {"kind": "clear", "shot_ids": ["s100"]},
        {"kind": "pick_take", "shot_id": "s100", "take_id": "t1"},
        {"kind": "set", "shot_id": "s100", "fields": {"prompt": "y"}},
    ):
        with pytest.raises(EditRefused, match="Shot 1 is locked"):
            run(locked.cut, op, setting())
    open_ = run(
        locked.cut, {"kind": "set", "shot_id": "s100", "fields": {"locked": False}}, setting()
    )
    assert open_.cut == cut


def test_a_length_that_the_model_cannot_make_names_the_nearest() -> None:
    cut = run(
        Cut(rate=(8, 1), width=96, height=64), {"kind": "insert", "prompt": ""}, setting()
    ).cut
    with pytest.raises(EditRefused, match="the nearest is 13"):
        run(cut, {"kind": "set", "shot_id": "s100", "fields": {"num_frames": 12}}, setting())


def test_a_storyboard_keeps_locked_shots_and_its_own_seeds() -> None:
    board = parse(
        '{"shots": [{"prompt": "a", "duration": 2, "seed": 5}, {"prompt": "<img>"}]}', (8, 1)
    )
    cut = run(
        Cut(rate=(8, 1), width=96, height=64), {"kind": "insert", "prompt": "old"}, setting()
    ).cut
    cut = replace(cut, shots=(replace(cut.shots[0], shot_id="keep", locked=True), cut.shots[0]))
    ids = itertools.count()
    made = edits.apply_storyboard(
        cut, plan(board, FACTS), mode="replace", new_id=lambda: f"n{next(ids)}", seed=70
    ).cut
    assert [s.shot_id for s in made.shots] == ["keep", "n0", "n1"]
    assert [s.params.seed for s in made.shots[1:]] == [5, 71]
    assert [s.num_frames for s in made.shots[1:]] == [17, 17]
    assert made.shots[2].prompt == "<img>"
