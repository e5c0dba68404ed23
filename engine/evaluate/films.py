"""Test stories put into memory: drawn shots, encoded and remembered by the studio's own program."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from engine.context import Memory, MemoryEntry, MemoryState, Rule, Rules
from engine.device.probe import choose_device
from engine.evaluate.shelf import NO_SHELF, Shelf
from engine.memory.entries import from_bytes, to_bytes
from engine.recipes import EMBEDDED, Model, load_model, wan
from engine.render import shot_latents
from engine.specs import LATER_SHARE
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
    latents_BCTHW: torch.Tensor
    entry: MemoryEntry
    decode: Callable[[torch.Tensor], torch.Tensor] = field(repr=False)

    @cached_property
    def soft_frames(self) -> torch.Tensor:
        """The same frames through the VAE: the most that any model with this VAE can show."""
        return self.decode(self.latents_BCTHW)


@dataclass(frozen=True, kw_only=True)
class Past:
    """The shots that a render reads, oldest first: their entries, and whom their prompts name."""

    state: MemoryState = ()
    names: tuple[frozenset[str], ...] = ()
    """Empty sets where nothing says who is in a shot, as with footage."""

    def rules(self, asked: frozenset[str], *, later: float = LATER_SHARE) -> Rules:
        """Return how the entries are read by a shot that names the people in `asked`.

        As in the studio, the first shot that names somebody reads the prompt wholly, those `later`
        as far as that says.
        """
        rules, unseen = {}, set(asked)
        for index, names in enumerate(self.names):
            if names and not names & unseen:
                rules[index] = Rule(prompt_share=later if names & asked else 0.0)
            unseen -= names
        return rules


NO_PAST = Past()


def past_of(shots: Sequence[FilmedShot]) -> Past:
    """Return filmed shots as a render reads them."""
    return Past(
        state=tuple(shot.entry for shot in shots),
        names=tuple(names_of(shot.script) for shot in shots),
    )


def names_of(script: ShotScript) -> frozenset[str]:
    """Return the people that a shot's caption names."""
    return frozenset(character.name for character in script.characters)


def memory_of(model: Model, system: str = SYSTEM) -> Memory:
    """Return the memory system that is measured."""
    return model.memories[system]


def published_story(number: int, *, num_shots: int, text: float = 0.35) -> Story:
    """Return published test story `number` with exactly `num_shots` shots of one person each."""
    dials = WorldDials(min_shots=num_shots, max_shots=num_shots, text=text)
    return tell(TEST_SEEDS[number], dials)


@torch.no_grad()
def film(
    model: Model, story: Story, *, shelf: Shelf = NO_SHELF, system: str = SYSTEM
) -> list[FilmedShot]:
    """Return the shots of `story` as imported footage, each with its memory entry."""
    memory = memory_of(model, system)

    def decode(latents_BCTHW: torch.Tensor) -> torch.Tensor:
        with model.device.autocast():
            return video_vae.decode(model.parts.vae, latents_BCTHW)

    filmed: list[FilmedShot] = []
    state: MemoryState = ()
    for index, script in enumerate(story.shots):
        drawn = torch.from_numpy(draw_shot(script).frames_FHW3)
        picture = hashlib.sha256(drawn.numpy().tobytes()).hexdigest()
        key = ("filmed", memory.info.fingerprint, str(model.device.dtype), picture)
        kept = shelf.take(*key)
        if kept is None:
            with model.device.autocast():
                latents = video_vae.encode(model.parts.vae, drawn)
            latents = latents.to(torch.bfloat16).float()  # as in the blob of a take
            digest = f"{story.seed}.{index}"
            shot = shot_latents(model, memory, latents, decode(latents), digest=digest)
            entry = memory.remember(state, shot)
            data = torch.frombuffer(bytearray(to_bytes(entry)), dtype=torch.uint8)
            shelf.put({"latents": latents, "entry": data}, *key)
        else:
            latents = kept["latents"]
            entry = from_bytes(kept["entry"].numpy().tobytes(), memory)
        state = (*state, entry)
        filmed.append(
            FilmedShot(
                script=script, drawn_FHW3=drawn, latents_BCTHW=latents, entry=entry, decode=decode
            )
        )
    return filmed


def table_parser(
    description: str | None, *, num_stories: int | None = None
) -> argparse.ArgumentParser:
    """Return the options of a table; `num_stories` is the default of a full one, None = none."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--checkpoint", type=Path, default=EMBEDDED, help="Wan folder to measure")
    parser.add_argument("--out", type=Path, help="Markdown page to write, as in docs/measurements")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = by the machine")
    if num_stories is not None:
        parser.add_argument("--stories", type=int, default=num_stories, help="published stories")
        parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds of the noise")
        parser.add_argument("--cache", type=Path, help="folder for what other tables reuse")
    return parser


def open_model(arguments: argparse.Namespace) -> Model:
    """Return the model that the command line names."""
    device = choose_device(threads=arguments.threads)
    return load_model(wan(arguments.checkpoint), device)


def words_of_command(arguments: Sequence[str] | None) -> list[str]:
    """Return the words of the command line, as given or as the process has them."""
    return list(sys.argv[1:] if arguments is None else arguments)
