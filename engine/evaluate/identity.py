"""Whether a character stays who they are: looks read off rendered shots that no caption describes.

Run as `python -m engine.evaluate.identity --out docs/measurements/identity.md`. Every test shot is
rendered with its own memory, with none and with another story's, and read by the judge.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from engine.evaluate.films import open_model, table_parser, words_of_command
from engine.evaluate.identity_tables import compared, tables
from engine.evaluate.renders import QUICK, IdentityPlan, MemoryKind, Outcome, render_all
from engine.evaluate.report import Report, facts_of, write_report
from engine.evaluate.sheet import Picture, contact_sheet, write_sheet
from engine.models.judge import load_judge
from engine.recipes import EMBEDDED

JUDGE = EMBEDDED.parent / "judge"
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
    for story in sorted({o.story for o in outcomes})[:NUM_SHEET_ROWS]:
        by_kind = {
            o.memory: o
            for o in outcomes
            if o.story == story and (o.strength == nearest or o.memory in ("drawn", "none"))
        }
        first = by_kind["drawn"]
        pictures = [first.past_HW3, *(by_kind[kind].frame_HW3 for kind in _SHEET_KINDS)]
        caption = f"{first.position - 1} past: {first.caption}"
        rows.append((caption, [_array(picture) for picture in pictures]))
    return contact_sheet(SHEET_COLUMNS, rows)


def _array(picture_HW3: torch.Tensor) -> Picture:
    array: Picture = picture_HW3.numpy()
    return array


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__)
    parser.add_argument("--judge", type=Path, default=JUDGE, help="folder of the judge")
    parser.add_argument("--stories", type=int, default=IdentityPlan.num_stories)
    parser.add_argument("--sheet", type=Path, help=f"PNG: {', '.join(SHEET_COLUMNS)}")
    options = parser.parse_args(arguments)
    model, judge = open_model(options), load_judge(options.judge)
    full = IdentityPlan(num_stories=options.stories, seed=options.seed)
    plan = dataclasses.replace(QUICK, seed=options.seed) if options.quick else full
    outcomes = list(render_all(model, judge, plan))
    facts = (
        *facts_of(model, "engine.evaluate.identity", words_of_command(arguments)),
        ("Sample", f"{plan.num_stories} test stories of {plan.num_shots} shots"),
        ("Sampling", f"{model.card.num_steps} steps, text guidance {model.card.guidance:g}"),
        ("Seed", str(plan.seed)),
    )
    pages = tables(outcomes, judge, model.card.strength)
    write_report(Report(title="Identity", facts=facts, tables=pages), options.out)
    if options.sheet:
        write_sheet(options.sheet, sheet_of(outcomes, model.card.strength))


if __name__ == "__main__":
    main()
