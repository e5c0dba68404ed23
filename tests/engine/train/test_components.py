"""The shortcut of phi begins with what the reduced clip leaves open, and disturbs nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.models.checkpoint import load_checkpoint, load_vae
from engine.recipes import load_model, wan
from engine.train.components import blocks_of, components_of, install, with_components
from engine.train.latents import StoryLatents, encode_story
from engine.train.memory_stage import load_phi
from engine.train.world.story import WorldDials, tell
from tests.engine.conftest import CPU


@pytest.fixture(scope="module")
def stories(tiny_checkpoint: Path) -> list[StoryLatents]:
    vae = load_vae(tiny_checkpoint / "vae")
    dials = WorldDials(num_frames=9, min_shots=3, max_shots=3)
    return [encode_story(vae, tell(seed, dials)) for seed in range(8)]


def unexplained(tokens_ND: Tensor, blocks_NE: Tensor) -> float:
    """Return the share of `blocks_NE` that no linear map of the tokens gives."""
    tokens, blocks = (x.double() - x.double().mean(0) for x in (tokens_ND, blocks_NE))
    solution = torch.linalg.lstsq(tokens, blocks, driver="gelsd").solution
    return float((blocks - tokens @ solution).pow(2).sum() / blocks.pow(2).sum())


@torch.no_grad()
def test_tokens_tell_what_the_reduced_clip_does_not(
    tiny_checkpoint: Path, stories: list[StoryLatents]
) -> None:
    patch = load_checkpoint(tiny_checkpoint).transformer.patch_embedding
    phi = load_phi(tiny_checkpoint)
    found = components_of(stories, phi, patch)
    wider = with_components(phi, patch, found, energy=2.0)

    latents = torch.cat([story.latents_SCTHW for story in stories])
    reduced = torch.cat([story.lr_SCTHW for story in stories])
    per_step = phi.config.grid(*latents.shape[2:])[1:]
    later = slice(per_step[0] * per_step[1], None)
    before = phi(latents, reduced, patch)[:, later].flatten(0, 1)
    after = wider(latents, reduced, patch)[:, later].flatten(0, 1)
    blocks = blocks_of(latents, phi)
    assert unexplained(after, blocks) < 0.5 * unexplained(before, blocks)

    added = (after - before).double()
    assert float(added.pow(2).mean()) == pytest.approx(2.0, rel=0.1)
    seen = added @ patch.weight.flatten(1).double()
    assert float(seen.abs().max()) < 1e-3 * float(added.abs().max())


@torch.no_grad()
def test_the_new_checkpoint_streams_what_it_trains_on(
    tiny_checkpoint: Path, stories: list[StoryLatents], tmp_path: Path
) -> None:
    found = install(tiny_checkpoint, stories, tmp_path / "out")
    assert 0.0 < found.explained <= 1.0
    model = load_model(wan(tmp_path / "out"), CPU)
    patch, phi = model.parts.transformer.patch_embedding, load_phi(tmp_path / "out")
    one = phi(stories[0].latents_SCTHW[:1], stories[0].lr_SCTHW[:1], patch)
    other = phi.stream(stories[0].latents_SCTHW[:1], stories[0].lr_SCTHW[:1], patch)
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_nothing_is_written_over_and_no_shortcut_twice(
    tiny_checkpoint: Path, stories: list[StoryLatents], tmp_path: Path
) -> None:
    install(tiny_checkpoint, stories, tmp_path / "out")
    with pytest.raises(FileExistsError, match="--out"):
        install(tiny_checkpoint, stories, tmp_path / "out")
    with pytest.raises(ValueError, match="shortcut"):
        install(tmp_path / "out", stories, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    shutil.rmtree(tmp_path / "out")
