"""Grades: 0 exactly when nothing changed, and else the share of what was read, with why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.records import Cut, FramePin, Shot, Take
from storage.shot_memory import Forgotten, ShotMemory
from studio.timeline import edits, fields, memory_edits
from studio.timeline.edit import EditRefused
from studio.timeline.reading import Past, SystemFacts
from studio.timeline.staleness import Defaults, Staleness

SYSTEM = SystemFacts(
    name="frame_preservation", fingerprint="fp", scope="take", token_pixels=32, token_frames=8
)
WINDOW = SystemFacts(
    name="sliding_window", fingerprint="w", scope="take", token_pixels=16, token_frames=4,
    most_steps=3,
)  # fmt: skip
DEFAULTS = Defaults(num_steps=4, guidance=2.0, strength=2.0)
WEIGHTS = (0.2, 0.5, 0.3)


def take(shot_id: str, name: str, read: tuple[Take, ...] = (), **spec: Any) -> Take:
    weights = WEIGHTS[: len(read)] if len(read) == 3 else [1 / max(1, len(read))] * len(read)
    past = Past(cut_of(read), {t.id: t for t in read}, SYSTEM)
    keys = [r.as_read for r in past.everything()]
    return Take(
        id=name, shot_id=shot_id, spec={"prompt": "a ball", "memory_keys": keys, **spec},
        spec_digest="", media_digest="", latents_digest=f"L{name}", strip_digest="", strip_tiles=1,
        num_frames=17, rate=(8, 1), width=96, height=64,
        sources=tuple({"take_id": t.id, "weight": w} for t, w in zip(read, weights, strict=True)),
    )  # fmt: skip


def shot(shot_id: str, take_id: str | None = None, **memory: Any) -> Shot:
    return Shot(
        shot_id=shot_id, prompt="a ball", num_frames=17, in_=0, out=17, take_id=take_id,
        memory=ShotMemory(**memory),
    )  # fmt: skip


def cut_of(takes: tuple[Take, ...]) -> Cut:
    shots = tuple(shot(t.shot_id, t.id) for t in takes)
    return Cut(rate=(8, 1), width=96, height=64, shots=shots)


@pytest.fixture(name="film")
def _film() -> tuple[Cut, dict[str, Take]]:
    made: list[Take] = []
    for index in range(4):
        made.append(take(f"s{index}", f"t{index}", tuple(made)))
    return cut_of(tuple(made)), {t.id: t for t in made}


def graded(cut: Cut, takes: dict[str, Take]) -> Staleness:
    systems = {SYSTEM.name: SYSTEM, WINDOW.name: WINDOW}
    return Staleness(cut, takes, systems, DEFAULTS)


def with_shot(cut: Cut, index: int, **changes: Any) -> Cut:
    changed = replace(cut.shots[index], **changes)
    return replace(cut, shots=(*cut.shots[:index], changed, *cut.shots[index + 1 :]))


def test_a_film_as_it_was_made_is_fresh(film: tuple[Cut, dict[str, Take]]) -> None:
    cut, takes = film
    assert [graded(cut, takes).grade(s).value for s in cut.shots] == [0, 0, 0, 0]


def test_a_shot_made_again_counts_by_its_weight_and_is_named(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    again = take("s1", "t1b", (takes["t0"],))
    cut = with_shot(cut, 1, take_id="t1b")
    grades = graded(cut, takes | {"t1b": again})
    last = grades.grade(cut.shots[3])
    assert last.value == pytest.approx(0.5)
    assert last.reasons == ("Shot 2 was re-taken",)
    assert grades.grade(cut.shots[2]).value == pytest.approx(0.5)
    assert grades.grade(cut.shots[0]).value == 0
    assert grades.grade(cut.shots[1]).value == 0


def test_a_new_shot_counts_by_its_tokens(film: tuple[Cut, dict[str, Take]]) -> None:
    cut, takes = film
    added = take("new", "t9", (takes["t0"],))
    cut = replace(cut, shots=(cut.shots[0], shot("new", "t9"), *cut.shots[1:]))
    grade = graded(cut, takes | {"t9": added}).grade(cut.shots[-1])
    assert grade.value == pytest.approx(1 / 4)
    assert grade.reasons == ("Shot 2 is new in its memory",)


def test_every_other_change_has_its_words(film: tuple[Cut, dict[str, Take]]) -> None:
    cut, takes = film

    def words(changed: Cut) -> tuple[str, ...]:
        return graded(changed, takes).grade(changed.shots[-1]).reasons

    assert words(edits.delete(cut, ["s1"]).cut) == ("A shot that it read was deleted",)
    assert words(with_shot(cut, 0, muted=True)) == ("Shot 1 is muted",)
    forgotten = fields.set_memory(cut, "s3", pins=[], forgotten=["s2"]).cut
    assert words(forgotten) == ("Shot 3 is forgotten",)
    assert words(edits.move(cut, ["s0"], before="s2").cut) == (
        "What it reads stands in another order",
    )
    moved = edits.move(cut, ["s0"], before=None).cut
    assert graded(moved, takes).grade(moved.shots[2]).reasons == ("Shot 4 stands after it now",)
    part = memory_edits.forget_frames(cut, "s3", [Forgotten(shot_id="s1", start=3, after=6)]).cut
    assert words(part) == ("Other frames of Shot 2 are read",)
    # One of the three steps of a shot that weighs a half.
    assert graded(part, takes).grade(part.shots[3]).value == pytest.approx(0.5 / 3, abs=1e-4)
    assert words(with_shot(cut, 3, prompt="two balls")) == ("Its prompt was changed",)


def test_a_take_that_was_wished_otherwise_is_fresh_until_its_shot_changes(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    first = takes["t0"]
    wished = replace(first, spec=first.spec | {"prompt": "a box", "said": {"prompt": "a ball"}})
    takes = takes | {"t0": wished}
    assert graded(cut, takes).grade(cut.shots[0]).value == 0
    cut = with_shot(cut, 0, prompt="a cat")
    assert graded(cut, takes).grade(cut.shots[0]).reasons == ("Its prompt was changed",)


def test_a_start_frame_that_follows_its_neighbour_is_stale_with_it(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    pin = FramePin(source="neighbour")
    cut = with_shot(cut, 1, params=replace(cut.shots[1].params, start=pin))
    made = {"digest": "Lt0", "source": "take", "frame": 16}
    takes = takes | {"t1": replace(takes["t1"], spec=takes["t1"].spec | {"start": made})}
    assert graded(cut, takes).grade(cut.shots[1]).value == 0
    trimmed = with_shot(cut, 0, out=10)
    assert graded(trimmed, takes).grade(trimmed.shots[1]).reasons == (
        "Its start frame was changed",
    )


def test_memory_switched_off_reads_nothing_and_says_what_changed(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    cut = with_shot(cut, 3, memory=ShotMemory(strength=0.0))
    grades = graded(cut, takes)
    reading = grades.reading(cut.shots[3])
    assert reading is not None
    assert reading.keys == ()
    assert grades.grade(cut.shots[3]).value == 1.0


def test_accepting_makes_a_shot_fresh_until_the_next_change_and_undo_keeps_both(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    muted = with_shot(cut, 1, muted=True)
    accepted = graded(muted, takes).accept(muted.shots[3])
    assert accepted is not None
    kept = memory_edits.accept(muted, ["s3"], {"s3": accepted})
    assert kept.label == "Accept Shot 4 as is"
    assert graded(kept.cut, takes).grade(kept.cut.shots[3]).value == 0
    # Back to what it was made from, and to what was accepted: both are fresh.
    unmuted = with_shot(kept.cut, 1, muted=False)
    assert graded(unmuted, takes).grade(unmuted.shots[3]).value == 0
    changed = with_shot(kept.cut, 0, muted=True)
    after = graded(changed, takes).grade(changed.shots[3])
    assert 0 < after.value < 1
    assert "Shot 1 is muted" in after.reasons


def test_a_take_of_another_model_is_stale_and_says_so(film: tuple[Cut, dict[str, Take]]) -> None:
    cut, takes = film
    other = {SYSTEM.name: replace(SYSTEM, fingerprint="another")}
    grade = Staleness(cut, takes, other, DEFAULTS).grade(cut.shots[1])
    assert grade.value == 1.0
    assert "It was made with another model or memory" in grade.reasons


def test_an_update_names_the_shots_that_will_be_stale_by_then(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    cut = with_shot(cut, 1, prompt="two balls")
    found = graded(cut, takes).to_update(0.1)
    assert [s.shot_id for s, _ in found] == ["s1", "s2", "s3"]
    # The others are not stale yet: they read what will be made again before them.
    grades = graded(cut, takes)
    assert [grades.grade(s).value for s in cut.shots] == [0, 1.0, 0, 0]
    assert [value for _, value in found] == [1.0, 0.5, 0.8]
    assert [s.shot_id for s, _ in graded(cut, takes).to_update(0.6)] == ["s1"]
    locked = with_shot(cut, 1, locked=True)
    assert graded(locked, takes).to_update(0.1) == []


def test_the_budget_leaves_out_the_oldest_shots_that_are_not_pinned(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    # 18 tokens a shot: three steps of 2 x 3.
    narrow = replace(cut, memory_budget=40)
    reading = graded(narrow, takes).reading(narrow.shots[3])
    assert reading is not None
    assert [r.shot_id for r in reading.reads] == ["s1", "s2"]
    assert [r.shot_id for r in reading.over_budget] == ["s0"]
    assert reading.tokens == 36
    grade = graded(narrow, takes).grade(narrow.shots[3])
    assert grade.reasons == ("Shot 1 is over the budget of 40 tokens",)
    pinned = fields.set_memory(narrow, "s3", pins=["s0"], forgotten=[]).cut
    reading = graded(pinned, takes).reading(pinned.shots[3])
    assert reading is not None
    assert [r.shot_id for r in reading.reads] == ["s0", "s2"]


def test_a_window_reads_the_newest_steps_and_what_is_pinned(
    film: tuple[Cut, dict[str, Take]],
) -> None:
    cut, takes = film
    past = Past(cut, takes, WINDOW)
    (only,) = past.before(cut.shots[3]).reads
    assert (only.shot_id, only.tokens) == ("s2", 3 * 4 * 6)
    pinned = replace(cut.shots[3], memory=ShotMemory(pins=("s0",)))
    reading = past.before(pinned)
    assert [(r.shot_id, r.is_pinned) for r in reading.reads] == [("s0", True), ("s2", False)]
    assert reading.keys != past.before(cut.shots[3]).keys


def test_forgotten_frames_take_their_tokens_with_them(film: tuple[Cut, dict[str, Take]]) -> None:
    cut, takes = film
    hidden = (Forgotten(shot_id="s0", start=1, after=2),)
    reading = Past(cut, takes, SYSTEM).before(
        replace(cut.shots[1], memory=ShotMemory(hidden=hidden))
    )
    assert [(r.tokens, r.hidden) for r in reading.reads] == [(12, ((1, 2),))]
    everything = (Forgotten(shot_id="s0", start=0, after=17),)
    reading = Past(cut, takes, SYSTEM).before(
        replace(cut.shots[1], memory=ShotMemory(hidden=everything))
    )
    assert reading.reads == []


def test_presets_say_how_much_of_the_past_a_shot_reads(film: tuple[Cut, dict[str, Take]]) -> None:
    cut, _ = film
    place = memory_edits.use_preset(cut, "s3", "same_place")
    assert place.label == "Set the memory of Shot 4 to Same place"
    assert place.cut.shots[3].memory.forgotten == ("s0", "s1")
    assert memory_edits.use_preset(cut, "s3", "cut").cut.shots[3].memory.strength == 0
    continuous = memory_edits.use_preset(cut, "s3", "continuous").cut.shots[3].memory
    assert continuous.pins == ("s2",)
    with pytest.raises(EditRefused, match="No preset"):
        memory_edits.use_preset(cut, "s3", "dream")


def test_a_budget_outside_of_its_range_is_refused(film: tuple[Cut, dict[str, Take]]) -> None:
    cut, _ = film
    assert memory_edits.set_budget(cut, 8000).cut.memory_budget == 8000
    with pytest.raises(EditRefused, match="1,000 to 20,000"):
        memory_edits.set_budget(cut, 10)
