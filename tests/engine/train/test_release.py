"""What ships fits together, or nothing changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from engine.card import load_card
from engine.errors import CheckpointError
from engine.protocol import StrengthEffect
from engine.train.release import release

WEIGHTS = "diffusion_pytorch_model.safetensors"


def changed_vae(checkpoint: Path, folder: Path, name: str) -> Path:
    shutil.copytree(checkpoint / "vae", folder)
    tensors = load_file(folder / WEIGHTS)
    tensors[name] = tensors[name] + 1
    save_file(tensors, folder / WEIGHTS)
    return folder


def test_a_polished_decoder_ships_with_measured_defaults(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    vae = changed_vae(tiny_checkpoint, tmp_path / "vae", "decoder.conv_in.bias")
    out = tmp_path / "out"
    effect = StrengthEffect(strength=1.5, figure="looks kept", value=91.0, unit="%")
    release(tiny_checkpoint, out, vae=vae, strength=1.5, guidance=2.0, effects=(effect,))
    assert load_card(out).strength_effects == (effect,)
    assert (load_card(out).strength, load_card(out).guidance) == (1.5, 2.0)
    assert (out / "vae" / WEIGHTS).read_bytes() == (vae / WEIGHTS).read_bytes()
    assert not (tmp_path / "out.part").exists()


def test_another_encoder_is_refused_and_what_shipped_stays(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    vae = changed_vae(tiny_checkpoint, tmp_path / "vae", "encoder.conv_in.bias")
    out = tmp_path / "out"
    release(tiny_checkpoint, out, strength=1.5, guidance=1.0)
    before = (out / "card.json").read_bytes()
    with pytest.raises(CheckpointError, match="1 tensors of the encoder"):
        release(tiny_checkpoint, out, vae=vae, strength=3.0, guidance=1.0)
    assert (out / "card.json").read_bytes() == before
