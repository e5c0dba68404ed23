"""Stage 2: draw stories and keep their latents, so that the transformer stages read, not encode.

Run as `python -m engine.train.latents --vae runs/tiny_vae/vae --out runs/latents`. A shard holds
32 stories; a shard that exists is skipped, so running the command again continues.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.models.checkpoint import load_vae
from engine.train.clips import to_pixels
from engine.train.formats import fast_autocast
from engine.train.one_pass_vae import encode_parallel
from engine.train.world.attributes import colour_pixels
from engine.train.world.canvas import FIGURE, HEIGHT, PROP, SIGN, WIDTH
from engine.train.world.captions import in_full
from engine.train.world.draw import draw_shot
from engine.train.world.script import ShotScript
from engine.train.world.story import VALIDATION_SEEDS, Story, WorldDials, tell
from engine.video.vae import normalise, reduce_clip

STORIES_PER_SHARD = 32
LOOK_ENERGY = 600 * 12_000.0
"""Pixels times squared distance of a colour whose cells weigh 1: a shirt in a wide shot."""
MOST_LOOK = 6.0
"""Most that a cell full of one colour weighs: a strand of hair is a few pixels."""
LENGTHS = {17: 0.72, 9: 0.1, 25: 0.1, 33: 0.08}
"""Share of the stories by the pixel frames of their shots."""


@dataclass(frozen=True, kw_only=True)
class Retakes:
    """The shots of one story with looks gone wrong after the first of each person."""

    latents_SCTHW: Tensor
    lr_SCTHW: Tensor


@dataclass(frozen=True, kw_only=True)
class StoryLatents:
    """One story as the transformer stages see it."""

    seed: int
    latents_SCTHW: Tensor
    """Normalised latents of S shots."""
    lr_SCTHW: Tensor
    """Normalised latents of the reduced clips."""
    salience_STHW: Tensor
    """Share of each latent cell that people, props and signs cover, 0 to 255."""
    looks_STHW: Tensor
    """How much each latent cell says about looks: see `looks_of`."""
    captions: tuple[str, ...]
    descriptions: tuple[str, ...]
    """The captions with every look and place told in full: what a shot without memory needs."""
    same_person: tuple[tuple[int, ...], ...]
    """Per shot, earlier shots that show an acting character."""
    retakes: Retakes | None = None
    """Its later shots with looks gone wrong, where they were drawn (`engine.train.retakes`)."""


def dials_of(seed: int) -> WorldDials:
    """Return what the story of `seed` contains: mostly the simple diet, some of everything."""
    rng = random.Random(seed ^ 0x5EED)
    num_frames = rng.choices(list(LENGTHS), list(LENGTHS.values()))[0]
    if rng.random() < 0.12:
        return WorldDials(
            num_frames=num_frames, min_shots=3, two_people=0.4, max_count=3, weather=0.3, text=0.5
        )
    return WorldDials(num_frames=num_frames, min_shots=3, text=0.35)


def encode_story(
    vae: AutoencoderKLWan, story: Story, rate_hwt: tuple[int, int, int] = (2, 2, 2)
) -> StoryLatents:
    """Return the latents of a story; the reduced clips are made from the drawn frames."""
    return encode_rates(vae, story, (rate_hwt,))[rate_hwt]


@torch.no_grad()
def encode_rates(
    vae: AutoencoderKLWan, story: Story, rates: Sequence[tuple[int, int, int]]
) -> dict[tuple[int, int, int], StoryLatents]:
    """Return the latents of a story by memory rate; only the reduced clips differ."""
    latents: list[Tensor] = []
    reduced: dict[tuple[int, int, int], list[Tensor]] = {rate: [] for rate in rates}
    salience: list[Tensor] = []
    looks: list[Tensor] = []
    for shot in story.shots:
        drawn = draw_shot(shot)
        frames_FHW3 = torch.from_numpy(drawn.frames_FHW3)
        salience.append(salience_of(torch.from_numpy(drawn.labels_FHW)))
        looks.append(looks_of(shot))
        latents.append(encoded(vae, frames_FHW3))
        for rate, kept in reduced.items():
            kept.append(encoded(vae, reduce_clip(frames_FHW3, rate)))
    full_SCTHW, salience_STHW = torch.cat(latents), torch.stack(salience)
    return {
        rate: StoryLatents(
            seed=story.seed,
            latents_SCTHW=full_SCTHW,
            lr_SCTHW=torch.cat(kept),
            salience_STHW=salience_STHW,
            looks_STHW=torch.stack(looks),
            captions=tuple(shot.caption for shot in story.shots),
            descriptions=descriptions_of(story),
            same_person=tuple(shot.same_person for shot in story.shots),
        )
        for rate, kept in reduced.items()
    }


@torch.no_grad()
def with_rate(
    vae: AutoencoderKLWan, story: StoryLatents, rate_hwt: tuple[int, int, int]
) -> StoryLatents:
    """Return a story of a shard with the reduced clips of another memory rate.

    Only the frames that the rate keeps are drawn again, so this costs a fraction of encoding it.
    """
    rate, _, rate_t = rate_hwt
    reduced = []
    for shot in tell(story.seed, dials_of(story.seed)).shots:
        picks = range(0, shot.num_frames, rate_t)
        frames_FHW3 = torch.from_numpy(draw_shot(shot, picks).frames_FHW3)
        reduced.append(encoded(vae, reduce_clip(frames_FHW3, (rate, rate, 1))))
    return replace(story, lr_SCTHW=torch.cat(reduced), retakes=None)


def encoded(vae: AutoencoderKLWan, frames_FHW3: Tensor) -> Tensor:
    """Return the normalised latents 1 C T H W of frames in 0..255."""
    with fast_autocast():
        mean, _ = encode_parallel(vae, to_pixels(frames_FHW3.numpy())[None])
    return normalise(vae, mean.float())


def descriptions_of(story: Story) -> tuple[str, ...]:
    """Return a caption of every shot that tells all of it."""
    rng = random.Random(story.seed)
    return tuple(in_full(shot, rng).caption for shot in story.shots)


def salience_of(labels_FHW: Tensor) -> Tensor:
    """Return the share of every latent cell (8x8 pixels, 4 frames, the first alone) that matters.

    People, props and signs: small areas that a plain mean over the picture hardly weighs.
    """
    matters_FHW = torch.isin(labels_FHW, torch.tensor([SIGN, PROP])) | (labels_FHW >= FIGURE)
    cells_FHW = F.avg_pool2d(matters_FHW[None].float(), 8)[0]
    rest = cells_FHW[1:].view(-1, 4, *cells_FHW.shape[1:]).mean(1)
    return torch.cat([cells_FHW[:1], rest]).mul(255).round().to(torch.uint8)


def looks_of(shot: ShotScript) -> Tensor:
    """Return how much each latent cell T H W says about looks: about 1 where a shirt fills it.

    Skin, hair or trousers cover a fiftieth of a wide picture, and tan differs from pale by little,
    so a plain error hardly sees them. Here each colour of a look counts alike in a picture: its
    cells weigh the more, the smaller its area times the squared distance to the nearest colour.
    """
    picks = [0, *range(2, shot.num_frames, 4)]
    rows, columns = HEIGHT // 8, WIDTH // 8
    total_THW = torch.zeros(len(picks), rows, columns)
    for pixels_FHW, distance in colour_pixels(shot, picks):
        shares_THW = F.avg_pool2d(torch.from_numpy(pixels_FHW)[None].float(), 8)[0]
        energy = float(pixels_FHW.sum()) / len(picks) * distance
        total_THW += min(LOOK_ENERGY / max(energy, 1.0), MOST_LOOK) * shares_THW
    return total_THW.half()


def write_shard(path: Path, stories: list[StoryLatents]) -> None:
    """Write `stories` as one safetensors file in half precision; whole or not at all."""
    tensors: dict[str, Tensor] = {}
    rows = []
    for story in stories:
        tensors[f"{story.seed}.latents"] = story.latents_SCTHW.half().contiguous()
        tensors[f"{story.seed}.lr"] = story.lr_SCTHW.half().contiguous()
        tensors[f"{story.seed}.salience"] = story.salience_STHW.contiguous()
        tensors[f"{story.seed}.looks"] = story.looks_STHW.contiguous()
        rows.append([story.seed, story.captions, story.descriptions, story.same_person])
    part = path.with_suffix(".partial")
    save_file(tensors, part, metadata={"stories": json.dumps(rows)})
    part.replace(path)


def read_shard(path: Path) -> Iterator[StoryLatents]:
    """Yield the stories of a shard.

    Raises:
        ValueError: it was written before looks had weights.
    """
    with safe_open(path, "pt") as file:
        if not any(name.endswith(".looks") for name in file.keys()):  # noqa: SIM118, no mapping
            raise ValueError(
                f"{path} has no weights of looks: an older version wrote it. Delete the shards in "
                f"{path.parent} and run `python -m engine.train.latents` again."
            )
        for seed, captions, descriptions, same_person in json.loads(file.metadata()["stories"]):
            yield StoryLatents(
                seed=seed,
                latents_SCTHW=file.get_tensor(f"{seed}.latents"),
                lr_SCTHW=file.get_tensor(f"{seed}.lr"),
                salience_STHW=file.get_tensor(f"{seed}.salience"),
                looks_STHW=file.get_tensor(f"{seed}.looks"),
                captions=tuple(captions),
                descriptions=tuple(descriptions),
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
    end = arguments.first_seed + arguments.num_stories
    for first in range(arguments.first_seed, end, STORIES_PER_SHARD):
        path = arguments.out / f"{first:07d}.safetensors"
        if path.exists():
            continue
        seeds = range(first, min(first + STORIES_PER_SHARD, end))
        stories = [encode_story(vae, tell(seed, dials_of(seed))) for seed in seeds]
        write_shard(path, stories)
        frames += sum(
            s.latents_SCTHW.shape[0] * (4 * s.latents_SCTHW.shape[2] - 3) for s in stories
        )
        rate = frames / (time.monotonic() - start)
        print(f"{path.name} {rate:.0f} frames/s pid {os.getpid()}", flush=True)


if __name__ == "__main__":
    main()
