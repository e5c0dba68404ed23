"""A Wan folder is opened by our rules: what stock loads, and nothing that could run code."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import WanPipeline

from engine.card import load_card, unloaded_info
from engine.errors import CheckpointError
from engine.models.checkpoint import load_checkpoint
from engine.recipes import Model


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "model"
    shutil.copytree(tiny_checkpoint, copy)
    return copy


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_the_stock_pipeline_loads_the_folder(tiny_checkpoint: Path, model: Model) -> None:
    pipeline = WanPipeline.from_pretrained(tiny_checkpoint)
    for name in ("transformer", "vae", "text_encoder"):
        own = getattr(model.parts, name).state_dict()
        for key, value in getattr(pipeline, name).state_dict().items():
            assert torch.equal(value.float(), own[key].float()), key
    assert (
        pipeline.tokenizer("Mia waves.").input_ids == model.parts.tokenizer("Mia waves.").input_ids
    )


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("", "no model folder"),
        ("model_index.json", "model_index.json"),
        ("vae/config.json", "config.json"),
        ("transformer/diffusion_pytorch_model.safetensors", "no weights"),
        ("tokenizer/tokenizer.json", "tokenizer.json"),
    ],
)
def test_a_missing_part_is_named(folder: Path, missing: str, named: str) -> None:
    target = folder / missing
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()
    with pytest.raises(CheckpointError, match=named):
        load_checkpoint(folder)


def test_pickled_weights_are_refused_and_never_read(folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (marker,)  # type: ignore[return-value]

    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "vae" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError, match="can run code"):
        load_checkpoint(folder)
    assert not marker.exists()


def test_a_pickle_named_safetensors_is_refused(folder: Path) -> None:
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(folder)


def test_a_class_from_elsewhere_is_refused(folder: Path) -> None:
    change(folder / "transformer" / "config.json", _class_name="EvilModel")
    with pytest.raises(CheckpointError, match="EvilModel"):
        load_checkpoint(folder)
    change(folder / "model_index.json", _class_name="StableDiffusionPipeline")
    with pytest.raises(CheckpointError, match="StableDiffusionPipeline"):
        load_checkpoint(folder)


def test_code_beside_a_configuration_is_ignored(folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (folder / "WanPipeline.py").write_text(f"open({str(marker)!r}, 'w')")
    change(
        folder / "text_encoder" / "config.json",
        auto_map={"AutoModel": "evil.Model"},
        trust_remote_code=True,
        _attn_implementation_internal="evil",
    )
    load_checkpoint(folder)
    assert not marker.exists()


def test_weights_that_do_not_fit_are_counted(folder: Path) -> None:
    change(folder / "transformer" / "config.json", num_layers=3)
    with pytest.raises(CheckpointError, match=r"lack \d+ of \d+"):
        load_checkpoint(folder)


def test_a_broken_configuration_is_named(folder: Path) -> None:
    (folder / "vae" / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        load_checkpoint(folder)


def test_a_folder_without_a_card_is_a_real_wan(folder: Path) -> None:
    (folder / "card.json").unlink()
    card = load_card(folder)
    assert (card.width, card.height, card.words) == (832, 480, ())


def test_a_card_says_what_a_plan_needs_before_anything_is_loaded(tiny_checkpoint: Path) -> None:
    info = unloaded_info(load_card(tiny_checkpoint))
    assert (info.width, info.height, info.rate, info.frame_multiple) == (64, 32, (8, 1), 8)
    assert "park" in info.words
    assert info.systems == ()
