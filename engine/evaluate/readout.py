"""What memory tokens hold, read by a linear map instead of the transformer.

Run as `python -m engine.evaluate.readout --out docs/measurements/readout.md`. A ridge regression
from a token to the latents under it is fitted on training stories and measured on test stories, for
the tokens of phi, for its LR branch alone, and for as many principal components as a token is wide.
Where phi leaves more open than the components do, phi loses it; where recall leaves more open than
phi, the transformer does not read it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.evaluate.films import SYSTEM, memory_of, open_model, table_parser, words_of_command
from engine.evaluate.report import Report, Table, facts_of, run_facts, write_report
from engine.memory.memory_encoder import MemoryEncoder
from engine.recipes import Model
from engine.train.components import blocks_of
from engine.train.latents import StoryLatents, encode_story
from engine.train.world.story import TEST_SEEDS, WorldDials, tell

DIALS = WorldDials(min_shots=4, max_shots=4)
FIRST_SEED = 5_000
NUM_FITTED = 96
RIDGE = 1e-4

Tokens = Callable[[StoryLatents], Tensor]


@dataclass(frozen=True)
class Pairs:
    """Tokens and what lies under them, in float64."""

    tokens_ND: Tensor
    blocks_NE: Tensor


@torch.no_grad()
def pairs(stories: Sequence[StoryLatents], encoder: MemoryEncoder, tokens_of: Tokens) -> Pairs:
    """Return the tokens of `stories` with their blocks; those of first latents are left out."""
    tokens, blocks = [], []
    for story in stories:
        _, _, time_, height, width = story.latents_SCTHW.shape
        _, rows, columns = encoder.config.grid(time_, height, width)
        tokens.append(tokens_of(story)[:, rows * columns :].flatten(0, 1).double())
        blocks.append(blocks_of(story.latents_SCTHW, encoder).double())
    return Pairs(torch.cat(tokens), torch.cat(blocks))


def left_open(fitted: Pairs, held_out: Pairs) -> float:
    """Return the share of the held-out blocks' energy that a linear map of the tokens leaves."""
    mean_D, mean_E = fitted.tokens_ND.mean(0), fitted.blocks_NE.mean(0)
    scale_D = fitted.tokens_ND.std(0).clamp_min(1e-6)
    known = (fitted.tokens_ND - mean_D) / scale_D
    gram = known.T @ known / len(known) + RIDGE * torch.eye(len(mean_D), dtype=known.dtype)
    weight = torch.linalg.solve(gram, known.T @ (fitted.blocks_NE - mean_E) / len(known))
    guess = (held_out.tokens_ND - mean_D) / scale_D @ weight + mean_E
    energy = held_out.blocks_NE.pow(2).sum()
    return float((held_out.blocks_NE - guess).pow(2).sum() / energy)


def left_by_components(fitted: Pairs, held_out: Pairs, count: int) -> float:
    """Return the share that the `count` strongest principal components of the blocks leave."""
    mean_E = fitted.blocks_NE.mean(0)
    centred = fitted.blocks_NE - mean_E
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    kept = vectors[:, -count:]
    rest = held_out.blocks_NE - mean_E
    rest = rest - rest @ kept @ kept.T
    return float(rest.pow(2).sum() / held_out.blocks_NE.pow(2).sum())


def readings(model: Model, num_fitted: int, num_test: int) -> Iterator[tuple[str, int, float]]:
    """Yield what is read, how many numbers a token has, and the share it leaves open."""
    encoder: MemoryEncoder = memory_of(model, SYSTEM).encoder  # type: ignore[attr-defined]
    patch, vae = model.parts.transformer.patch_embedding, model.parts.vae
    first = [encode_story(vae, tell(FIRST_SEED + n, DIALS)) for n in range(num_fitted)]
    test = [encode_story(vae, tell(seed, DIALS)) for seed in TEST_SEEDS[:num_test]]

    def of_phi(story: StoryLatents) -> Tensor:
        tokens: Tensor = encoder(story.latents_SCTHW, story.lr_SCTHW, patch)
        return tokens

    def of_reduced(story: StoryLatents) -> Tensor:
        embedded: Tensor = patch(story.lr_SCTHW)
        return embedded.flatten(2).transpose(1, 2)

    width = encoder.config.width
    for name, tokens_of in (("tokens of phi", of_phi), ("its LR branch alone", of_reduced)):
        yield name, width, left_open(*(pairs(s, encoder, tokens_of) for s in (first, test)))
    fitted, held_out = (pairs(s, encoder, of_reduced) for s in (first, test))
    for count in (width // 4, width // 2, width):
        yield "principal components", count, left_by_components(fitted, held_out, count)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__, num_stories=24)
    options = parser.parse_args(arguments)
    start = time.monotonic()
    model = open_model(options)
    fitted, test = (2, 1) if options.quick else (NUM_FITTED, options.stories)
    rows = [
        (name, str(count), f"{share:.3f}") for name, count, share in readings(model, fitted, test)
    ]
    table = Table(
        title="What a linear map reads out of one token",
        columns=("what is read", "numbers", "energy left open"),
        rows=tuple(rows),
        note="Share of the energy of the latents under a token, first latents left out. Fitted on "
        f"{fitted} training stories, measured on {test} test stories of four shots.",
    )
    facts = (
        *facts_of(model, "engine.evaluate.readout", words_of_command(arguments)),
        *run_facts((), 4 * (fitted + test), start),
    )
    write_report(Report(title="Read-out", facts=facts, tables=(table,)), options.out)


if __name__ == "__main__":
    main()
