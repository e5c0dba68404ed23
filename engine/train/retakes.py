"""Draw the later shots of stories once more with looks gone wrong, beside their shards.

Run as `python -m engine.train.retakes --vae runs/tiny_vae/vae --latents runs/latents`. Fine-tuning
puts them into pasts, so that the first shot of a person is believed where a later one differs, and
a later one where the first shows nothing (docs/decisions/0015). A shard that has them is skipped.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from safetensors import safe_open
from safetensors.torch import save_file

from engine.models.checkpoint import load_vae
from engine.train.latents import Retakes, StoryLatents, dials_of, encoded, read_shard
from engine.train.world.draw import draw_shot
from engine.train.world.retakes import retaken
from engine.train.world.story import tell
from engine.video.vae import reduce_clip

FOLDER = "retakes"


@torch.no_grad()
def draw_retakes(
    vae: AutoencoderKLWan, story: StoryLatents, rate_hwt: tuple[int, int, int] = (2, 2, 2)
) -> Retakes:
    """Return the retakes of a story of a shard; shots that stay as they are are not encoded."""
    told = tell(story.seed, dials_of(story.seed))
    latents, reduced = story.latents_SCTHW.clone(), story.lr_SCTHW.clone()
    for index, (shot, again) in enumerate(zip(told.shots, retaken(told).shots, strict=True)):
        if again != shot:
            frames_FHW3 = torch.from_numpy(draw_shot(again).frames_FHW3)
            latents[index] = encoded(vae, frames_FHW3)[0].to(latents)
            reduced[index] = encoded(vae, reduce_clip(frames_FHW3, rate_hwt))[0].to(reduced)
    return Retakes(latents_SCTHW=latents, lr_SCTHW=reduced)


def add_retakes(vae: AutoencoderKLWan, shard: Path) -> None:
    """Draw the retakes of every story of a shard, and write them whole or not at all."""
    tensors = {}
    for story in read_shard(shard):
        drawn = draw_retakes(vae, story)
        tensors[f"{story.seed}.latents"] = drawn.latents_SCTHW.half().contiguous()
        tensors[f"{story.seed}.lr"] = drawn.lr_SCTHW.half().contiguous()
    path = shard.parent / FOLDER / shard.name
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".partial")
    save_file(tensors, part)
    part.replace(path)


def read_retakes(shard: Path) -> dict[int, Retakes]:
    """Return the retakes beside a shard by the seed of their story; none where none were drawn."""
    path = shard.parent / FOLDER / shard.name
    if not path.exists():
        return {}
    with safe_open(path, "pt") as file:
        seeds = {int(name.split(".")[0]) for name in file.keys()}  # noqa: SIM118, no mapping
        return {
            seed: Retakes(
                latents_SCTHW=file.get_tensor(f"{seed}.latents"),
                lr_SCTHW=file.get_tensor(f"{seed}.lr"),
            )
            for seed in seeds
        }


def main() -> None:
    """Draw what is missing from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True, help="diffusers folder of the VAE")
    parser.add_argument("--latents", type=Path, required=True, help="folder of story shards")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    vae = load_vae(arguments.vae)
    for shard in sorted(arguments.latents.glob("*.safetensors")):
        if not (shard.parent / FOLDER / shard.name).exists():
            start = time.monotonic()
            add_retakes(vae, shard)
            print(f"{shard.name} {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
