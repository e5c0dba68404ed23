"""How often the continuity lint is right: colours and features of one person against another's.

Run as `python -m engine.evaluate.lint --out docs/measurements/lint.md`. Each later shot of a drawn
story is measured as it is, with only its shirt recoloured, and with somebody else in it.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine import continuity
from engine.continuity import NUM_FRAMES, Look
from engine.evaluate.films import open_model, table_parser, words_of_command
from engine.evaluate.report import Report, Table, facts_of, write_report
from engine.evaluate.scores import score
from engine.recipes import Model
from engine.train.world.characters import cast
from engine.train.world.draw import draw_shot
from engine.train.world.script import ShotScript
from engine.train.world.story import TEST_SEEDS, VALIDATION_SEEDS, WorldDials, tell
from engine.train.world.vocabulary import COLOURS
from engine.video import vae as video_vae

VARIANTS = ("same", "shirt", "other")
MOST_PAST = 3
"""Earlier shots of the same person that a shot is compared with, as the studio does."""
ALLOWED = 0.03
"""Share of false notes among unchanged shots that the thresholds are set for."""


@dataclass(frozen=True, kw_only=True)
class LintPlan:
    """What is drawn."""

    num_stories: int = 60
    num_encoded: int = 12
    """Stories of them whose shots go through the VAE too: latents cost more than all the rest."""
    num_shots: int = 5
    seed: int = 0


QUICK = LintPlan(num_stories=3, num_encoded=1, num_shots=3)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One shot against the earlier shots of the same person."""

    story: int
    variant: str
    """same: as the story has it; shirt: another shirt colour; other: another person."""
    num_past: int
    scores: dict[str, float]
    """colours; features where the story was encoded."""


def measure(model: Model, plan: LintPlan, seeds: range) -> Iterator[Measured]:
    """Yield the scores of every later shot that shows somebody seen before."""
    rng = random.Random(plan.seed)
    dials = WorldDials(min_shots=plan.num_shots, max_shots=plan.num_shots)
    for number in range(plan.num_stories):
        seen_by = model if number < plan.num_encoded else None
        looks: list[Look] = []
        for script in tell(seeds[number], dials).shots:
            looks.append(look_at_shot(script, seen_by))
            past = [looks[i] for i in script.same_person[-MOST_PAST:]]
            if not past:
                continue
            changed = {v: look_at_shot(recast(script, v, rng), seen_by) for v in VARIANTS[1:]}
            for variant, look in {"same": looks[-1], **changed}.items():
                scores = scores_of(look, past)
                yield Measured(story=number, variant=variant, num_past=len(past), scores=scores)


def scores_of(look: Look, past: Sequence[Look]) -> dict[str, float]:
    """Return the distances to the nearest of earlier shots, as the studio takes them."""
    found = {"colours": continuity.colours_against(look, past)}
    if len(look.features_ND):
        found["features"] = min(continuity.features_score(look, p) for p in past)
    return found


def recast(script: ShotScript, variant: str, rng: random.Random) -> ShotScript:
    """Return the shot with another shirt, or with somebody else in it; all else stays."""
    character = script.character
    if variant == "shirt":
        shirt = rng.choice([c for c in COLOURS if c not in (character.shirt, character.trousers)])
        character = dataclasses.replace(character, shirt=shirt)
    else:
        while character.shirt == script.character.shirt or character.hat == script.character.hat:
            (character,) = cast(rng, 1)
    return dataclasses.replace(script, characters=(character, *script.characters[1:]))


@torch.no_grad()
def look_at_shot(script: ShotScript, model: Model | None) -> Look:
    """Return what the lint measures of a drawn shot; None = without its latents."""
    last = script.num_frames - 1
    picks = [round(last * i / (NUM_FRAMES - 1)) for i in range(NUM_FRAMES)]
    frames = draw_shot(script, picks).frames_FHW3
    if model is None:
        return continuity.look_at(frames)
    with model.device.autocast():
        latents = video_vae.encode(model.parts.vae, torch.from_numpy(frames[:1]))
    return continuity.look_at(frames, latents[0, :, 0].float().cpu().numpy())


Limits = dict[str, dict[int, float]]
"""Thresholds by kind and by number of earlier shots."""


def thresholds(rows: Sequence[Measured]) -> Limits:
    """Return the scores that only `ALLOWED` of the unchanged shots exceed."""
    same = [row for row in rows if row.variant == "same"]
    found: Limits = {"colours": {}, "features": {}}
    for kind, limits in found.items():
        for num_past in sorted({row.num_past for row in same}):
            known = [r.scores[kind] for r in same if kind in r.scores and r.num_past == num_past]
            limits[num_past] = float(np.quantile(known, 1 - ALLOWED)) if known else float("inf")
    return found


def limits_of_studio() -> Limits:
    """Return the thresholds that the studio uses."""
    counts = range(1, MOST_PAST + 1)
    return {
        "colours": {n: continuity.colours_limit(n) for n in counts},
        "features": dict.fromkeys(counts, continuity.MAX_FEATURES_SCORE),
    }


def noted(row: Measured, kind: str, limits: Limits) -> bool:
    """Return whether the lint would say something about a shot."""
    names = limits if kind == "either" else (kind,)
    return any(row.scores[name] > limits[name][row.num_past] for name in names)


def area(rows: Sequence[Measured], kind: str, variant: str) -> float:
    """Return how often a changed shot scores above an unchanged one."""
    same = np.array([r.scores[kind] for r in rows if r.variant == "same"])
    changed = np.array([r.scores[kind] for r in rows if r.variant == variant])
    return float((changed[:, None] > same).mean() + 0.5 * (changed[:, None] == same).mean())


def table(rows: Sequence[Measured], limits: Limits) -> Table:
    """Return how often each kind of note is given, and how often it is right."""
    encoded = [row for row in rows if "features" in row.scores]
    lines = [_line("colours", rows, limits)]
    if encoded:
        lines += [_line("features", encoded, limits), _line("either", encoded, limits)]
    note = (
        "Share of shots with a note, with 95 % intervals over stories: a false one where nothing "
        "changed (`same`), a right one where only the shirt has another colour (`shirt`) or "
        "somebody else is drawn (`other`, the recall). Precision is that of `other` against as "
        "many unchanged shots; AUC is how often `other` scores above `same`. Thresholds are for "
        "one, two and three earlier shots."
    )
    columns = ("note", "threshold", "shots", *VARIANTS, "precision", "AUC")
    return Table(title="Notes about a person", columns=columns, rows=tuple(lines), note=note)


def _line(kind: str, rows: Sequence[Measured], limits: Limits) -> tuple[str, ...]:
    shares = {
        variant: score(
            (r.story, float(noted(r, kind, limits))) for r in rows if r.variant == variant
        )
        for variant in VARIANTS
    }
    same, shirt, other = (shares[variant] for variant in VARIANTS)
    assert same is not None and shirt is not None and other is not None  # all were measured
    precision = other.mean / max(1e-9, other.mean + same.mean)
    own = ("", "")
    if kind != "either":
        by_count = " / ".join(f"{limit:.1f}" for _, limit in sorted(limits[kind].items()))
        own = (by_count, f"{area(rows, kind, 'other'):.3f}")
    cells = (same.text(), shirt.text(), other.text())
    return (kind, own[0], str(same.num_values), *cells, f"{precision:.2f}", own[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__)
    parser.add_argument("--stories", type=int, default=LintPlan.num_stories)
    parser.add_argument("--encoded", type=int, default=LintPlan.num_encoded)
    parser.add_argument("--seed", type=int, default=LintPlan.seed, help="seed of the recasting")
    parser.add_argument(
        "--calibrate", action="store_true", help="find thresholds on validation stories"
    )
    options = parser.parse_args(arguments)
    model = open_model(options)
    plan = QUICK
    if not options.quick:
        plan = LintPlan(num_stories=options.stories, num_encoded=options.encoded, seed=options.seed)
    seeds = VALIDATION_SEEDS if options.calibrate else TEST_SEEDS
    rows = list(measure(model, plan, seeds))
    limits = thresholds(rows) if options.calibrate else limits_of_studio()
    facts = facts_of(model, "engine.evaluate.lint", words_of_command(arguments))
    which = "validation" if options.calibrate else "test"
    shots = sum(row.variant == "same" for row in rows)
    facts += (
        ("Sample", f"{shots} shots of {plan.num_stories} {which} stories, drawn, not rendered"),
    )
    facts += (("Seed", str(plan.seed)),)
    title = "Continuity lint"
    write_report(Report(title=title, facts=facts, tables=(table(rows, limits),)), options.out)


if __name__ == "__main__":
    main()
