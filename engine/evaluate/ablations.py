"""Variants of the memory encoder at equal budget: recall and next-shot loss, as a page.

Run as `python -m engine.evaluate.ablations --runs runs/ablations --out docs/measurements/
ablations.md` after `python -m engine.train.ablations`, which trains and measures the variants.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.evaluate.films import words_of_command
from engine.evaluate.report import Report, Table, machine_facts, write_report
from engine.evaluate.scores import Score, score
from engine.train.ablations import VARIANTS, Result, read_result

NEXT_SHOT = ("pretrained, then next shot", "next shot only")
"""Variants that are compared by what the next shot gains, not by recall alone."""


def recall_table(results: Sequence[Result]) -> Table:
    """Return recall by rate and by variant."""
    rows = [_row(name, group) for name, group in _by_variant(results) if name not in NEXT_SHOT]
    return Table(
        title="Recall by rate and variant",
        columns=("variant", "tokens a shot", "weights of phi", "steps", "PSNR, dB", "SSIM"),
        rows=tuple(rows),
        note=(
            "One-step recall of random frames of three past shots against the drawn frames, 95 % "
            "intervals over test stories. Variants below the first five are 2x2x2. A cheaper "
            "variant takes more steps in the same CPU seconds."
        ),
    )


def next_shot_table(results: Sequence[Result]) -> Table:
    """Return what frame retrieval before the next shot is worth."""
    rows = []
    for name, group in _by_variant(results):
        if name in NEXT_SHOT:
            losses = _cell(
                ((story, loss) for result in group for story, loss in enumerate(result.next_loss)),
                3,
            )
            rows.append((*_row(name, group), losses))
    columns = ("variant", "tokens a shot", "weights of phi", "steps", "PSNR, dB", "SSIM")
    return Table(
        title="With and without pretraining",
        columns=(*columns, "next-shot loss at 0.95"),
        rows=tuple(rows),
        note=(
            "The whole budget on the next shot, or half of it on frame retrieval first. The loss "
            "is held out, with own memory, at the noise level where identity is decided."
        ),
    )


def _by_variant(results: Sequence[Result]) -> Iterable[tuple[str, list[Result]]]:
    for variant in VARIANTS:
        group = [result for result in results if result.variant.name == variant.name]
        if group:
            yield variant.name, group


def _row(name: str, group: Sequence[Result]) -> tuple[str, ...]:
    rows = [row for result in group for row in result.recalled]
    return (
        name,
        str(group[0].tokens_per_shot),
        f"{group[0].num_weights / 1e6:.2f} M",
        " + ".join(str(result.steps) for result in group),
        _cell((row.story, row.psnr) for row in rows),
        _cell((row.story, row.ssim) for row in rows),
    )


def _cell(values: Iterable[tuple[int, float]], digits: int = 2) -> str:
    result: Score | None = score(values)
    return "-" if result is None else result.text(digits)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page from the results of `engine.train.ablations`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="--out of engine.train.ablations")
    parser.add_argument("--out", type=Path, help="Markdown page to write")
    options = parser.parse_args(arguments)
    results = [read_result(path) for path in sorted(options.runs.glob("*.json"))]
    if not results:
        raise SystemExit(
            f"There are no results in {options.runs}. Run python -m engine.train.ablations first."
        )
    command = shlex.join(["engine.evaluate.ablations", *words_of_command(arguments)])
    stories = len(results[0].recalled)
    facts = (
        ("Command", f"`python -m {command}`"),
        ("Date", datetime.now(UTC).strftime("%Y-%m-%d")),
        (
            "Training",
            f"{results[0].budget_seconds:g} CPU seconds of one thread for each variant, by "
            "`python -m engine.train.ablations`; a fresh phi and a LoRA of rank "
            f"{results[0].lora_rank} on the transformer of {results[0].checkpoint}",
        ),
        ("Sample", f"{stories} test stories of three shots of 33 frames"),
        ("Seeds", ", ".join(str(seed) for seed in sorted({r.seed for r in results}))),
        *machine_facts(),
    )
    tables = (recall_table(results), next_shot_table(results))
    write_report(
        Report(title="Ablations of the memory encoder", facts=facts, tables=tables), options.out
    )


if __name__ == "__main__":
    main()
