"""Whether a character stays who they are: looks read off rendered shots that no caption describes.

Run as `python -m engine.evaluate.identity --out docs/measurements/identity.md`. Every test shot is
rendered with its own memory, with none and with another story's, and read by the judge.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from engine.evaluate.films import open_model, table_parser, words_of_command
from engine.evaluate.identity_tables import LOOKS, compared, mean_hits, tables
from engine.evaluate.judge import JUDGE
from engine.evaluate.renders import QUICK, IdentityPlan, MemoryKind, Outcome, render_all
from engine.evaluate.report import Report, facts_of, run_facts, write_report
from engine.evaluate.scores import score
from engine.evaluate.shelf import Shelf
from engine.evaluate.takes import Renderer
from engine.models.judge import Judge, load_judge
from engine.specs import LATER_SHARE
from engine.video.sheet import Picture, contact_sheet, write_sheet

NUM_SHEET_ROWS = 10
SHEET_COLUMNS = ("past (drawn)", "next (drawn)", "own memory", "no memory", "wrong memory")
_SHEET_KINDS: tuple[MemoryKind, ...] = ("drawn", "own", "none", "wrong")


def sheet_of(outcomes: Sequence[Outcome], strength: float) -> Picture:
    """Return the contact sheet of the comparison, memory read at the strength nearest the asked."""
    outcomes = compared(outcomes)
    nearest = min(
        {o.strength for o in outcomes if o.memory == "own"}, key=lambda s: abs(s - strength)
    )
    rows = []
    seen = {o.story: o.position for o in reversed(outcomes)}
    for story in sorted(seen)[:NUM_SHEET_ROWS]:
        by_kind = {
            o.memory: o
            for o in outcomes
            if (o.story, o.position) == (story, seen[story])
            and (o.strength == nearest or o.memory in ("drawn", "none", "wrong"))
        }
        first = by_kind["drawn"]
        pictures = [first.past_HW3, *(by_kind[kind].frame_HW3 for kind in _SHEET_KINDS)]
        caption = f"{first.position - 1} past: {first.caption}"
        rows.append((caption, [_array(picture) for picture in pictures]))
    return contact_sheet(SHEET_COLUMNS, rows)


def effects_of(outcomes: Sequence[Outcome], judge: Judge) -> list[dict[str, object]]:
    """Return what memory strength did to looks and actions, as `engine.train.release` takes it."""
    effects: list[dict[str, object]] = []
    groups: dict[float, list[Outcome]] = {}
    for outcome in compared(outcomes):
        if outcome.memory in ("own", "none"):
            strength = outcome.strength if outcome.memory == "own" else 0.0
            groups.setdefault(strength, []).append(outcome)
    for strength, group in sorted(groups.items()):
        for figure, names in (("looks kept", ("shirt", *LOOKS)), ("actions followed", ("action",))):
            known = [name for name in names if judge.is_reported(name)]
            value = score(mean_hits(group, known))
            if value is not None:
                percent = round(100 * value.mean)
                effects.append(
                    {"strength": strength, "figure": figure, "value": percent, "unit": "%"}
                )
    return effects


def _array(picture_HW3: torch.Tensor) -> Picture:
    array: Picture = picture_HW3.numpy()
    return array


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__, num_stories=IdentityPlan.num_stories)
    parser.add_argument("--judge", type=Path, default=JUDGE, help="folder of the judge")
    parser.add_argument(
        "--later",
        type=float,
        default=LATER_SHARE,
        help="how far later shots of a person say how they look: 0 = the first alone, 1 = as far",
    )
    parser.add_argument("--sheet", type=Path, help=f"PNG: {', '.join(SHEET_COLUMNS)}")
    parser.add_argument("--effects", type=Path, help="JSON for --effects of engine.train.release")
    options = parser.parse_args(arguments)
    if not 0 <= options.later <= 1:
        parser.error(f"--later is {options.later:g}. A share lies in 0..1.")
    start = time.monotonic()
    model, judge = open_model(options), load_judge(options.judge)
    plan = IdentityPlan(num_stories=options.stories)
    plan = dataclasses.replace(QUICK if options.quick else plan, seeds=tuple(options.seeds))
    renderer = Renderer(model, shelf=Shelf(options.cache), later=options.later)
    outcomes = list(render_all(renderer, judge, plan))
    facts = (
        *facts_of(model, "engine.evaluate.identity", words_of_command(arguments)),
        ("Sample", f"{plan.num_stories} test stories of {plan.num_shots} shots"),
        ("Looks", f"later shots of a person read the prompt by {options.later:g}, the first by 1"),
        ("Sampling", f"{model.card.num_steps} steps, text guidance {model.card.guidance:g}"),
        *run_facts(plan.seeds, renderer.num_rendered, start),
    )
    pages = tables(outcomes, judge, model.card.strength)
    write_report(Report(title="Identity", facts=facts, tables=pages), options.out)
    if options.effects:
        text = json.dumps(effects_of(outcomes, judge), indent=1)
        options.effects.write_text(text + "\n", "utf-8")
    if options.sheet:
        write_sheet(options.sheet, sheet_of(outcomes, model.card.strength))


if __name__ == "__main__":
    main()
