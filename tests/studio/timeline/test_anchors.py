"""What a new take may be anchored to: ranges, strengths, pinned frames."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.latent_time import latent_of_frame, num_frames
from storage.records import Cut, FramePin, Shot, ShotParams, Take, cut_from_json, cut_to_json
from studio.timeline import fields
from studio.timeline.anchors import (
    Base,
    base_spec,
    frames_of,
    latent_of,
    redone_frames,
    resolve_pin,
)
from studio.timeline.edit import EditRefused, Material
from studio.timeline.plan import EngineFacts
from studio.timeline.restoring import emptied

VECTORS = Path(__file__).parents[2] / "js" / "ranges.json"
FACTS = EngineFacts(
    frame_multiple=4,
    max_frames=33,
    default_frames=17,
    rate=(8, 1),
    tokens_per_shot=30,
    seconds_per_shot=0.5,
    words=frozenset(),
)


def take(name: str, num_frames: int = 17, latents: str | None = "l") -> Take:
    return Take(
        id=name,
        shot_id="s",
        number=2,
        spec={},
        spec_digest="",
        media_digest="m",
        latents_digest=latents and latents + name,
        strip_digest="s",
        strip_tiles=1,
        num_frames=num_frames,
        rate=(8, 1),
        width=96,
        height=64,
    )


def shot(name: str, take_id: str | None = None, **fields: Any) -> Shot:
    return Shot(shot_id=name, num_frames=17, in_=0, out=17, take_id=take_id, **fields)


def cut(*shots: Shot) -> Cut:
    return Cut(rate=(8, 1), width=96, height=64, shots=shots)


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text()))
def test_a_range_grows_to_whole_latent_frames_as_on_the_page(vector: dict[str, Any]) -> None:
    found = redone_frames(vector["in"], vector["out"], vector["length"])
    assert list(found) == vector["redone"]


def test_the_timeline_counts_latent_frames_as_the_engine_does() -> None:
    assert [latent_of(f) for f in range(40)] == [latent_of_frame(f)[0] for f in range(40)]
    spans = [frames_of((a, a + 1), 999) for a in range(9)]
    assert [stop for _, stop in spans] == [num_frames(a + 1) for a in range(9)]
    assert [first for first, _ in spans] == [0, *(num_frames(a) for a in range(1, 9))]


def test_a_range_becomes_latent_frames() -> None:
    made = base_spec(Base(take_id="t", in_=4, out=9, strength=0.5), take("t"), 17)
    assert made == {"take_id": "t", "latents_digest": "lt", "redo": [1, 3], "strength": 0.5}


def test_the_whole_of_a_take_at_full_strength_is_a_new_take() -> None:
    assert base_spec(Base(take_id="t"), take("t"), 17) is None
    varied = base_spec(Base(take_id="t", strength=0.4), take("t"), 17)
    assert varied is not None
    assert varied["redo"] == [0, 5]


def test_footage_is_redone_to_the_end_of_its_latents() -> None:
    made = base_spec(Base(take_id="t", in_=1), take("t", num_frames=15), 17)
    assert made is not None
    assert made["redo"] == [1, 5]


@pytest.mark.parametrize(
    ("base", "words"),
    [
        (Base(take_id="t", in_=5, out=5), "a part of the take"),
        (Base(take_id="t", in_=-1, out=5), "a part of the take"),
        (Base(take_id="t", in_=0, out=18), "a part of the take"),
        (Base(take_id="t", strength=0.0), "nothing would change"),
        (Base(take_id="t", strength=float("nan")), "Expected 0.02 to 1"),
    ],
)
def test_a_base_that_cannot_be_says_what_may(base: Base, words: str) -> None:
    with pytest.raises(EditRefused, match=words):
        base_spec(base, take("t"), 17)


def test_a_take_without_latents_cannot_be_a_base() -> None:
    with pytest.raises(EditRefused, match="no latents"):
        base_spec(Base(take_id="t"), take("t", latents=None), 17)


def test_pins_are_fields_of_a_shot_and_survive_storing() -> None:
    pins = {"source": "take", "take_id": "t", "frame": 8}
    made = fields.set_fields(cut(shot("a")), ["a"], {"start": pins}, facts=FACTS)
    assert made.label == "Pin the start frame of Shot 1"
    assert made.cut.shots[0].params.start == FramePin(source="take", take_id="t", frame=8)
    assert cut_from_json(json.loads(json.dumps(cut_to_json(made.cut)))) == made.cut
    cleared = fields.set_fields(made.cut, ["a"], {"start": None}, facts=FACTS)
    assert cleared.label == "Clear the start frame of Shot 1"
    assert cleared.cut == cut(shot("a"))
    assert "start" not in cut_to_json(cleared.cut)["shots"][0]["params"]


@pytest.mark.parametrize(
    "value",
    [
        7,
        {},
        {"source": "web"},
        {"source": "take"},
        {"source": "take", "take_id": "t", "frame": -1},
        {"source": "take", "take_id": "t", "frame": True},
        {"source": "take", "take_id": "t" * 65},
        {"source": "still", "take_id": "t"},
        {"source": "still", "digest": "d", "path": "/etc"},
        {"source": "still", "digest": ["d"]},
    ],
)
def test_what_is_no_pin_is_refused(value: Any) -> None:
    with pytest.raises(EditRefused, match="start frame"):
        fields.set_fields(cut(shot("a")), ["a"], {"start": value}, facts=FACTS)


def test_a_neighbour_gives_the_frame_at_the_cut() -> None:
    takes = {"x": take("x"), "y": take("y")}
    left = replace(shot("a", "x"), in_=2, out=11)
    right = replace(shot("c", "y"), in_=3)
    found = cut(left, shot("m", "x", muted=True), shot("b"), right)
    pin = FramePin(source="neighbour")
    reader = found.shots[2]
    start = resolve_pin(found, reader, pin, takes, is_start=True)
    end = resolve_pin(found, reader, pin, takes, is_start=False)
    assert start == {"digest": "lx", "source": "take", "frame": 10}
    assert end == {"digest": "ly", "source": "take", "frame": 3}


def test_a_pin_without_a_picture_says_what_to_do() -> None:
    alone = cut(shot("a"))
    with pytest.raises(LookupError, match="Generate that shot first"):
        resolve_pin(alone, alone.shots[0], FramePin(source="neighbour"), {}, is_start=True)
    gone = FramePin(source="take", take_id="t", frame=17)
    with pytest.raises(LookupError, match="no such frame"):
        resolve_pin(alone, alone.shots[0], gone, {"t": take("t")}, is_start=False)


def test_trashing_a_take_that_the_cut_shows_puts_another_there_or_nothing() -> None:
    film = cut(shot("a", "x"), shot("b", "y"), shot("c", "x", params=ShotParams(seed=4)))
    other = Material(take_id="z", number=3, num_frames=9)
    shown = emptied(film, "x", instead=other, number=2)
    assert [(s.take_id, s.out) for s in shown.cut.shots] == [("z", 9), ("y", 17), ("z", 9)]
    assert shown.label == "Trash take 2 of Shot 1 and Shot 3"
    empty = emptied(film, "x", instead=None, number=2)
    assert [s.take_id for s in empty.cut.shots] == [None, "y", None]
    with pytest.raises(EditRefused, match="Shot 1 is locked"):
        emptied(cut(shot("a", "x", locked=True)), "x", instead=None, number=1)
