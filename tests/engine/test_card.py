"""The model card: what it says beside the model, and how a wrong one is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.card import load_card, unloaded_info
from engine.errors import CheckpointError
from engine.protocol import StrengthEffect, WordGroup


def folder_with(folder: Path, **card: Any) -> Path:
    (folder / "model_index.json").write_text("{}")
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def test_a_card_brings_its_words_by_theme_and_what_strength_does(tmp_path: Path) -> None:
    groups = [{"title": "Places", "phrases": ["in the park"]}]
    effects = [{"strength": 2.0, "figure": "looks kept", "value": 91.5, "unit": "%"}]
    info = unloaded_info(
        load_card(folder_with(tmp_path, vocabulary=groups, strength_effects=effects))
    )
    assert info.vocabulary == (WordGroup(title="Places", phrases=("in the park",)),)
    told = StrengthEffect(strength=2.0, figure="looks kept", value=91.5, unit="%")
    assert info.strength_effects == (told,)


def test_a_card_without_them_says_nothing(tmp_path: Path) -> None:
    info = unloaded_info(load_card(folder_with(tmp_path, words=["a"])))
    assert (info.vocabulary, info.strength_effects) == ((), ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"vocabulary": [{"title": "Places"}]},
        {"vocabulary": ["park"]},
        {"vocabulary": 3},
        {"strength_effects": [{"strength": 1.0, "shown": "looks"}]},
    ],
)
def test_themes_that_cannot_be_read_are_refused_in_words(
    wrong: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="Expected lists of"):
        load_card(folder_with(tmp_path, **wrong))
