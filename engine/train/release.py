"""Stage 5: put the best parts of a training together as the checkpoint that ships.

Run as `python -m engine.train.release --checkpoint runs/finetune/checkpoint
--vae runs/tiny_vae_polish/vae --out assets/checkpoints/embedded`. A polished VAE must have the
encoder that the latents were made with, to the bit: else it would draw others.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from pathlib import Path

import torch

from engine.card import load_card
from engine.errors import CheckpointError
from engine.models.checkpoint import load_checkpoint, load_weights
from engine.protocol import StrengthEffect
from engine.train.assemble import EMBEDDED_CARD

FROZEN = ("encoder.", "quant_conv.")


def release(
    checkpoint: Path,
    out: Path,
    *,
    vae: Path | None = None,
    strength: float,
    guidance: float,
    effects: tuple[StrengthEffect, ...] = (),
) -> None:
    """Write `out` from a trained checkpoint, a VAE with the same encoder, and measured defaults.

    Raises:
        CheckpointError: a part does not fit; `out` is as it was.
    """
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(checkpoint, part)
    if vae is not None:
        _require_same_encoder(checkpoint / "vae", vae)
        shutil.rmtree(part / "vae")
        shutil.copytree(vae, part / "vae")
    card = dataclasses.replace(
        EMBEDDED_CARD, strength=strength, guidance=guidance, strength_effects=effects
    )
    (part / "card.json").write_text(json.dumps(dataclasses.asdict(card), indent=1) + "\n", "utf-8")
    load_checkpoint(part)
    if load_card(part) != card:
        raise CheckpointError(f"The card in {part} does not read back as it was written.")
    if (out / "README.md").is_file():
        shutil.copy(out / "README.md", part / "README.md")
    shutil.rmtree(out, ignore_errors=True)
    part.rename(out)


def _require_same_encoder(trained: Path, polished: Path) -> None:
    stem = "diffusion_pytorch_model"
    old, new = load_weights(trained, stem), load_weights(polished, stem)
    changed = [
        name
        for name, value in old.items()
        if name.startswith(FROZEN) and not torch.equal(value, new[name])
    ]
    if changed:
        raise CheckpointError(
            f"{len(changed)} tensors of the encoder in {polished} differ from those in {trained}. "
            "Polish with --freeze-encoder, from the VAE that the latents were made with."
        )


def main() -> None:
    """Release from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="trained Wan folder")
    parser.add_argument("--vae", type=Path, help="polished VAE with the same encoder")
    parser.add_argument("--out", type=Path, required=True, help="folder to replace")
    parser.add_argument("--strength", type=float, default=EMBEDDED_CARD.strength)
    parser.add_argument("--guidance", type=float, default=EMBEDDED_CARD.guidance)
    parser.add_argument(
        "--effects",
        type=Path,
        help="JSON list of {strength, figure, value, unit}: what strength did when these weights "
        "were measured; without it the studio says that nothing was",
    )
    given = parser.parse_args()
    rows = json.loads(given.effects.read_text("utf-8")) if given.effects else []
    release(
        given.checkpoint,
        given.out,
        vae=given.vae,
        strength=given.strength,
        guidance=given.guidance,
        effects=tuple(StrengthEffect(**row) for row in rows),
    )
    print(f"Released to {given.out}.")


if __name__ == "__main__":
    main()
