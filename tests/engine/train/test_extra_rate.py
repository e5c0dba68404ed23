"""Another rate learns beside a finished model, resumes exactly, and becomes a system of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig
from engine.models.checkpoint import load_vae, load_weights
from engine.recipes import EMBEDDED, load_model, wan
from engine.train.assemble import write_encoder
from engine.train.extra_rate import RateStage, build_encoder, install, parse_rate, train
from engine.train.latents import dials_of, encode_rates, with_rate, write_shard
from engine.train.world.story import Story, tell
from tests.engine.conftest import CPU

RATE = (2, 2, 4)


@pytest.fixture(scope="module")
def seeds() -> list[int]:
    """Stories whose shots have 17 frames."""
    return [seed for seed in range(40) if dials_of(seed).num_frames == 17][:2]


@pytest.fixture
def stage(tiny_checkpoint: Path, tmp_path: Path, seeds: list[int]) -> RateStage:
    torch.set_num_threads(1)
    checkpoint, latents = tmp_path / "checkpoint", tmp_path / "latents"
    shutil.copytree(tiny_checkpoint, checkpoint)
    latents.mkdir()
    vae = load_vae(checkpoint / "vae")
    shots = [replace(story, shots=story.shots[:3]) for story in map(_told, seeds)]
    stories = [encode_rates(vae, story, ((2, 2, 2),))[2, 2, 2] for story in shots]
    write_shard(latents / "0000000.safetensors", stories)
    return RateStage(
        checkpoint=checkpoint,
        latents=latents,
        out=tmp_path / "run",
        rate_hwt=RATE,
        budget_steps=4,
        batch_size=2,
        save_seconds=0.0,
        use_bfloat16=False,
        num_validation=2,
    )


def _told(seed: int) -> Story:
    return tell(seed, dials_of(seed))


def test_reduced_clips_of_another_rate_equal_encoding_the_story(
    tiny_checkpoint: Path, seeds: list[int]
) -> None:
    vae = load_vae(tiny_checkpoint / "vae")
    both = encode_rates(vae, _told(seeds[0]), ((2, 2, 2), RATE))
    assert both[RATE].lr_SCTHW.shape[2] == 2
    remade = with_rate(vae, both[2, 2, 2], RATE)
    assert torch.equal(remade.lr_SCTHW, both[RATE].lr_SCTHW)
    assert torch.equal(remade.latents_SCTHW, both[RATE].latents_SCTHW)


def test_phi_begins_with_the_tensors_of_the_default_that_fit() -> None:
    encoder = build_encoder(EMBEDDED, RATE, width=256, seed=0)
    default = load_weights(EMBEDDED / "memory" / "frame_preservation", "model")
    own = encoder.state_dict()
    for stage in range(3):
        name = f"stages.{stage}.conv.weight"
        assert torch.equal(own[name], default[name].float()), name
    assert own["stages.3.conv.weight"].shape != default["stages.3.conv.weight"].shape
    assert 2 * sum(tensor.numel() for tensor in own.values()) < 2.1 * 2**20


@torch.no_grad()
def test_a_shortcut_begins_as_the_mean_of_the_tokens_it_replaces(tmp_path: Path) -> None:
    torch.manual_seed(0)
    default = MemoryEncoder(MemoryEncoderConfig(width=8, channels=(8, 8, 8), hr="shortcut"))
    assert default.patchifier is not None
    torch.nn.init.normal_(default.patchifier.conv.weight)
    write_encoder(default, tmp_path / "memory" / "frame_preservation")
    default.bfloat16().float()
    coarse = build_encoder(tmp_path, RATE, width=8, seed=0)
    assert coarse.patchifier is not None
    latents = torch.randn(1, 16, 9, 8, 8)
    fine = default.patchifier(latents).unflatten(1, (5, 4))[:, 1:]
    mean = fine.unflatten(1, (2, 2)).mean(2)
    begun = coarse.patchifier(latents).unflatten(1, (3, 4))[:, 1:]
    # Sums of 512 products, in another order on another processor.
    torch.testing.assert_close(begun, mean, rtol=1e-5, atol=1e-4)


def test_a_resumed_rate_equals_one_that_never_stopped_and_installs(stage: RateStage) -> None:
    rows = list(train(stage))
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    broken = replace(stage, out=stage.out.with_name("broken"))
    first = train(broken)
    next(first)
    next(first)
    first.close()
    list(train(broken))
    whole, resumed = (
        torch.load(out / "state.pt", weights_only=True)["encoder"]
        for out in (stage.out, broken.out)
    )
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name
    before = load_model(wan(stage.checkpoint), CPU)
    install(stage)
    after = load_model(wan(stage.checkpoint), CPU)
    name = "frame_preservation_2x2x4"
    assert set(after.memories) - set(before.memories) == {name}
    assert after.memories[name].info.title == "Frame preservation, 2x2x4"
    default = "frame_preservation"
    assert after.memories[default].info == before.memories[default].info


def test_a_rate_that_cannot_be_read_says_what_was_expected() -> None:
    assert parse_rate("4x4x2") == (4, 4, 2)
    with pytest.raises(ValueError, match="2x2x4"):
        parse_rate("4-4-2")
