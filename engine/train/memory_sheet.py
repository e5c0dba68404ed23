"""What a memory stage draws by now: recalled latents and next shots, as rows of a contact sheet."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from engine.context import EMPTY, Context
from engine.sampling.sampler import denoise
from engine.train.assemble import build_scheduler
from engine.train.batches import MemoryBatch, next_shot_batch
from engine.train.latents import StoryLatents
from engine.train.trainee import Trainee
from engine.video import vae as video_vae
from engine.video.sheet import Picture, contact_sheet, write_sheet

COLUMNS = ("past (VAE)", "recalled", "next (VAE)", "own memory", "no memory")
NUM_STEPS = 6


@torch.no_grad()
def write_memory_sheet(trainee: Trainee, stories: Sequence[StoryLatents], path: Path) -> None:
    """Write a row per story: a past shot and its recall, the next shot and two renders of it.

    One step from pure noise for the recall, six steps without guidance for the next shot.
    """
    batch = next_shot_batch(stories, 2, random.Random(0))
    noise = torch.randn(batch.target_BCTHW.shape, generator=torch.Generator().manual_seed(0))
    own = trainee.memory_context(batch.past_BNCTHW, batch.past_lr_BNCTHW, batch.prompt_share_BN)
    unnamed = trainee.memory_context(batch.past_BNCTHW, batch.past_lr_BNCTHW)
    latents = (
        batch.past_BNCTHW[:, -1],
        _recalled(trainee, batch, noise, unnamed),
        batch.target_BCTHW,
        _drawn(trainee, batch, noise, own),
        _drawn(trainee, batch, noise, EMPTY),
    )
    columns = [_middle_frames(trainee, part) for part in latents]
    rows = [
        (caption, [column[i] for column in columns]) for i, caption in enumerate(batch.captions)
    ]
    write_sheet(path, contact_sheet(COLUMNS, rows))


def _recalled(trainee: Trainee, batch: MemoryBatch, noise: Tensor, context: Context) -> Tensor:
    length = noise.shape[2]
    times = torch.arange(length).expand(len(noise), -1) - length
    text = trainee.embed([""]).expand(len(noise), -1, -1)
    velocity: Tensor = trainee(noise, torch.ones(len(noise)), text, context, times)
    return noise - velocity.float()


def _drawn(trainee: Trainee, batch: MemoryBatch, noise: Tensor, context: Context) -> Tensor:
    text = trainee.embed(batch.captions)

    def velocity(latents: Tensor, sigma: float) -> Tensor:
        levels = torch.full((len(latents),), sigma)
        out: Tensor = trainee(latents, levels, text, context, batch.times_BT)
        return out.float()

    latents = noise
    for step in denoise(velocity, noise, build_scheduler(), NUM_STEPS):
        latents = step.latents_BCTHW
    return latents


def _middle_frames(trainee: Trainee, latents_BCTHW: Tensor) -> list[Picture]:
    middle = 1 + latents_BCTHW.shape[2] // 2
    pictures = []
    for latents_CTHW in latents_BCTHW.float():
        frames = video_vae.decode(trainee.vae[0], latents_CTHW[None, :, :middle])
        picture: Picture = frames[-1].numpy()
        pictures.append(picture)
    return pictures
