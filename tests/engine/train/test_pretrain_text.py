"""Tests of the text stage: labels from the words themselves, exact resume, what it writes."""

from pathlib import Path

import pytest
import torch

from engine.models.checkpoint import load_checkpoint
from engine.train.pretrain_text import NOUNS, TextStage, TextTraining, train, word_labels
from engine.train.world.vocabulary import NAMES


def noun(word: str) -> int:
    return 1 + NOUNS.index(word)


def test_a_colour_is_about_the_next_noun_of_its_phrase() -> None:
    pieces = ["a", "red", "striped", "shirt", ",", "white", "trousers", "and", "a", "pink", "cap"]
    nouns, _ = word_labels(pieces)
    shirt, trousers, cap = noun("shirt"), noun("trousers"), noun("cap")
    assert nouns == [shirt] * 4 + [0] + [trousers] * 2 + [0] + [cap] * 3


def test_a_phrase_does_not_reach_over_punctuation() -> None:
    assert word_labels(["close", ".", "shirt"])[0] == [0, 0, noun("shirt")]


def test_a_person_lasts_until_the_sentence_ends() -> None:
    _, people = word_labels(["mia", ":", "pale", "skin", ".", "zoom", "in", ".", "bob", "waves"])
    mia, bob = 1 + NAMES.index("mia"), 1 + NAMES.index("bob")
    assert people == [mia] * 4 + [0] * 4 + [bob] * 2


@pytest.fixture
def stage(tmp_path: Path, tiny_checkpoint: Path) -> TextStage:
    return TextStage(checkpoint=tiny_checkpoint, out=tmp_path / "text", budget_steps=4)


def test_a_stopped_run_ends_with_the_same_weights(stage: TextStage, tmp_path: Path) -> None:
    whole = TextTraining(stage_in(stage, tmp_path / "whole"))
    for _ in range(4):
        whole.step()
    first = TextTraining(stage_in(stage, tmp_path / "parts"))
    first.step()
    first.step()
    first.state.save()
    torch.manual_seed(99)
    second = TextTraining(stage_in(stage, tmp_path / "parts"))
    second.state.load()
    second.step()
    second.step()
    for a, b in zip(whole.encoder.parameters(), second.encoder.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_checkpoint_has_the_new_encoder_and_the_old_transformer(stage: TextStage) -> None:
    rows = list(train(stage))
    before, after = load_checkpoint(stage.checkpoint), load_checkpoint(stage.out / "checkpoint")
    assert rows[-1]["step"] == 4
    assert (stage.out / "curve.csv").read_text().startswith("step,seconds,loss,noun,person,word")
    old = before.text_encoder.encoder.block[0].layer[0].SelfAttention.q.weight
    new = after.text_encoder.encoder.block[0].layer[0].SelfAttention.q.weight
    assert not torch.equal(old, new)
    for a, b in zip(before.transformer.parameters(), after.transformer.parameters(), strict=True):
        assert torch.equal(a, b)


def stage_in(stage: TextStage, out: Path) -> TextStage:
    out.mkdir(exist_ok=True)
    return TextStage(checkpoint=stage.checkpoint, out=out, budget_steps=stage.budget_steps)
