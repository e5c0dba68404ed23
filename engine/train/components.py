"""Stage 2c: let memory begin with what matters most: phi's linear shortcut as principal components.

Run as `python -m engine.train.components --checkpoint runs/text/checkpoint --latents runs/latents
--out runs/components`. Of the latents under a token, the reduced clip (LR branch) tells a part. The
principal components of the rest go into the directions of a token that the LR branch leaves free,
so that a transformer which reads the LR branch reads it as before.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.memory.frame_preservation import NAME
from engine.memory.memory_encoder import PATCH, MemoryEncoder
from engine.models.checkpoint import load_checkpoint
from engine.train.assemble import write_encoder
from engine.train.latents import StoryLatents, read_shard
from engine.train.memory_stage import load_phi

LOUDNESS = 1.0
"""Energy of the components in a token, as a part of what it held before."""


@dataclass(frozen=True)
class Components:
    """A linear map from the latents under a token to coordinates, and how much it keeps."""

    directions_KD: Tensor
    """Orthonormal, what they tell of the open part falling."""
    deviations_K: Tensor
    """Of the coordinates, which hold some of what the reduced clip tells as well."""
    mean_D: Tensor
    explained: float
    """Share of what the reduced clip leaves open that the K coordinates tell, 0 to 1."""


def blocks_of(latents_BCTHW: Tensor, encoder: MemoryEncoder) -> Tensor:
    """Return the latents under each token but those of the first latent: N x (C t h w)."""
    rate, _, rate_t = encoder.config.rate_hwt
    unit = PATCH * rate
    later = encoder.pad(latents_BCTHW)[:, :, 1:]
    blocks = later.unfold(2, rate_t, rate_t).unfold(3, unit, unit).unfold(4, unit, unit)
    return blocks.permute(0, 2, 3, 4, 1, 5, 6, 7).flatten(4).flatten(0, 3)


@torch.no_grad()
def components_of(
    stories: Iterable[StoryLatents], encoder: MemoryEncoder, patch: nn.Conv3d
) -> Components:
    """Return the principal components of what the LR branch leaves open, strongest first.

    As many as a token has directions beside those that the patch embedding `patch` writes to.
    """
    rows, known = [], []
    for story in stories:
        rows.append(blocks_of(story.latents_SCTHW.float(), encoder).double())
        tokens = patch(story.lr_SCTHW.float())[:, :, 1:]
        known.append(tokens.movedim(1, -1).flatten(0, 3).double())
    blocks_ND, tokens_NE = torch.cat(rows), torch.cat(known)
    mean_D = blocks_ND.mean(0)
    centred = blocks_ND - mean_D
    given = tokens_NE - tokens_NE.mean(0)
    open_ND = centred - given @ torch.linalg.lstsq(given, centred, driver="gelsd").solution
    energies, vectors = torch.linalg.eigh(open_ND.T @ open_ND / len(open_ND))
    count = min(len(energies), _free_directions(patch).shape[1])
    directions_KD = vectors.flip(1)[:, :count].T
    return Components(
        directions_KD=directions_KD,
        deviations_K=(centred @ directions_KD.T).std(0).clamp_min(1e-6),
        mean_D=mean_D,
        explained=float(energies.flip(0)[:count].sum() / energies.sum()),
    )


@torch.no_grad()
def with_components(
    encoder: MemoryEncoder, patch: nn.Conv3d, found: Components, *, energy: float
) -> MemoryEncoder:
    """Return `encoder` with a shortcut that adds the components to every token.

    Args:
        encoder: phi with convolutions; all else of it stays.
        patch: the transformer's patch embedding.
        found: from `components_of`.
        energy: mean square of a token's numbers that the components add. A component's part falls
            with the root of its own deviation, so that weak ones are heard, too.
    """
    wider = MemoryEncoder(replace(encoder.config, hr="shortcut"))
    missing, unknown = wider.load_state_dict(encoder.state_dict(), strict=False)
    if unknown or {name.split(".")[0] for name in missing} != {"patchifier"}:
        raise ValueError("This phi has a shortcut already, or is none with convolutions.")
    assert wider.patchifier is not None
    free_EK = _free_directions(patch)[:, : len(found.deviations_K)]
    loudness_K = found.deviations_K.rsqrt()
    now = (loudness_K * found.deviations_K).pow(2).sum() / len(free_EK)
    loudness_K = loudness_K * (energy / now).sqrt()
    weight_ED = (free_EK * loudness_K) @ found.directions_KD
    convolution = wider.patchifier.conv
    convolution.weight.copy_(weight_ED.view_as(convolution.weight))
    assert convolution.bias is not None
    convolution.bias.copy_(-(weight_ED @ found.mean_D))
    return wider


def _free_directions(patch: nn.Conv3d) -> Tensor:
    """Return an orthonormal basis E K of the token directions that `patch` never writes to."""
    weight_ED = patch.weight.detach().flatten(1).double()
    basis: Tensor = torch.linalg.qr(weight_ED, mode="complete")[0]
    return basis[:, min(weight_ED.shape) :]


def install(checkpoint: Path, stories: list[StoryLatents], out: Path) -> Components:
    """Write `checkpoint` with a phi that begins with components to the new folder `out`."""
    if out.exists():
        raise FileExistsError(f"{out} exists. Choose another --out.")
    patch = load_checkpoint(checkpoint).transformer.patch_embedding
    encoder = load_phi(checkpoint)
    found = components_of(stories, encoder, patch)
    with torch.no_grad():
        tokens = [
            encoder(story.latents_SCTHW.float(), story.lr_SCTHW.float(), patch)
            for story in stories[:8]
        ]
    energy = LOUDNESS * float(torch.cat([t.flatten() for t in tokens]).pow(2).mean())
    wider = with_components(encoder, patch, found, energy=energy)
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(checkpoint, part)
    write_encoder(wider, part / "memory" / NAME)
    part.rename(out)
    return found


def _stories(folder: Path) -> Iterator[StoryLatents]:
    for path in sorted(folder.glob("*.safetensors")):
        yield from read_shard(path)


def main() -> None:
    """Put the components in from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="Wan folder to start from")
    parser.add_argument("--latents", type=Path, required=True, help="folder of story shards")
    parser.add_argument("--out", type=Path, required=True, help="Wan folder to write")
    parser.add_argument("--num-stories", type=int, default=192, help="stories to look at")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    given = parser.parse_args()
    if given.out.exists():  # written whole or not at all: a plan that goes on skips it
        print(f"{given.out} is there already.")
        return
    torch.set_num_threads(given.threads)
    stories = list(islice(_stories(given.latents), given.num_stories))
    found = install(given.checkpoint, stories, given.out)
    print(
        f"{len(found.deviations_K)} components tell {found.explained:.1%} of what the reduced "
        f"clips leave open. Written to {given.out}."
    )


if __name__ == "__main__":
    main()
