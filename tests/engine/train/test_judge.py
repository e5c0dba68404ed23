"""The judge's training: nothing hidden is learnt, soft clips are the same shots, exact resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.models.checkpoint import load_vae
from engine.models.judge import PICKS, load_judge
from engine.train.judge import (
    FIRST_HELD_OUT,
    FIRST_SEED,
    JudgeStage,
    augmented,
    describe,
    judge_loss,
    train,
)
from engine.train.judged_clips import HIDDEN, draw_clips, load_clips, shot_of, soft_clips
from engine.train.world.attributes import ATTRIBUTES, labels_of, visible_attributes
from engine.train.world.story import TRAINING_SEEDS, VALIDATION_SEEDS


def test_labels_are_the_truth_where_it_shows_and_hidden_elsewhere() -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + 4)
    clips = draw_clips(seeds)
    assert clips.pixels_NFCHW.shape == (4, len(PICKS), 3, 96, 160)
    for row, seed in zip(clips.labels_NK.tolist(), seeds, strict=True):
        shot = shot_of(seed)
        seen, truth = visible_attributes(shot, PICKS[::2]), labels_of(shot)
        for label, (name, values) in zip(row, ATTRIBUTES.items(), strict=True):
            assert label == (values.index(truth[name]) if name in seen else HIDDEN)


def test_soft_clips_are_the_same_shots_through_the_vae(tiny_checkpoint: Path) -> None:
    torch.set_num_threads(1)
    seeds = range(FIRST_SEED, FIRST_SEED + 2)
    drawn, soft = draw_clips(seeds), soft_clips(seeds, load_vae(tiny_checkpoint / "vae"))
    assert torch.equal(drawn.labels_NK, soft.labels_NK)
    assert drawn.pixels_NFCHW.shape == soft.pixels_NFCHW.shape
    assert not torch.equal(drawn.pixels_NFCHW, soft.pixels_NFCHW)


def test_a_hidden_attribute_costs_nothing(seeded: None) -> None:
    logits = {"shirt": torch.randn(2, 8), "hat": torch.randn(2, 5)}
    labels = torch.tensor([[3, HIDDEN], [1, HIDDEN]])
    other = {**logits, "hat": torch.randn(2, 5)}
    assert torch.equal(judge_loss(logits, labels), judge_loss(other, labels))
    assert float(judge_loss(logits, torch.full((2, 2), HIDDEN))) == 0.0


def test_augmenting_keeps_shape_and_range(seeded: None) -> None:
    pixels = torch.rand(4, 3, 3, 96, 160) * 2 - 1
    moved = augmented(pixels)
    assert moved.shape == pixels.shape
    assert float(moved.abs().max()) <= 1
    assert not torch.equal(moved, pixels)


def test_training_and_held_out_shots_come_from_different_stories() -> None:
    assert FIRST_SEED in TRAINING_SEEDS
    assert FIRST_SEED + JudgeStage.num_clips + JudgeStage.num_soft in TRAINING_SEEDS
    assert FIRST_HELD_OUT in VALIDATION_SEEDS


@pytest.fixture
def stage(tiny_checkpoint: Path, tmp_path: Path) -> JudgeStage:
    torch.set_num_threads(1)
    return JudgeStage(
        vae=tiny_checkpoint / "vae",
        out=tmp_path / "run",
        budget_steps=4,
        num_clips=4,
        num_soft=2,
        num_held_out=2,
        batch_size=2,
        save_seconds=0.0,
        use_bfloat16=False,
    )


def test_resuming_the_judge_is_bit_equal_to_never_having_stopped(
    stage: JudgeStage, tmp_path: Path
) -> None:
    rows = list(train(stage))
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    broken = replace(stage, out=tmp_path / "broken")
    first = train(broken)
    next(first)
    next(first)
    del first
    list(train(broken))
    whole = torch.load(stage.out / "state.pt", weights_only=True)["judge"]
    resumed = torch.load(broken.out / "state.pt", weights_only=True)["judge"]
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_the_exported_judge_carries_its_accuracies(stage: JudgeStage) -> None:
    list(train(replace(stage, budget_steps=1)))
    judge = load_judge(stage.out / "judge")
    held_out = load_clips(stage.out / "held_out.safetensors")
    shown = (held_out.labels_NK != HIDDEN).sum(0).tolist()
    counts = dict(zip(ATTRIBUTES, shown, strict=True))
    assert {name: row.num_shots for name, row in judge.config.accuracy.items()} == {
        name: count for name, count in counts.items() if count
    }
    assert "not reported" in describe(dict(judge.config.accuracy))
