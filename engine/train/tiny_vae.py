"""Stage 1: train the embedded model's VAE on the drawn world, then export it for diffusers.

Run as `python -m engine.train.tiny_vae --out runs/tiny_vae --budget-seconds 1080`. Losses, shapes
and the order of clip lengths were found on two CPU cores: docs/training.md.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKLWan
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from engine.train.clips import ClipStream, validation_clips
from engine.train.formats import is_bfloat16_fast
from engine.train.inflation import start_as_images
from engine.train.loop import Budget, Curve, Ema, TrainState, warm_constant_decay
from engine.train.muon import muon_and_adamw
from engine.train.one_pass_vae import channels_last, decode_parallel, encode_parallel

VAE_CONFIG: Final = {
    "base_dim": 24,
    "decoder_base_dim": 32,
    "z_dim": 16,
    "dim_mult": [1, 2, 3],
    "num_res_blocks": 1,
    "temperal_downsample": [True, True],
    "patch_size": 2,
    "in_channels": 12,
    "out_channels": 12,
    "scale_factor_spatial": 8,
    "scale_factor_temporal": 4,
}
"""Wan 2.1's latent geometry (16 channels, 8 x 8 x 4); patchified, so nothing runs at full size."""

_KL_WEIGHT = 1e-4  # keeps latents bounded without pulling them to a unit Gaussian


@dataclass(frozen=True, kw_only=True)
class VaeStage:
    """How to train the VAE."""

    out: Path
    """Folder for state, curve, contact sheet and the exported VAE."""
    budget_seconds: float | None = None
    """Training time without evaluations. None = `budget_steps` counts."""
    budget_steps: int | None = None
    """Number of steps, when every number must repeat. None = `budget_seconds` counts."""
    init: Path | None = None
    """Safetensors file to start from. None = random weights."""
    resume: bool = False
    """Whether a state in `out` is continued. Without one the stage starts anew."""
    freeze_encoder: bool = False
    """Whether only the decoder is trained, so that latents made before stay valid."""
    closeness: float = 0.0
    """Weight of the distance to the latents of `init`, as a share of their variance. A transformer
    that has learnt to draw those needs little to draw the new ones."""
    mse_weight: float = 10.0
    """Weight of the squared error beside L1. At 2, the few pixels beside an edge that make up the
    dB hardly counted."""
    learning_rate: float = 2e-3
    """Peak learning rate of both optimisers."""
    first_seed: int = 0
    """Seed of the first training story."""
    save_seconds: float = 120.0
    """Seconds between two evaluations; each saves the state."""
    batch_frames: int = 18
    """Frames of one step: as many 9- or 17-frame clips as fit. Steps count more than their size."""
    use_bfloat16: bool = field(default_factory=is_bfloat16_fast)
    """Whether convolutions run in bfloat16. False where runs must repeat bit by bit."""
    num_validation_clips: int = 8
    """Held-out clips of 17 frames behind every PSNR."""
    num_statistics_clips: int = 64
    """Held-out clips of 17 frames behind mean and deviation of the exported latents."""


class VaeTraining:
    """The VAE with everything that changes while it is trained."""

    def __init__(self, stage: VaeStage, config: dict[str, Any] | None = None) -> None:
        torch.manual_seed(stage.first_seed)
        self.stage = stage
        self.vae = AutoencoderKLWan(**(config or VAE_CONFIG))
        self.known = None if not stage.closeness else _KnownLatents(self.vae, stage.init)
        if stage.init is not None:
            self.vae.load_state_dict(_weights_of(stage.init))
        else:
            start_as_images(self.vae)
        if stage.freeze_encoder:
            self.vae.encoder.requires_grad_(False)
            self.vae.quant_conv.requires_grad_(False)
        channels_last(self.vae)
        self.optimisers = muon_and_adamw(self.vae, stage.learning_rate)
        self.ema = Ema(self.vae)
        self.stream = ClipStream(first_seed=stage.first_seed)
        self.budget = Budget(seconds=stage.budget_seconds, steps=stage.budget_steps)
        self.curve = Curve(stage.out / "curve.csv", ("step", "seconds", "l1", "psnr", "moved"))
        self.state = TrainState(
            stage.out / "state.pt",
            {
                "vae": self.vae,
                "muon": self.optimisers[0],
                "adamw": self.optimisers[1],
                "ema": self.ema,
                "stream": self.stream,
                "budget": self.budget,
                "curve": self.curve,
            },
        )

    def step(self) -> float:
        """Take one step on fresh clips and return the mean absolute error."""
        budget, stage = self.budget, self.stage
        factor = warm_constant_decay(budget.fraction, budget.step)
        num_frames = clip_length(budget.fraction, budget.step, is_new=stage.init is None)
        pixels_BCFHW = self.stream.batch(stage.batch_frames // num_frames, num_frames)
        pixels_BCFHW = pixels_BCFHW.contiguous(memory_format=torch.channels_last_3d)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = stage.learning_rate * factor
        with torch.autocast("cpu", torch.bfloat16, enabled=stage.use_bfloat16):
            with torch.set_grad_enabled(not stage.freeze_encoder):
                mean, log_variance = encode_parallel(self.vae, pixels_BCFHW)
                log_variance = log_variance.clamp(-20, 6)
            noise = torch.randn_like(mean)
            decoded = decode_parallel(self.vae, mean + noise * (0.5 * log_variance).exp())
            moved = None if self.known is None else self.known.distance(pixels_BCFHW, mean.float())
        l1, mse, others = _errors(decoded.float(), pixels_BCFHW, mean.float(), log_variance.float())
        loss = l1 + stage.mse_weight * mse + others
        if moved is not None:
            loss = loss + stage.closeness * moved
        torch.autograd.backward(loss)
        weights = [w for w in self.vae.parameters() if w.requires_grad]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        self.ema.update(self.vae)
        budget.step += 1
        return l1.item()

    def evaluate(self, clips_NCFHW: Tensor) -> tuple[dict[str, float], Tensor]:
        """Return figures and reconstructions of the averaged weights.

        `psnr`: mean over the clips in dB. `moved`: distance to the latents of `init`, as a share
        of their variance; 0 where no closeness is asked for.
        """
        decoded, moved = [], 0.0
        with self.ema.averaged(self.vae), torch.no_grad():
            for clip_CFHW in clips_NCFHW:
                with torch.autocast("cpu", torch.bfloat16, enabled=self.stage.use_bfloat16):
                    mean, _ = encode_parallel(self.vae, clip_CFHW[None])
                    decoded.append(decode_parallel(self.vae, mean).float().clamp(-1, 1))
                    if self.known is not None:
                        distance = self.known.distance(clip_CFHW[None], mean.float())
                        moved += float(distance) / len(clips_NCFHW)
        decoded_NCFHW = torch.cat(decoded)
        error_N = (decoded_NCFHW - clips_NCFHW).div(2).pow(2).mean(dim=(1, 2, 3, 4))
        psnr = float((-10 * torch.log10(error_N)).mean())
        return {"psnr": round(psnr, 3), "moved": round(moved, 4)}, decoded_NCFHW


class _KnownLatents:
    """The latents that an earlier VAE of the same shape makes of a clip."""

    def __init__(self, like: AutoencoderKLWan, weights: Path | None) -> None:
        if weights is None:
            raise ValueError("Closeness to earlier latents was asked for. Name their VAE as init.")
        self.vae = AutoencoderKLWan.from_config(like.config)
        self.vae.load_state_dict(_weights_of(weights))
        channels_last(self.vae)
        self.vae.requires_grad_(requires_grad=False)
        with torch.no_grad():
            clips = validation_clips(4, 17)
            known = torch.cat([encode_parallel(self.vae, clip[None])[0] for clip in clips])
        self.variance = known.var(dim=(0, 2, 3, 4), keepdim=True)

    def distance(self, pixels_BCFHW: Tensor, mean_BCTHW: Tensor) -> Tensor:
        """Return the mean squared distance of `mean_BCTHW`, as a share of the known variance."""
        with torch.no_grad():
            known, _ = encode_parallel(self.vae, pixels_BCFHW)
        distance: Tensor = ((mean_BCTHW - known.float()).pow(2) / self.variance).mean()
        return distance


def _weights_of(path: Path) -> dict[str, Tensor]:
    return {name: weight.float() for name, weight in load_file(path).items()}


def clip_length(fraction: float, step: int, *, is_new: bool) -> int:
    """Return the pixel frames of the clips of one step.

    New weights learn single pictures first (20 dB against 9 dB without); 9-frame clips bring
    variety, 17 frames teach not to drift.
    """
    if is_new and fraction < 0.3:
        return 1
    return 17 if (fraction > 0.45 or not is_new) and step % 2 else 9


def _errors(
    decoded: Tensor, pixels: Tensor, mean: Tensor, log_variance: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return L1, the squared error, and 0.5 gradient + KL with their weights."""
    error = decoded - pixels
    gradient = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    kl = 0.5 * (mean.pow(2) + log_variance.exp() - 1 - log_variance).mean()
    return error.abs().mean(), error.pow(2).mean(), 0.5 * gradient + _KL_WEIGHT * kl


def train(stage: VaeStage, config: dict[str, Any] | None = None) -> Iterator[dict[str, float]]:
    """Train until the budget is spent; yield a row of the curve at every evaluation.

    Raises FileExistsError when `out` holds a run that `resume` does not allow to continue.
    """
    stage.out.mkdir(parents=True, exist_ok=True)
    training = VaeTraining(stage, config)
    if training.state.path.exists():
        if not stage.resume:
            raise FileExistsError(
                f"{stage.out} holds a run. Add --resume, or choose another --out."
            )
        training.state.load()
    clips_NCFHW = validation_clips(stage.num_validation_clips, 17)
    l1, last = 0.0, time.monotonic()
    while not training.budget.is_spent:
        fresh = training.step()
        l1 = fresh if l1 == 0.0 else 0.95 * l1 + 0.05 * fresh
        if time.monotonic() - last >= stage.save_seconds or training.budget.is_spent:
            with training.budget.paused():
                yield _checkpoint(training, clips_NCFHW, l1)
            last = time.monotonic()
    export(training)


def _checkpoint(training: VaeTraining, clips_NCFHW: Tensor, l1: float) -> dict[str, float]:
    figures, decoded_NCFHW = training.evaluate(clips_NCFHW)
    budget = training.budget
    row = {"step": budget.step, "seconds": round(budget.spent_seconds, 1), "l1": round(l1, 5)}
    row |= figures
    training.curve.add(**row)
    training.state.save()
    sheet = contact_sheet(clips_NCFHW, decoded_NCFHW)
    cv2.imwrite(str(training.stage.out / "contact_sheet.png"), sheet[..., ::-1])
    return row


def contact_sheet(truth_NCFHW: Tensor, decoded_NCFHW: Tensor) -> NDArray[np.uint8]:
    """Return one row per clip: truth and reconstruction beside each other, at three times."""
    num_frames = truth_NCFHW.shape[2]
    times = (0, num_frames // 2, num_frames - 1)
    pairs = [clips[:, :, i] for i in times for clips in (truth_NCFHW, decoded_NCFHW)]
    rows_NCHW = torch.cat(pairs, dim=-1)
    pixels = rows_NCHW.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.concatenate(list(pixels.permute(0, 2, 3, 1).numpy()), axis=0)


def export(training: VaeTraining) -> Path:
    """Write the averaged weights as a diffusers folder in bfloat16 and return it.

    Its config holds mean and standard deviation of every latent channel, over held-out clips.
    """
    vae = AutoencoderKLWan.from_config(training.vae.config)
    with training.ema.averaged(training.vae):
        vae.load_state_dict(training.vae.state_dict())
    vae.bfloat16()
    with torch.no_grad():
        exact = AutoencoderKLWan.from_config(training.vae.config)
        exact.load_state_dict({name: w.float() for name, w in vae.state_dict().items()})
        latents = [
            encode_parallel(exact, validation_clips(1, 17, first=index))[0]
            for index in range(training.stage.num_statistics_clips)
        ]
    channels = torch.cat(latents).transpose(0, 1).flatten(1)
    vae.register_to_config(
        latents_mean=[round(value, 5) for value in channels.mean(dim=1).tolist()],
        latents_std=[round(value, 5) for value in channels.std(dim=1).tolist()],
    )
    folder = training.stage.out / "vae"
    vae.save_pretrained(folder)
    return folder


def main() -> None:
    """Train from the command line and print every row of the curve."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Polish: add --freeze-encoder, --init of the exported weights and a new --out.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--budget-seconds", type=float, required=True, help="training time")
    parser.add_argument("--init", type=Path, help="safetensors weights to start from")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out, if any")
    parser.add_argument("--freeze-encoder", action="store_true", help="train the decoder only")
    parser.add_argument(
        "--closeness",
        type=float,
        default=VaeStage.closeness,
        help="weight of staying near the latents of --init, for a transformer that draws those",
    )
    parser.add_argument(
        "--mse-weight",
        type=float,
        default=VaeStage.mse_weight,
        help="weight of the squared error, which is what dB measure",
    )
    parser.add_argument("--learning-rate", type=float, default=VaeStage.learning_rate)
    parser.add_argument("--seed", type=int, default=0, help="first training story")
    parser.add_argument(
        "--statistics-clips",
        type=int,
        default=VaeStage.num_statistics_clips,
        help="held-out clips behind mean and deviation of the latents",
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    stage = VaeStage(
        out=arguments.out,
        budget_seconds=arguments.budget_seconds,
        init=arguments.init,
        resume=arguments.resume,
        freeze_encoder=arguments.freeze_encoder,
        closeness=arguments.closeness,
        mse_weight=arguments.mse_weight,
        learning_rate=arguments.learning_rate,
        first_seed=arguments.seed,
        num_statistics_clips=arguments.statistics_clips,
    )
    for row in train(stage):
        print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    print(f"Exported to {stage.out / 'vae'}.")


if __name__ == "__main__":
    main()
