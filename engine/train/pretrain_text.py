"""Stage 2b: teach the text encoder what every word of a caption is, and about whom and what.

Run as `python -m engine.train.pretrain_text --checkpoint runs/base --out runs/text
--budget-steps 700`. Without it "red" in "a red cap, white trousers" says nothing about a cap: the
transformer alone learns places and framings within minutes and looks not in hours
(docs/training.md). The labels come from the caption's own words, so nothing has to be drawn.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import WanPipeline
from torch import Tensor, nn

from engine.models.checkpoint import load_checkpoint
from engine.train.assemble import build_text_encoder, write_checkpoint
from engine.train.latents import dials_of
from engine.train.loop import Budget, Curve, RandomState, TrainState, warm_constant_decay
from engine.train.memory_stage import load_phi
from engine.train.world.captions import in_full
from engine.train.world.story import TRAINING_SEEDS, VALIDATION_SEEDS, tell
from engine.train.world.vocabulary import HATS, LANDMARKS, NAMES

NOUNS = (
    *("shirt", "trousers", "hair", "skin", "sign", "hat", *HATS[1:], *LANDMARKS.values()),
    *("ball", "balls", "balloon", "balloons"),
)
"""What words are about: label k + 1 is NOUNS[k], 0 is nothing."""
_REACH = 3  # words before its noun that a phrase has at most
_ENDS = frozenset(".,:;") | {"and"}
_FULL_SHARE = 0.7
_IGNORED = -1
_SHARP = 6.0  # of an attention logit: a head with it looks at one neighbour
_EVERY = 50
COLUMNS = ("step", "seconds", "loss", "noun", "person", "word", "distance")


@dataclass(frozen=True, kw_only=True)
class TextStage:
    """How to train the text encoder."""

    checkpoint: Path
    """Wan folder whose text encoder is replaced."""
    out: Path
    """Folder for state, curve and the new checkpoint."""
    budget_steps: int
    batch_size: int = 16
    learning_rate: float = 1e-3
    closeness: float = 0.0
    """Weight of staying near the outputs of the encoder that is replaced, for a transformer that
    has learnt to read them: only for words about no noun, whose meaning was not lost. 0 = for an
    untrained transformer."""
    seed: int = 0


def word_labels(pieces: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return, for every token of a caption, its noun (index in NOUNS + 1) and its person.

    A word is about the next noun of its phrase, at most three words on; a sentence is about the
    name that was said last in it. 0 = none.
    """
    nouns, people, person = [], [], 0
    for index, piece in enumerate(pieces):
        if piece == ".":
            person = 0
        elif piece in NAMES:
            person = 1 + NAMES.index(piece)
        people.append(person)
        nouns.append(_noun_ahead(pieces[index : index + _REACH + 1]))
    return nouns, people


def _noun_ahead(pieces: Sequence[str]) -> int:
    for piece in pieces:
        if piece in _ENDS:
            return 0
        if piece in NOUNS:
            return 1 + NOUNS.index(piece)
    return 0


def look_at_neighbours(encoder: Any) -> None:
    """Let three heads of every layer begin by looking at the word before, after and after that.

    A T5 bias starts near zero and moves by its learning rate a step: from there position takes
    thousands of steps to matter. Buckets of UMT5: k for k words before, 16 + k for k after.
    """
    with torch.no_grad():
        for bias in _biases(encoder):
            half = bias.shape[0] // 2
            for head, bucket in enumerate((1, half + 1, half + 2)):
                bias[bucket, head] += _SHARP


class TextTraining:
    """The new encoder with everything that changes while it is trained."""

    def __init__(self, stage: TextStage) -> None:
        torch.manual_seed(stage.seed)
        self.stage = stage
        self.parts = load_checkpoint(stage.checkpoint)
        self.before = self.parts.text_encoder.float().requires_grad_(requires_grad=False)
        self.encoder = build_text_encoder(len(self.parts.tokenizer))
        self.encoder.shared.weight.data.copy_(self.before.shared.weight)
        look_at_neighbours(self.encoder)
        width = self.encoder.config.d_model
        self.readers = nn.ModuleDict(
            {
                "noun": nn.Linear(width, 1 + len(NOUNS)),
                "person": nn.Linear(width, 1 + len(NAMES)),
                "word": nn.Linear(width, len(self.parts.tokenizer)),
            }
        )
        self.optimiser = _optimiser(self.encoder, self.readers, stage.learning_rate)
        self.rates = [group["lr"] for group in self.optimiser.param_groups]
        self.rng = random.Random(stage.seed)
        self.budget = Budget(steps=stage.budget_steps)
        self.curve = Curve(stage.out / "curve.csv", COLUMNS)
        self.state = TrainState(
            stage.out / "state.pt",
            {
                "encoder": self.encoder,
                "readers": self.readers,
                "adamw": self.optimiser,
                "rng": RandomState(self.rng),
                "budget": self.budget,
                "curve": self.curve,
            },
        )

    def step(self) -> float:
        """Take one step and return its loss."""
        factor = warm_constant_decay(self.budget.fraction, self.budget.step)
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        captions = [_caption(self.rng, TRAINING_SEEDS) for _ in range(self.stage.batch_size)]
        losses = self.losses(captions)
        loss = sum(losses[name] for name in self.readers)
        loss = loss + self.stage.closeness * losses["distance"]
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
        self.optimiser.step()
        self.budget.step += 1
        return float(loss.detach())

    def losses(self, captions: Sequence[str]) -> dict[str, Tensor]:
        """Return cross entropies of noun, person and word, and the distance to the old outputs."""
        batch, labels = self._tokens(captions)
        mask = batch.attention_mask
        hidden = self.encoder(batch.input_ids, mask).last_hidden_state
        with torch.no_grad():
            before = self.before(batch.input_ids, mask).last_hidden_state
        kept = (mask * (labels["noun"] == 0))[..., None].float()
        distance = ((hidden - before).pow(2) * kept).sum() / (before.pow(2) * kept).sum()
        losses = {
            name: F.cross_entropy(
                reader(hidden).flatten(0, 1), labels[name].flatten(), ignore_index=_IGNORED
            )
            for name, reader in self.readers.items()
        }
        return {**losses, "distance": distance}

    @torch.no_grad()
    def accuracies(self, num_captions: int = 64) -> dict[str, float]:
        """Return the share of words of held-out captions whose labels are read right, each."""
        rng = random.Random(0)
        batch, labels = self._tokens([_caption(rng, VALIDATION_SEEDS) for _ in range(num_captions)])
        hidden = self.encoder(batch.input_ids, batch.attention_mask).last_hidden_state
        shares = {}
        for name, reader in self.readers.items():
            is_said = labels[name] > 0
            is_right = reader(hidden).argmax(-1) == labels[name]
            shares[name] = float(is_right[is_said].float().mean())
        return shares

    def _tokens(self, captions: Sequence[str]) -> tuple[Any, dict[str, Tensor]]:
        tokenizer = self.parts.tokenizer
        batch = tokenizer(
            list(captions),
            padding="longest",
            max_length=self.parts.card.text_length,
            truncation=True,
            return_tensors="pt",
        )
        labels = {name: torch.full(batch.input_ids.shape, _IGNORED) for name in self.readers}
        for row, ids in enumerate(batch.input_ids):
            length = int(batch.attention_mask[row].sum())
            pieces = tokenizer.convert_ids_to_tokens(ids[:length].tolist())
            for name, values in zip(("noun", "person"), word_labels(pieces), strict=True):
                labels[name][row, :length] = torch.tensor(values)
            labels["word"][row, :length] = ids[:length]
        return batch, labels


def train(stage: TextStage) -> Iterator[dict[str, float]]:
    """Train until the budget is spent and write the checkpoint; yield a row at every evaluation.

    A run in `out` is continued.
    """
    stage.out.mkdir(parents=True, exist_ok=True)
    training = TextTraining(stage)
    if training.state.path.exists():
        training.state.load()
    budget = training.budget
    while not budget.is_spent:
        loss = training.step()
        if budget.step % _EVERY == 0 or budget.is_spent:
            with training.budget.paused(), torch.no_grad():
                distance = training.losses([_caption(random.Random(1), VALIDATION_SEEDS)])
                row = {"step": budget.step, "seconds": budget.spent_seconds, "loss": loss}
                row |= {**training.accuracies(), "distance": float(distance["distance"])}
                row = {name: round(value, 4) for name, value in row.items()}
                training.curve.add(**row)
                training.state.save()
            yield row
    export(training)


def export(training: TextTraining) -> Path:
    """Write the checkpoint with its new text encoder and return the folder."""
    parts, stage = training.parts, training.stage
    pipeline = WanPipeline(
        tokenizer=parts.tokenizer,
        text_encoder=training.encoder,
        vae=parts.vae,
        scheduler=parts.scheduler,
        transformer=parts.transformer,
    )
    folder = stage.out / "checkpoint"
    write_checkpoint(pipeline, load_phi(stage.checkpoint), parts.card, folder)
    return folder


def _optimiser(encoder: Any, readers: nn.Module, learning_rate: float) -> torch.optim.AdamW:
    biases = _biases(encoder)
    others = [w for w in encoder.parameters() if all(w is not bias for bias in biases)]
    groups = [
        {"params": others, "lr": learning_rate},
        {"params": biases, "lr": 20 * learning_rate},
        {"params": list(readers.parameters()), "lr": 3 * learning_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.0)


def _biases(encoder: Any) -> list[Tensor]:
    return [w for name, w in encoder.named_parameters() if "relative_attention_bias" in name]


def _caption(rng: random.Random, seeds: range) -> str:
    seed = rng.choice(seeds)
    shot = rng.choice(tell(seed, dials_of(seed)).shots)
    return (in_full(shot, rng) if rng.random() < _FULL_SHARE else shot).caption


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="Wan folder to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; resumed if any")
    parser.add_argument("--budget-steps", type=int, default=700)
    parser.add_argument(
        "--closeness", type=float, default=0.0, help="stay near the encoder that is replaced"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    values = vars(parser.parse_args())
    torch.set_num_threads(values.pop("threads"))
    stage = TextStage(**values)
    for row in train(stage):
        print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    print(f"Exported to {stage.out / 'checkpoint'}.")


if __name__ == "__main__":
    main()
