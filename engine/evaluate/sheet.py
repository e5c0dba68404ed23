"""The contact sheet of the docs: past, next shot, and what was drawn with own, no, wrong memory.

Run as `python -m engine.evaluate.sheet --out docs/gallery/identity.png`, with any checkpoint. Look
at it before believing a table: the judge names a value even where a picture shows none.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.evaluate.films import NO_PAST, film, open_model, past_of, published_story
from engine.evaluate.renders import IdentityPlan, Target, ask, compared_targets
from engine.evaluate.shelf import Shelf
from engine.evaluate.takes import Renderer
from engine.recipes import EMBEDDED
from engine.video.sheet import Picture, contact_sheet, write_sheet

COLUMNS = ("past (drawn)", "next (drawn)", "own memory", "no memory", "wrong memory")


def rows_of(
    renderer: Renderer, plan: IdentityPlan, strength: float
) -> Iterator[tuple[str, list[Picture]]]:
    """Yield a caption and five pictures for each story of the plan."""
    filmed = [
        film(
            renderer.model,
            published_story(number, num_shots=plan.num_shots),
            shelf=renderer.shelf,
        )
        for number in range(plan.num_stories + 1)
    ]
    targets: list[Target] = []
    asked = []
    for number in range(plan.num_stories):
        target = compared_targets(number, filmed[number], plan)[0]
        wrong = past_of(filmed[number + 1][: len(target.past)])
        targets.append(target)
        asked += [
            ask(target, "own", target.own, strength, plan.seeds[0]),
            ask(target, "none", NO_PAST, 1.0, plan.seeds[0]),
            ask(target, "wrong", wrong, strength, plan.seeds[0]),
        ]
    pictures = renderer.pictures([item.order for item in asked])
    for index, target in enumerate(targets):
        drawn = (target.last_seen.drawn_FHW3, target.true_shot.drawn_FHW3)
        clips = [*drawn, *pictures[3 * index : 3 * index + 3]]
        caption = f"{target.position - 1} past: {target.script.caption}"
        yield caption, [clip[len(clip) // 2].numpy() for clip in clips]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheet from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=EMBEDDED, help="Wan folder to show")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--stories", type=int, default=10, help="rows, one published story each")
    parser.add_argument("--shots", type=int, default=IdentityPlan.num_shots, help="of a story")
    parser.add_argument("--seeds", type=int, nargs=1, default=[0], help="seed of the noise")
    parser.add_argument("--strength", type=float, help="memory strength; default: the card's")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = by the machine")
    parser.add_argument("--cache", type=Path, help="folder for what the tables reuse")
    options = parser.parse_args(arguments)
    model = open_model(options)
    plan = IdentityPlan(
        num_stories=options.stories, num_shots=options.shots, seeds=tuple(options.seeds)
    )
    strength = model.card.strength if options.strength is None else options.strength
    renderer = Renderer(model, shelf=Shelf(options.cache))
    write_sheet(options.out, contact_sheet(COLUMNS, list(rows_of(renderer, plan, strength))))
    print(f"Written to {options.out}.")


if __name__ == "__main__":
    main()
