"""Dials count trials by memory, with the reader on true shots beside them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluate.dials import Result, Trial, table
from engine.evaluate.films import NO_PAST, FilmedShot


def results(dial: str, kind: str, *hits: float) -> list[Result]:
    return [Result(dial=dial, kind=kind, story=n, hits=h) for n, h in enumerate(hits)]


def test_every_dial_is_a_row_with_its_calibration_and_chance() -> None:
    rows = table(
        [
            *results("word on a close sign, told", "drawn", 1, 1),
            *results("word on a close sign, told", "none", 1, 0),
            *results("number of props, told", "drawn", 1),
        ]
    ).rows
    assert [row[0] for row in rows] == ["word on a close sign, told", "number of props, told"]
    assert rows[0][1] == "2"
    assert rows[0][2].startswith("1.00")
    assert rows[0][3:5] == ("-", "-")  # neither through the VAE nor with own memory
    assert rows[0][5].startswith("0.50")
    assert [row[-1] for row in rows] == ["0.10", "0.20"]


def test_a_shot_with_two_questions_can_be_half_right(filmed_shot: FilmedShot) -> None:
    trial = Trial(
        dial="shirts of two, remembered",
        story=0,
        shot=filmed_shot,
        past=NO_PAST,
        questions=(("red", lambda frames: "red"), ("blue", lambda frames: None)),
    )
    assert trial.hits(np.zeros((3, 96, 160, 3), np.uint8)) == 0.5


@pytest.fixture
def filmed_shot() -> FilmedShot:
    return FilmedShot.__new__(FilmedShot)  # what was filmed does not matter here
