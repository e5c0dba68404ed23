"""Whether shots follow their prompts: place, action and framing, and looks that a caption tells.

Run as `python -m engine.evaluate.prompts --out docs/measurements/prompts.md`. Later shots are
rendered with their own memory and with none; first shots, whose captions describe, with none.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.evaluate.films import (
    NO_PAST,
    FilmedShot,
    film,
    open_model,
    published_story,
    table_parser,
    words_of_command,
)
from engine.evaluate.identity_tables import LOOKS, cell, judge_table, mean_cell, memory_table
from engine.evaluate.judge import JUDGE
from engine.evaluate.renders import (
    QUICK,
    Asked,
    IdentityPlan,
    Outcome,
    ask,
    compared_targets,
    judged,
    target_of,
)
from engine.evaluate.report import Report, Table, facts_of, run_facts, write_report
from engine.evaluate.shelf import Shelf
from engine.evaluate.takes import Renderer
from engine.models.judge import Judge, load_judge
from engine.train.world.attributes import APPEARANCE, STAGING


def render_prompts(renderer: Renderer, judge: Judge, plan: IdentityPlan) -> Iterator[Outcome]:
    """Yield first shots, and later shots with and without memory, beside the true ones."""
    strength = renderer.model.card.strength
    for start in range(0, plan.num_stories, plan.group):
        numbers = range(start, min(start + plan.group, plan.num_stories))
        filmed: dict[int, list[FilmedShot]] = {
            number: film(
                renderer.model,
                published_story(number, num_shots=plan.num_shots),
                shelf=renderer.shelf,
            )
            for number in numbers
        }
        asked: list[Asked] = []
        for seed in plan.seeds:
            for number in numbers:
                # The seed and strength of the same shot in the identity table: one render for both.
                first = target_of(number, filmed[number], 0)
                asked.append(ask(first, "first", NO_PAST, strength, seed))
                for target in compared_targets(number, filmed[number], plan):
                    asked.append(ask(target, "none", NO_PAST, 1.0, seed))
                    asked.append(ask(target, "own", target.own, strength, seed))
        pictures = renderer.pictures([item.order for item in asked])
        for item, frames in zip(asked, pictures, strict=True):
            yield judged(judge, item.target, frames, item.memory, item.order.strength)
        for number in numbers:
            for target in compared_targets(number, filmed[number], plan):
                yield judged(judge, target, target.true_shot.soft_frames, "VAE", 0.0)
            first = target_of(number, filmed[number], 0)
            yield judged(judge, first, first.true_shot.soft_frames, "VAE", 0.0)


def described_table(outcomes: Sequence[Outcome], judge: Judge) -> Table:
    """Return how often a first shot shows the look that its caption tells, by attribute."""
    firsts = [o for o in outcomes if o.position == 1]
    groups = [(kind, [o for o in firsts if o.memory == kind]) for kind in ("VAE", "first")]
    names = tuple(APPEARANCE)
    rows = tuple(
        (
            "true shot, VAE" if kind == "VAE" else "rendered",
            str(len(group)),
            *(cell(group, name, judge) for name in names),
            mean_cell(group, LOOKS, judge),
        )
        for kind, group in groups
    )
    columns = ("shot", "shots", *(name.replace("_", " ") for name in names))
    return Table(
        title="Looks that the caption of a first shot tells",
        columns=(*columns, f"mean of {', '.join(LOOKS)}"),
        rows=rows,
        note="No memory. Whatever is drawn here is what all later shots of a film remember.",
    )


def tables(outcomes: Sequence[Outcome], judge: Judge) -> tuple[Table, ...]:
    """Return staging by memory, staging of first shots, described looks, and the judge."""
    first = [o for o in outcomes if o.position == 1]
    later = [o for o in outcomes if o.position > 1]
    return (
        memory_table(later, judge, "Place, action and framing in later shots", STAGING),
        memory_table(
            first, judge, "Place, action and framing in first shots", STAGING, is_paired=False
        ),
        described_table(outcomes, judge),
        judge_table(judge),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__, num_stories=IdentityPlan.num_stories)
    parser.add_argument("--judge", type=Path, default=JUDGE, help="folder of the judge")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    model, judge = open_model(options), load_judge(options.judge)
    plan = IdentityPlan(num_stories=options.stories)
    plan = dataclasses.replace(QUICK if options.quick else plan, seeds=tuple(options.seeds))
    renderer = Renderer(model, shelf=Shelf(options.cache))
    outcomes = list(render_prompts(renderer, judge, plan))
    facts = (
        *facts_of(model, "engine.evaluate.prompts", words_of_command(arguments)),
        ("Sample", f"{plan.num_stories} test stories; {plan.num_compared} later shots of each"),
        *run_facts(plan.seeds, renderer.num_rendered, start),
    )
    pages = tables(outcomes, judge)
    write_report(Report(title="Prompt following", facts=facts, tables=pages), options.out)


if __name__ == "__main__":
    main()
