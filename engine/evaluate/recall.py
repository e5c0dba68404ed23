"""How well memory gives back what it saw: PSNR and SSIM of recalled frames.

Run as `python -m engine.evaluate.recall --out docs/measurements/recall.md`. Frames of published
test stories are asked for by number of past shots and by place, beside what the VAE alone costs.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from engine.context import FrameRef
from engine.evaluate.films import (
    SYSTEM,
    FilmedShot,
    film,
    memory_of,
    open_model,
    published_story,
    table_parser,
    words_of_command,
)
from engine.evaluate.report import Report, Table, facts_of, run_facts, write_report
from engine.evaluate.scores import score
from engine.evaluate.shelf import NO_SHELF, Shelf
from engine.latent_time import latent_of_frame
from engine.recipes import Model
from engine.retrieve import recall_frame
from engine.specs import RecallMode
from engine.video.picture import psnr, ssim
from engine.video.sheet import contact_sheet, write_sheet

MODES: tuple[RecallMode, ...] = ("mean", "sample")
NUM_SHEET_ROWS = 8


@dataclass(frozen=True, kw_only=True)
class RecallPlan:
    """What is asked."""

    num_stories: int = 16
    past_shots: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    """Numbers of shots in memory."""
    num_queries: int = 2
    """Frames asked for per story and number of shots."""
    seeds: tuple[int, ...] = (0,)
    system: str = SYSTEM


QUICK = RecallPlan(num_stories=1, past_shots=(1, 2), num_queries=1)


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """One frame, asked for in both modes."""

    story: int
    past_shots: int
    age: int
    """1 = a frame of the newest shot."""
    latent: int
    """Which latent frame of its shot."""
    psnr: dict[str, float]
    """dB against the drawn frame by `mean`, `sample` and `vae`."""
    ssim: dict[str, float]
    pictures: list[torch.Tensor] = field(repr=False)
    """Drawn, through the VAE, mean, sample."""


def measure(model: Model, plan: RecallPlan, *, shelf: Shelf = NO_SHELF) -> Iterator[Recalled]:
    """Yield every recalled frame of the plan."""
    for number in range(plan.num_stories):
        story = published_story(number, num_shots=max(plan.past_shots))
        filmed = film(model, story, shelf=shelf, system=plan.system)
        for seed in plan.seeds:
            rng = random.Random(f"{seed} {number}")
            for past_shots in plan.past_shots:
                for _ in range(plan.num_queries):
                    frame = FrameRef(
                        entry_index=rng.randrange(past_shots),
                        frame=rng.randrange(filmed[0].script.num_frames),
                    )
                    yield _recall(model, plan.system, filmed[:past_shots], frame, (number, seed))


def _recall(
    model: Model, system: str, filmed: list[FilmedShot], frame: FrameRef, identity: tuple[int, int]
) -> Recalled:
    story, seed = identity
    state = tuple(shot.entry for shot in filmed)
    shot = filmed[frame.entry_index]
    drawn = shot.drawn_FHW3[frame.frame : frame.frame + 1]
    pictures = {"vae": shot.soft_frames[frame.frame : frame.frame + 1]}
    for mode in MODES:
        recalled = recall_frame(model, system, state, frame, mode=mode, seed=seed).frame_1HW3
        assert recalled is not None  # this system can always be looked into
        pictures[mode] = recalled[:, : drawn.shape[1], : drawn.shape[2]]
    return Recalled(
        story=story,
        past_shots=len(filmed),
        age=len(filmed) - frame.entry_index,
        latent=latent_of_frame(frame.frame)[0],
        psnr={name: psnr(picture, drawn) for name, picture in pictures.items()},
        ssim={name: ssim(picture, drawn) for name, picture in pictures.items()},
        pictures=[drawn[0], *(pictures[name][0] for name in ("vae", *MODES))],
    )


def tables(rows: Sequence[Recalled]) -> tuple[Table, ...]:
    """Return the tables by number of past shots, by age and by place within the shot."""
    note = (
        "PSNR in dB / SSIM against the drawn frame, with 95 % intervals over stories. `mean` is "
        "one step, `sample` is eight, `VAE` is the frame through the VAE alone."
    )
    return (
        _table(rows, "By number of past shots", "past_shots", note),
        _table(rows, "By age of the shot", "age", "1 = a frame of the newest shot in memory."),
        _table(rows, "By latent frame within the shot", "latent", ""),
    )


def _table(rows: Sequence[Recalled], title: str, key: str, note: str) -> Table:
    groups: list[tuple[str, list[Recalled]]] = [
        (str(value), [row for row in rows if getattr(row, key) == value])
        for value in sorted({getattr(row, key) for row in rows})
    ]
    groups.append(("all", list(rows)))
    lines = [
        (name, str(len(group)), *(_cell(group, kind) for kind in (*MODES, "vae")))
        for name, group in groups
    ]
    columns = (key.replace("_", " "), "frames", *MODES, "VAE")
    return Table(title=title, columns=columns, rows=tuple(lines), note=note)


def _cell(group: list[Recalled], kind: str) -> str:
    decibels = score((row.story, row.psnr[kind]) for row in group)
    likeness = score((row.story, row.ssim[kind]) for row in group)
    assert decibels is not None and likeness is not None  # groups are made from their rows
    return f"{decibels.text()} / {likeness.text()}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__, num_stories=RecallPlan.num_stories)
    parser.add_argument("--system", default=SYSTEM, help="memory system of the checkpoint")
    parser.add_argument("--sheet", type=Path, help="PNG: drawn, VAE, mean, sample")
    options = parser.parse_args(arguments)
    model = open_model(options)
    plan = QUICK if options.quick else RecallPlan(num_stories=options.stories)
    plan = dataclasses.replace(plan, seeds=tuple(options.seeds), system=options.system)
    start = time.monotonic()
    rows = list(measure(model, plan, shelf=Shelf(options.cache)))
    facts = facts_of(model, "engine.evaluate.recall", words_of_command(arguments))
    facts += (("Sample", f"{len(rows)} frames of {plan.num_stories} test stories"),)
    facts += (("System", memory_of(model, plan.system).info.title),)
    facts += run_facts(plan.seeds, len(rows), start)
    write_report(Report(title="Recall", facts=facts, tables=tables(rows)), options.out)
    if options.sheet:
        step = max(1, len(rows) // NUM_SHEET_ROWS)
        lines = [
            (
                f"{row.past_shots} past shots, age {row.age}, latent {row.latent}, "
                f"mean {row.psnr['mean']:.1f} dB",
                [picture.numpy() for picture in row.pictures],
            )
            for row in rows[::step][:NUM_SHEET_ROWS]
        ]
        write_sheet(options.sheet, contact_sheet(("drawn", "VAE", *MODES), lines))


if __name__ == "__main__":
    main()
