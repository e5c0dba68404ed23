"""Stage 2: draw stories and keep their latents, so that the transformer stages read, not encode.

Run as `python -m engine.train.latents --vae runs/tiny_vae/vae --out runs/latents`. A shard holds
32 stories; a shard that exists is skipped, so running the command again continues.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.models.checkpoint import load_vae
from engine.train.clips import to_pixels
from engine.train.one_pass_vae import encode_parallel
from engine.train.world.draw import draw_shot
from engine.train.world.story import VALIDATION_SEEDS, Story, WorldDials, tell
from engine.video.vae import normalise, reduce_clip

STORIES_PER_SHARD = 32
LENGTHS = {17: 0.72, 9: 0.1, 25: 0.1, 33: 0.08}
"""Share of the stories by the pixel frames of their shots."""


@dataclass(frozen=True, kw_only=True)
class StoryLatents:
    """One story as the transformer stages see it."""

    seed: int
    latents_SCTHW: Tensor
    """Normalised latents of S shots."""
    lr_SCTHW: Tensor
    """Normalised latents of the reduced clips."""
    captions: tuple[str, ...]
    same_person: tuple[tuple[int, ...], ...]
    """Per shot, earlier shots that show an acting character."""


def dials_of(seed: int) -> WorldDials:
    """Return what the story of `seed` contains: mostly the simple diet, some of everything."""
    rng = random.Random(seed ^ 0x5EED)
    num_frames = rng.choices(list(LENGTHS), list(LENGTHS.values()))[0]
    if rng.random() < 0.12:
        return WorldDials(
            num_frames=num_frames, min_shots=3, two_people=0.4, max_count=3, weather=0.3, text=0.5
        )
    return WorldDials(num_frames=num_frames, min_shots=3, text=0.35)


@torch.no_grad()
def encode_story(
    vae: AutoencoderKLWan, story: Story, rate_hwt: tuple[int, int, int] = (2, 2, 2)
) -> StoryLatents:
    """Return the latents of a story; the reduced clips are made from the drawn frames."""
    latents: list[Tensor] = []
    reduced: list[Tensor] = []
    for shot in story.shots:
        frames_FHW3 = draw_shot(shot).frames_FHW3
        small_FHW3 = reduce_clip(torch.from_numpy(frames_FHW3), rate_hwt)
        for clip, kept in ((frames_FHW3, latents), (small_FHW3.numpy(), reduced)):
            with torch.autocast("cpu", torch.bfloat16):
                mean, _ = encode_parallel(vae, to_pixels(clip)[None])
            kept.append(normalise(vae, mean.float()))
    return StoryLatents(
        seed=story.seed,
        latents_SCTHW=torch.cat(latents),
        lr_SCTHW=torch.cat(reduced),
        captions=tuple(shot.caption for shot in story.shots),
        same_person=tuple(shot.same_person for shot in story.shots),
    )


def write_shard(path: Path, stories: list[StoryLatents]) -> None:
    """Write `stories` as one safetensors file in half precision; whole or not at all."""
    tensors: dict[str, Tensor] = {}
    rows = []
    for story in stories:
        tensors[f"{story.seed}.latents"] = story.latents_SCTHW.half().contiguous()
        tensors[f"{story.seed}.lr"] = story.lr_SCTHW.half().contiguous()
        rows.append([story.seed, story.captions, story.same_person])
    part = path.with_suffix(".partial")
    save_file(tensors, part, metadata={"stories": json.dumps(rows)})
    part.replace(path)


def read_shard(path: Path) -> Iterator[StoryLatents]:
    """Yield the stories of a shard."""
    with safe_open(path, "pt") as file:
        for seed, captions, same_person in json.loads(file.metadata()["stories"]):
            yield StoryLatents(
                seed=seed,
                latents_SCTHW=file.get_tensor(f"{seed}.latents"),
                lr_SCTHW=file.get_tensor(f"{seed}.lr"),
                captions=tuple(captions),
                same_person=tuple(tuple(past) for past in same_person),
            )


def validation_stories(vae: AutoencoderKLWan, num_stories: int) -> list[StoryLatents]:
    """Return held-out stories of default length, at least 4 shots each."""
    dials = WorldDials(min_shots=4, max_shots=6)
    return [encode_story(vae, tell(seed, dials)) for seed in VALIDATION_SEEDS[:num_stories]]


def main() -> None:
    """Encode stories from the command line until there are enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True, help="diffusers folder of the VAE")
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--num-stories", type=int, default=4096)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    vae = load_vae(arguments.vae)
    start, frames = time.monotonic(), 0
    for first in range(
        arguments.first_seed, arguments.first_seed + arguments.num_stories, STORIES_PER_SHARD
    ):
        path = arguments.out / f"{first:07d}.safetensors"
        if path.exists():
            continue
        seeds = range(first, first + STORIES_PER_SHARD)
        stories = [encode_story(vae, tell(seed, dials_of(seed))) for seed in seeds]
        write_shard(path, stories)
        frames += sum(
            s.latents_SCTHW.shape[0] * (4 * s.latents_SCTHW.shape[2] - 3) for s in stories
        )
        rate = frames / (time.monotonic() - start)
        print(f"{path.name} {rate:.0f} frames/s pid {os.getpid()}", flush=True)


if __name__ == "__main__":
    main()
