"""The judge reads what its configuration names, and says how far it can be trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import CheckpointError
from engine.models.judge import PICKS, Accuracy, Judge, JudgeConfig, load_judge, save_judge

HEADS = {"shirt": ("red", "blue", "green"), "hat": ("none", "crown")}


@pytest.fixture
def judge(seeded: None) -> Judge:
    accuracy = {
        "shirt": Accuracy(frames=0.99, soft=0.97, num_shots=50),
        "hat": Accuracy(frames=0.99, soft=0.9, num_shots=50),
    }
    config = JudgeConfig(heads=HEADS, channels=(8, 8, 8, 16), accuracy=accuracy)
    return Judge(config).eval()


def frames(count: int = 17) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (count, 96, 160, 3), generator=generator, dtype=torch.uint8)


def test_every_attribute_gets_one_of_its_values(judge: Judge) -> None:
    reading = judge.read(frames())
    assert set(reading.values) == set(HEADS)
    assert all(reading.values[name] in words for name, words in HEADS.items())
    assert all(1 / len(HEADS[name]) <= p <= 1 for name, p in reading.confidence.items())


def test_only_the_picked_frames_are_read(judge: Judge) -> None:
    shot = frames()
    other = shot.clone()
    unread = [index for index in range(17) if index not in PICKS]
    other[unread] = 0
    assert judge.read(shot) == judge.read(other)
    other[PICKS[0]] = 0
    assert judge.read(shot) != judge.read(other)


def test_too_short_a_shot_says_which_frame_is_missing(judge: Judge) -> None:
    with pytest.raises(ValueError, match=f"looks at frame {PICKS[-1]}"):
        judge.read(frames(9))


def test_an_attribute_it_misreads_in_soft_pictures_is_not_reported(judge: Judge) -> None:
    assert judge.is_reported("shirt")
    assert not judge.is_reported("hat")
    judge.config = replace(judge.config, accuracy={})
    assert not judge.is_reported("shirt")


def test_a_judge_reads_back(judge: Judge, tmp_path: Path) -> None:
    save_judge(judge, tmp_path)
    loaded = load_judge(tmp_path)
    assert loaded.config == judge.config
    for name, weight in judge.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight.bfloat16().float()), name


def test_a_missing_judge_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"engine\.train\.judge"):
        load_judge(tmp_path)
