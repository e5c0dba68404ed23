"""Identity tables count what the true shot shows, and only what the judge can read."""

from __future__ import annotations

import pytest
import torch

from engine.evaluate.identity_tables import (
    NOT_REPORTED,
    binding_table,
    compared,
    first_returns,
    judge_table,
    memory_table,
    position_table,
)
from engine.evaluate.renders import MemoryKind, Outcome
from engine.models.judge import Accuracy, Judge, JudgeConfig

TRUTH = {"shirt": "red", "hat": "crown", "pattern": "plain", "skin": "tan"}
GOOD = Accuracy(frames=1.0, soft=0.99, num_shots=99)


@pytest.fixture
def judge() -> Judge:
    heads = {"shirt": ("red", "blue"), "hat": ("crown", "cap"), "pattern": ("plain",)}
    accuracy = {"shirt": GOOD, "hat": GOOD, "pattern": Accuracy(frames=1, soft=0.8, num_shots=9)}
    return Judge(JudgeConfig(heads=heads, channels=(8, 8, 8, 8), accuracy=accuracy))


def outcome(story: int, memory: MemoryKind, shirt: str = "red", **changes: object) -> Outcome:
    picture = torch.zeros(4, 4, 3, dtype=torch.uint8)
    fields: dict[str, object] = {
        "story": story,
        "position": 2,
        "memory": memory,
        "strength": 2.0 if memory in ("own", "wrong", "film") else 1.0,
        "read": {**TRUTH, "shirt": shirt},
        "truth": TRUTH,
        "visible": frozenset({"shirt", "hat"}),
        "introduced": frozenset({"shirt", "hat"}),
        "other": None,
        "caption": "Mia waves.",
        "frame_HW3": picture,
        "past_HW3": picture,
    }
    return Outcome(**{**fields, **changes})  # type: ignore[arg-type]


def cells(rows: tuple[tuple[str, ...], ...], *start: str) -> tuple[str, ...]:
    found = [row for row in rows if row[: len(start)] == start]
    assert len(found) == 1
    return found[0][len(start) :]


def test_right_shirts_are_counted_by_memory(judge: Judge) -> None:
    outcomes = [outcome(0, "none", "blue"), outcome(1, "none", "blue")]
    outcomes += [outcome(0, "own"), outcome(1, "own", "blue")]
    rows = memory_table(outcomes, judge, "Looks", ("shirt",)).rows
    assert cells(rows, "own", "2", "2")[0].startswith("0.50 [")
    assert cells(rows, "none", "-", "2") == ("0.00 [0.00, 0.00]",)


def test_an_attribute_that_the_true_shot_hides_does_not_count(judge: Judge) -> None:
    hidden = outcome(0, "own", "blue", visible=frozenset({"hat"}))
    outcomes = [outcome(0, "none"), hidden]
    rows = memory_table(outcomes, judge, "Looks", ("shirt", "hat")).rows
    assert cells(rows, "own", "2", "1") == ("-", "1.00 [1.00, 1.00]")


def test_what_the_judge_misreads_is_not_reported(judge: Judge) -> None:
    rows = memory_table([outcome(0, "none")], judge, "Looks", ("pattern", "skin")).rows
    assert rows == (("none", "-", "1", NOT_REPORTED, NOT_REPORTED),)
    assert cells(judge_table(judge).rows, "pattern")[-1] == NOT_REPORTED


def test_the_comparison_leaves_out_shots_without_every_memory() -> None:
    chosen = [outcome(0, "none"), outcome(0, "own")]
    others = [outcome(0, "own", position=5), outcome(0, "film")]
    assert [id(o) for o in compared([*chosen, *others])] == [id(o) for o in chosen]


def test_binding_tells_the_named_from_the_other_character(judge: Judge) -> None:
    other = {"shirt": "blue", "hat": "cap"}
    outcomes = [
        outcome(0, "own", other=other),
        outcome(1, "own", "blue", other=other),
        outcome(2, "own", "green", other=other),
        outcome(3, "own"),  # memory has seen one person alone
    ]
    table = binding_table(outcomes, judge)
    shares = [cell.split()[0] for cell in cells(table.rows, "own", "2", "shirt", "3")]
    assert shares == ["0.33", "0.33", "0.33"]
    assert cells(table.rows, "own", "2", "hat", "3")[0].startswith("1.00")


def test_shot_indices_are_apart_for_drawn_pasts_and_films(judge: Judge) -> None:
    outcomes = [outcome(0, "own", position=p) for p in (2, 3)]
    outcomes += [outcome(0, "film", "blue", position=p) for p in (2, 3)]
    rows = position_table(outcomes, judge, 2.0).rows
    for memory in ("drawn past", "its own film"):
        labels = [row[1:3] for row in rows if row[0] == memory]
        summary = [("all", "2"), ("3 / 2", "-"), ("3 / first return", "-")]
        introduced = [(f"{label}, introduced", count) for label, count in summary]
        assert labels == [("2", "1"), ("3", "1"), *summary, *introduced]
    assert cells(rows, "its own film", "all", "2")[0].startswith("0.00")
    assert cells(rows, "drawn past", "3 / 2", "-")[0].startswith("1.00")
    assert cells(rows, "its own film", "3 / 2", "-")[0] == "-"  # nothing to be relative to


def test_what_the_introduction_hides_does_not_count_as_introduced(judge: Judge) -> None:
    only_hat = frozenset({"hat"})
    outcomes = [
        outcome(0, "film", "blue", introduced=only_hat),  # guessed, and kept: no fault of memory
        outcome(0, "film", position=3),
    ]
    rows = position_table(outcomes, judge, 2.0).rows
    assert cells(rows, "its own film", "all", "2")[0].startswith("0.50")
    assert cells(rows, "its own film", "all, introduced", "2")[0].startswith("1.00")


def test_the_first_return_is_each_storys_own() -> None:
    outcomes = [outcome(0, "film", position=p) for p in (2, 3, 4)]
    outcomes += [outcome(1, "film", position=p) for p in (3, 4)]
    returns = first_returns(outcomes)
    assert [(o.story, o.position) for o in returns] == [(0, 2), (1, 3)]
