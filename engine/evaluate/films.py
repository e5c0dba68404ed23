"""Test stories put into memory: drawn shots, encoded and remembered by the studio's own program."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.context import Memory, MemoryEntry, MemoryState
from engine.device.probe import choose_device
from engine.recipes import EMBEDDED, Model, load_model, wan
from engine.render import Decoded, Remembered, ShotRequest, render_shot, shot_latents
from engine.train.world.draw import draw_shot
from engine.train.world.script import ShotScript
from engine.train.world.story import TEST_SEEDS, Story, WorldDials, tell
from engine.video import vae as video_vae

SYSTEM = "frame_preservation"


@dataclass(frozen=True, kw_only=True)
class FilmedShot:
    """A drawn shot as footage that memory has seen."""

    script: ShotScript
    drawn_FHW3: torch.Tensor
    soft_FHW3: torch.Tensor
    """The same frames through the VAE: the most that any model with this VAE can show."""
    entry: MemoryEntry


@dataclass(frozen=True, kw_only=True)
class Take:
    """A shot the model made."""

    frames_FHW3: torch.Tensor
    entries: tuple[MemoryEntry, ...]


def memory_of(model: Model) -> Memory:
    """Return the memory system that is measured."""
    return model.memories[SYSTEM]


def published_story(number: int, *, num_shots: int, text: float = 0.35) -> Story:
    """Return published test story `number` with exactly `num_shots` shots of one person each."""
    dials = WorldDials(min_shots=num_shots, max_shots=num_shots, text=text)
    return tell(TEST_SEEDS[number], dials)


@torch.no_grad()
def film(model: Model, story: Story) -> list[FilmedShot]:
    """Return the shots of `story` as imported footage, each with its memory entry."""
    memory = memory_of(model)
    filmed: list[FilmedShot] = []
    state: MemoryState = ()
    for index, script in enumerate(story.shots):
        drawn = torch.from_numpy(draw_shot(script).frames_FHW3)
        with model.device.autocast():
            latents = video_vae.encode(model.parts.vae, drawn)
            latents = latents.to(torch.bfloat16).float()  # as in the blob of a take
            soft = video_vae.decode(model.parts.vae, latents)
        digest = f"{story.seed}.{index}"
        shot = shot_latents(model, memory, latents, soft, digest=digest)
        entry = memory.remember(state, shot)
        state = (*state, entry)
        filmed.append(FilmedShot(script=script, drawn_FHW3=drawn, soft_FHW3=soft, entry=entry))
    return filmed


def make_take(
    model: Model, script: ShotScript, state: MemoryState, *, strength: float, seed: int
) -> Take:
    """Return the shot that the studio would render from the caption alone and `state`."""
    height, width = 96, 160
    request = ShotRequest(
        prompt=script.caption,
        num_frames=script.num_frames,
        width=width,
        height=height,
        seed=seed,
        num_steps=model.card.num_steps,
        guidance=model.card.guidance,
        strength=strength,
        memory_system=SYSTEM,
    )
    frames: list[torch.Tensor] = []
    entries: tuple[MemoryEntry, ...] = ()
    for event in render_shot(model, request, state, keep=lambda latents: f"take.{seed}"):
        if isinstance(event, Decoded):
            frames.append(event.frames_FHW3)
        elif isinstance(event, Remembered):
            entries = event.entries
    return Take(frames_FHW3=torch.cat(frames), entries=entries)


def table_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the options that every table has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--checkpoint", type=Path, default=EMBEDDED, help="Wan folder to measure")
    parser.add_argument("--out", type=Path, help="Markdown page to write, as in docs/measurements")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = by the machine")
    return parser


def open_model(arguments: argparse.Namespace) -> Model:
    """Return the model that the command line names."""
    device = choose_device(threads=arguments.threads)
    return load_model(wan(arguments.checkpoint), device)


def words_of_command(arguments: Sequence[str] | None) -> list[str]:
    """Return the words of the command line, as given or as the process has them."""
    return list(sys.argv[1:] if arguments is None else arguments)
