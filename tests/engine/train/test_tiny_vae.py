"""The VAE stage learns, resumes exactly, freezes what it says, and exports a stock folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import load_file

from engine.train import tiny_vae
from engine.train.clips import ClipStream, draw_clip, validation_clips
from engine.train.tiny_vae import VAE_CONFIG, VaeStage, VaeTraining, train

TOY: dict[str, Any] = {**VAE_CONFIG, "base_dim": 16, "decoder_base_dim": 16, "dim_mult": [1, 1, 1]}


@pytest.fixture
def small_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the world at a sixteenth of its size, so that a step takes milliseconds."""

    def small(seed: int, num_frames: int) -> torch.Tensor:
        return draw_clip(seed, num_frames)[..., ::4, ::4][..., :16, :32]

    monkeypatch.setattr("engine.train.clips.draw_clip", small)


def toy_stage(out: Path, budget_steps: int) -> VaeStage:
    return VaeStage(
        out=out,
        budget_steps=budget_steps,
        save_seconds=0.0,
        use_bfloat16=False,
        num_validation_clips=1,
        num_statistics_clips=3,
        resume=True,
    )


def weights_of(training: VaeTraining) -> list[torch.Tensor]:
    averages = training.ema.state_dict()["weights"].values()
    return [*training.vae.state_dict().values(), *averages]


@pytest.mark.usefixtures("small_clips")
def test_a_resumed_run_equals_one_that_never_stopped_bit_by_bit(tmp_path: Path) -> None:
    whole = VaeTraining(toy_stage(tmp_path, 6), TOY)
    losses = [whole.step() for _ in range(6)]

    first = VaeTraining(toy_stage(tmp_path, 6), TOY)
    again = [first.step() for _ in range(3)]
    first.state.save()
    second = VaeTraining(toy_stage(tmp_path, 6), TOY)
    second.state.load()
    again += [second.step() for _ in range(3)]

    assert again == losses
    for one, other in zip(weights_of(whole), weights_of(second), strict=True):
        assert torch.equal(one, other)


@pytest.mark.usefixtures("small_clips")
def test_a_few_steps_improve_the_held_out_psnr(tmp_path: Path) -> None:
    stage = replace(toy_stage(tmp_path, 25), save_seconds=1.0, learning_rate=1e-2)
    before, _ = VaeTraining(stage, TOY).evaluate(validation_clips(1, 17))
    rows = list(train(stage, TOY))
    assert rows[-1]["psnr"] > before["psnr"] + 0.2
    assert len((tmp_path / "curve.csv").read_text().splitlines()) == 1 + len(rows)
    assert (tmp_path / "contact_sheet.png").exists()


@pytest.mark.usefixtures("small_clips")
def test_the_exported_folder_loads_as_stock_with_measured_statistics(tmp_path: Path) -> None:
    list(train(toy_stage(tmp_path, 1), TOY))
    vae = AutoencoderKLWan.from_pretrained(tmp_path / "vae")
    latents = [vae.encode(validation_clips(1, 17, first=i)).latent_dist.mean for i in range(3)]
    channels = torch.cat(latents).transpose(0, 1).flatten(1)
    torch.testing.assert_close(
        torch.tensor(vae.config.latents_mean), channels.mean(dim=1), atol=1e-3, rtol=1e-3
    )
    torch.testing.assert_close(
        torch.tensor(vae.config.latents_std), channels.std(dim=1), atol=1e-3, rtol=1e-3
    )
    stored = load_file(tmp_path / "vae" / "diffusion_pytorch_model.safetensors")
    assert {weight.dtype for weight in stored.values()} == {torch.bfloat16}


@pytest.mark.usefixtures("small_clips")
def test_a_frozen_encoder_does_not_move_and_the_decoder_does(tmp_path: Path) -> None:
    training = VaeTraining(replace(toy_stage(tmp_path, 2), freeze_encoder=True), TOY)
    before = {name: w.detach().clone() for name, w in training.vae.named_parameters()}
    training.step()
    moved = {n for n, w in training.vae.named_parameters() if not torch.equal(w, before[n])}
    assert not any(name.startswith(("encoder.", "quant_conv.")) for name in moved)
    assert {"post_quant_conv.weight", "decoder.conv_in.weight", "decoder.conv_out.weight"} <= moved


@pytest.mark.usefixtures("small_clips")
def test_a_polished_folder_keeps_encoder_and_statistics_to_the_bit(tmp_path: Path) -> None:
    list(train(toy_stage(tmp_path / "first", 1), TOY))
    weights = tmp_path / "first" / "vae" / "diffusion_pytorch_model.safetensors"
    polish = replace(toy_stage(tmp_path / "polish", 2), init=weights, freeze_encoder=True)
    list(train(polish, TOY))
    polished = load_file(tmp_path / "polish" / "vae" / "diffusion_pytorch_model.safetensors")
    moved = {name for name, w in load_file(weights).items() if not torch.equal(w, polished[name])}
    assert moved
    assert not any(name.startswith(("encoder.", "quant_conv.")) for name in moved)
    before, after = (
        AutoencoderKLWan.load_config(tmp_path / run / "vae") for run in ("first", "polish")
    )
    assert before["latents_mean"] == after["latents_mean"]
    assert before["latents_std"] == after["latents_std"]


@pytest.mark.usefixtures("small_clips")
def test_an_encoder_that_is_to_stay_close_moves_less(tmp_path: Path) -> None:
    list(train(toy_stage(tmp_path / "first", 3), TOY))
    weights = tmp_path / "first" / "vae" / "diffusion_pytorch_model.safetensors"
    moved = []
    for closeness in (1e-6, 10.0):
        out = tmp_path / str(closeness)
        stage = replace(toy_stage(out, 12), init=weights, closeness=closeness, save_seconds=1e3)
        moved.append(list(train(stage, TOY))[-1]["moved"])
    assert 0 < moved[1] < moved[0]


def test_closeness_without_a_vae_to_be_close_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="init"):
        VaeTraining(replace(toy_stage(tmp_path, 1), closeness=0.1), TOY)


@pytest.mark.usefixtures("small_clips")
def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path) -> None:
    list(train(toy_stage(tmp_path, 1), TOY))
    with pytest.raises(FileExistsError, match="--resume"):
        next(train(replace(toy_stage(tmp_path, 1), resume=False), TOY))


def test_new_weights_see_single_pictures_first_and_trained_ones_never() -> None:
    assert {tiny_vae.clip_length(0.1, step, is_new=True) for step in range(9)} == {1}
    for fraction, is_new in ((0.1, False), (0.9, False), (0.9, True)):
        lengths = {tiny_vae.clip_length(fraction, step, is_new=is_new) for step in range(9)}
        assert lengths == {9, 17}


def test_the_embedded_vae_has_the_published_size() -> None:
    vae = AutoencoderKLWan(**VAE_CONFIG)
    assert sum(weight.numel() for weight in vae.parameters()) == pytest.approx(3.80e6, rel=0.01)


def test_a_stream_continues_at_the_next_story() -> None:
    stream = ClipStream(first_seed=5)
    stream.batch(2, 9)
    other = ClipStream()
    other.load_state_dict(stream.state_dict())
    assert torch.equal(other.batch(1, 9)[0], draw_clip(7, 9))


def test_held_out_seeds_are_refused_for_training() -> None:
    with pytest.raises(ValueError, match="900000"):
        ClipStream(first_seed=900_000)


def test_a_perfect_picture_leaves_the_divergence_alone() -> None:
    pixels, zeros = torch.rand(1, 3, 5, 8, 8), torch.zeros(1, 4, 2, 1, 1)
    errors = tiny_vae._errors(pixels, pixels, zeros, zeros)
    assert [error.item() for error in errors] == [0.0, 0.0, 0.0]
