"""What a shot costs: seconds, tokens and bytes against the number of shots in memory.

Run as `python -m engine.evaluate.speed --out docs/measurements/speed.md` on an idle machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from engine.evaluate.films import (
    SYSTEM,
    Past,
    film,
    memory_of,
    names_of,
    open_model,
    past_of,
    published_story,
    table_parser,
    words_of_command,
)
from engine.evaluate.report import Report, Table, facts_of, write_report
from engine.memory.entries import to_bytes
from engine.recipes import Model
from engine.render import Decoded, Kept, MemoryRead, ShotRequest, render_shot
from engine.sampling.sampler import Step
from engine.train.world.script import ShotScript


@dataclass(frozen=True, kw_only=True)
class SpeedPlan:
    """What is timed."""

    past_shots: tuple[int, ...] = (0, 1, 2, 4, 6, 8, 10)
    num_repeats: int = 3
    """Timed renders behind every median, after one that is not timed."""


QUICK = SpeedPlan(past_shots=(0, 2), num_repeats=1)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The seconds of one render."""

    total: float
    steps: tuple[float, ...]
    decoding: float
    remembering: float
    num_tokens: int
    """Context tokens read from memory."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The medians of one row."""

    past_shots: int
    strength: float
    num_tokens: int
    num_bytes: int
    """Of all entries that are read."""
    bytes_per_shot: int
    """Of the latents and the entry that one more take leaves in the project."""
    shot_seconds: float
    step_seconds: float
    decode_seconds: float
    remember_seconds: float


def measure(model: Model, plan: SpeedPlan) -> Iterator[Cost]:
    """Yield the cost of a shot by number of past shots, without and with memory guidance."""
    filmed = film(model, published_story(0, num_shots=max(plan.past_shots) + 1))
    latents = filmed[-1].latents_BCTHW.to(torch.bfloat16)  # as in the blob of a take
    per_shot = latents.nbytes + len(to_bytes(filmed[-1].entry))
    script = filmed[-1].script
    for past_shots in plan.past_shots:
        past = past_of(filmed[:past_shots])
        for strength in (1.0, model.card.strength):
            if strength != 1.0 and not past.state:
                continue  # without memory there is nothing to lean towards
            timed_render(model, script, past, strength)
            runs = [timed_render(model, script, past, strength) for _ in range(plan.num_repeats)]
            yield Cost(
                past_shots=past_shots,
                strength=strength,
                num_tokens=runs[0].num_tokens,
                num_bytes=memory_of(model).cost(past.state).bytes_stored,
                bytes_per_shot=per_shot,
                shot_seconds=statistics.median(run.total for run in runs),
                step_seconds=statistics.median(s for run in runs for s in run.steps),
                decode_seconds=statistics.median(run.decoding for run in runs),
                remember_seconds=statistics.median(run.remembering for run in runs),
            )


def timed_render(model: Model, script: ShotScript, past: Past, strength: float) -> Timing:
    """Render one shot as the studio does, without previews and files, and return its seconds."""
    request = ShotRequest(
        prompt=script.caption,
        num_frames=script.num_frames,
        width=model.card.width,
        height=model.card.height,
        seed=0,
        num_steps=model.card.num_steps,
        guidance=model.card.guidance,
        strength=strength,
        memory_system=SYSTEM,
        rules=past.rules(names_of(script)),
    )
    start = last = time.perf_counter()
    kept = decoded = start
    steps: list[float] = []
    num_tokens = 0
    for event in render_shot(model, request, past.state, keep=lambda latents: "timed"):
        now = time.perf_counter()
        if isinstance(event, MemoryRead):
            num_tokens = event.num_tokens
        elif isinstance(event, Step):
            steps.append(now - last)
        elif isinstance(event, Kept):
            kept = now
        elif isinstance(event, Decoded):
            decoded = now
        last = now
    return Timing(
        total=last - start,
        steps=tuple(steps),
        decoding=decoded - kept,
        remembering=last - decoded,
        num_tokens=num_tokens,
    )


def table(costs: Sequence[Cost]) -> Table:
    """Return the table of `costs`."""
    rows = tuple(
        (
            str(cost.past_shots),
            f"{cost.strength:g}",
            str(cost.num_tokens),
            f"{cost.num_bytes / 1000:.1f}",
            f"{cost.bytes_per_shot / 1000:.1f}",
            f"{cost.shot_seconds:.2f}",
            f"{cost.step_seconds * 1000:.0f}",
            f"{cost.decode_seconds * 1000:.0f}",
            f"{cost.remember_seconds * 1000:.0f}",
        )
        for cost in costs
    )
    return Table(
        title="One shot by number of past shots",
        columns=(
            "past shots",
            "strength",
            "context tokens",
            "memory, kB",
            "a shot keeps, kB",
            "shot, s",
            "step, ms",
            "decode, ms",
            "remember, ms",
        ),
        rows=rows,
        note=(
            "Medians. A strength other than 1 runs the transformer twice in most steps. `memory` "
            "is the size of the entries' files that are read; a take keeps its latents and one "
            "entry, beside its video and film strip; `remember` encodes the reduced clip, runs phi."
        ),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    options = table_parser(__doc__).parse_args(arguments)
    model = open_model(options)
    plan = QUICK if options.quick else SpeedPlan()
    costs = list(measure(model, plan))
    facts = (
        *facts_of(model, "engine.evaluate.speed", words_of_command(arguments)),
        (
            "Shot",
            f"{model.card.width} x {model.card.height}, 17 frames, {model.card.num_steps} steps",
        ),
        ("Repeats", f"{plan.num_repeats} after one that is not counted"),
    )
    write_report(Report(title="Speed", facts=facts, tables=(table(costs),)), options.out)


if __name__ == "__main__":
    main()
