"""What the papers found hard: places on return, counts, letters, two people in one shot.

Run as `python -m engine.evaluate.dials --out docs/measurements/dials.md`. Each kind of shot is read
by comparison with drawn variants (`engine.evaluate.readers`), and the same reader on the true shot
and on its VAE reconstruction says how far it can be trusted.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from engine.evaluate import readers
from engine.evaluate.films import (
    NO_PAST,
    FilmedShot,
    Past,
    film,
    open_model,
    past_of,
    table_parser,
    words_of_command,
)
from engine.evaluate.readers import Frames, VariantReader, picked
from engine.evaluate.report import Report, Table, facts_of, run_facts, write_report
from engine.evaluate.scores import score
from engine.evaluate.shelf import Shelf
from engine.evaluate.takes import Order, Renderer
from engine.train.world.script import ShotScript
from engine.train.world.story import TEST_SEEDS, WorldDials, tell

FIRST = 500_000
"""First published test story of the dials; other tables count from 0."""
KINDS = ("drawn", "VAE", "own", "none")
Read = Callable[[Frames], str | None]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One shot to be rendered, and how it is read."""

    dial: str
    story: int
    shot: FilmedShot
    past: Past
    """Empty where the caption tells everything."""
    questions: tuple[tuple[str, Read], ...]
    """(true answer, reader) pairs."""

    def hits(self, frames: Frames) -> float:
        """Return the share of the questions that `frames` answer truly."""
        return sum(read(frames) == truth for truth, read in self.questions) / len(self.questions)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one trial ended with one kind of memory."""

    dial: str
    kind: str
    story: int
    hits: float


@dataclass(frozen=True, kw_only=True)
class DialPlan:
    """What is rendered."""

    away: tuple[int, ...] = (1, 3, 6)
    """Shots that a story spends elsewhere before its first place returns."""

    num_stories: int = 16
    """Stories of each dial."""
    seeds: tuple[int, ...] = (0,)


QUICK = DialPlan(num_stories=1, away=(1,))


def returns(renderer: Renderer, plan: DialPlan) -> Iterator[Trial]:
    """Yield returns to a place whose landmark only memory knows, after some shots elsewhere."""
    longest = max(plan.away)
    dials = WorldDials(min_shots=longest + 2, max_shots=longest + 2, revisit_after=longest)
    for number in islice(_told(dials, (longest + 1,), _shows_landmark), plan.num_stories):
        filmed = film(renderer.model, tell(TEST_SEEDS[number], dials), shelf=renderer.shelf)
        target = filmed[-1]
        for away in plan.away:
            kept = [filmed[0], *filmed[len(filmed) - 1 - away : -1]]
            yield Trial(
                dial=f"landmark's colour, {away} shots away",
                story=number,
                shot=target,
                past=past_of(kept),
                questions=(_landmark_question(target.script),),
            )


def counts(renderer: Renderer, plan: DialPlan) -> Iterator[Trial]:
    """Yield first shots with one to five props; the caption tells how many."""
    dials = WorldDials(min_shots=2, max_shots=2, max_count=5)
    for number in islice(_told(dials, (0,), readers.is_countable), plan.num_stories):
        filmed = film(renderer.model, tell(TEST_SEEDS[number], dials), shelf=renderer.shelf)
        script = filmed[0].script
        assert script.props is not None
        question = (str(script.props.count), partial(_counted, script=script))
        yield Trial(
            dial="number of props, told",
            story=number,
            shot=filmed[0],
            past=NO_PAST,
            questions=(question,),
        )


def letters(renderer: Renderer, plan: DialPlan) -> Iterator[Trial]:
    """Yield close shots of a sign: told by the caption, then known to memory alone."""
    dials = WorldDials(min_shots=4, max_shots=4, text=1.0)
    for number in islice(_told(dials, (0,), _shows_sign), plan.num_stories):
        filmed = film(renderer.model, tell(TEST_SEEDS[number], dials), shelf=renderer.shelf)
        yield _sign_trial("word on a close sign, told", number, filmed, 0)
    for number in islice(_told(dials, (3,), _remembers_sign), plan.num_stories):
        filmed = film(renderer.model, tell(TEST_SEEDS[number], dials), shelf=renderer.shelf)
        yield _sign_trial("word on a close sign, remembered", number, filmed, 3)


def two_people(renderer: Renderer, plan: DialPlan) -> Iterator[Trial]:
    """Yield shots with two people: both described, then both only remembered."""
    dials = WorldDials(min_shots=3, max_shots=3, two_people=1.0)
    for number in islice(_told(dials, (0, 2), _shows_two), plan.num_stories):
        filmed = film(renderer.model, tell(TEST_SEEDS[number], dials), shelf=renderer.shelf)
        for index, dial in ((0, "shirts of two people, told"), (2, "shirts of two, remembered")):
            script = filmed[index].script
            questions = tuple(
                (person.shirt, VariantReader(readers.shirt_variants(script, side)))
                for side, person in enumerate(script.characters)
            )
            yield Trial(
                dial=dial,
                story=number,
                shot=filmed[index],
                past=past_of(filmed[:index]),
                questions=questions,
            )


DIALS = (returns, counts, letters, two_people)


def measure(renderer: Renderer, plan: DialPlan) -> Iterator[Result]:
    """Yield every trial of every dial, true and rendered."""
    strength = renderer.model.card.strength
    for make in DIALS:
        trials = list(make(renderer, plan))
        for trial in trials:
            for kind, frames in (("drawn", trial.shot.drawn_FHW3), ("VAE", trial.shot.soft_frames)):
                yield _result(trial, kind, trial.hits(picked(frames)))
        for seed in plan.seeds:
            for kind in ("own", "none"):
                asked = [trial for trial in trials if trial.past.state or kind == "none"]
                orders = [
                    Order(
                        script=trial.shot.script,
                        past=trial.past if kind == "own" else NO_PAST,
                        strength=strength,
                        seed=10_000 * seed + trial.story,
                    )
                    for trial in asked
                ]
                for trial, frames in zip(asked, renderer.pictures(orders), strict=True):
                    yield _result(trial, kind, trial.hits(picked(frames)))


def table(results: Sequence[Result]) -> Table:
    """Return one row per dial: the reader on true shots, then rendered shots."""
    rows = []
    for dial in dict.fromkeys(result.dial for result in results):
        here = [result for result in results if result.dial == dial]
        cells = []
        for kind in KINDS:
            value = score((r.story, r.hits) for r in here if r.kind == kind)
            cells.append("-" if value is None else value.text())
        count = sum(result.kind == "drawn" for result in here)
        rows.append((dial, str(count), *cells, _chance(dial)))
    return Table(
        title="Dials",
        columns=("what is read", "shots", "true, drawn", "true, VAE", "own", "none", "chance"),
        rows=tuple(rows),
        note=(
            "Share of shots in which the reader finds the true value, with 95 % intervals over "
            "stories. `true` calibrates the reader. `none` is rendered without memory: where the "
            "caption tells the answer it is how well the prompt is followed."
        ),
    )


def _result(trial: Trial, kind: str, hits: float) -> Result:
    return Result(dial=trial.dial, kind=kind, story=trial.story, hits=hits)


def _chance(dial: str) -> str:
    return {"number": "0.20", "word": "0.10"}.get(dial.split()[0], "0.12")


def _told(
    dials: WorldDials, indices: Sequence[int], is_fit: Callable[[ShotScript], bool]
) -> Iterator[int]:
    """Yield numbers of test stories whose shots `indices` can be read."""
    for number in range(FIRST, len(TEST_SEEDS)):
        shots = tell(TEST_SEEDS[number], dials).shots
        if all(is_fit(shots[index]) for index in indices):
            yield number


def _landmark_question(script: ShotScript) -> tuple[str, Read]:
    return script.scene.landmark_colour, VariantReader(readers.landmark_variants(script))


def _shows_landmark(script: ShotScript) -> bool:
    return VariantReader(readers.landmark_variants(script)).can_read


def _shows_sign(script: ShotScript) -> bool:
    return script.framing == "close" and VariantReader(readers.sign_variants(script)).can_read


def _remembers_sign(script: ShotScript) -> bool:
    return not script.is_new_place and _shows_sign(script)


def _shows_two(script: ShotScript) -> bool:
    return len(script.characters) == 2 and all(
        VariantReader(readers.shirt_variants(script, side)).can_read for side in range(2)
    )


def _sign_trial(dial: str, number: int, filmed: list[FilmedShot], index: int) -> Trial:
    script = filmed[index].script
    read = VariantReader(readers.sign_variants(script))
    return Trial(
        dial=dial,
        story=number,
        shot=filmed[index],
        past=past_of(filmed[:index]),
        questions=((script.scene.sign, read),),
    )


def _counted(frames: Frames, *, script: ShotScript) -> str:
    return str(readers.count_props(frames, script))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__, num_stories=DialPlan.num_stories)
    options = parser.parse_args(arguments)
    start = time.monotonic()
    model = open_model(options)
    plan = DialPlan(num_stories=options.stories)
    plan = dataclasses.replace(QUICK if options.quick else plan, seeds=tuple(options.seeds))
    renderer = Renderer(model, shelf=Shelf(options.cache))
    results: Iterable[Result] = list(measure(renderer, plan))
    facts = (
        *facts_of(model, "engine.evaluate.dials", words_of_command(arguments)),
        ("Sample", f"{plan.num_stories} test stories of each dial"),
        *run_facts(plan.seeds, renderer.num_rendered, start),
    )
    write_report(Report(title="Dials", facts=facts, tables=(table(list(results)),)), options.out)


if __name__ == "__main__":
    main()
