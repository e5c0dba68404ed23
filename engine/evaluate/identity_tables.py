"""The tables of identity: looks, staging, binding and shot index, from judged outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from engine.evaluate.renders import MemoryKind, Outcome
from engine.evaluate.report import Table
from engine.evaluate.scores import Score, ratio, score
from engine.models.judge import REPORTED_FROM, Judge
from engine.train.world.attributes import APPEARANCE, STAGING

NOT_REPORTED = "not reported"
LOOKS: tuple[str, ...] = ("hat", "hair", "trousers", "skin")
"""Averaged beside the shirt: what the next shots must keep as well."""
_LEANING: tuple[MemoryKind, ...] = ("own", "unnamed", "wrong")
"""Memories whose strength is told."""
_KINDS: tuple[MemoryKind, ...] = ("drawn", "VAE", "first", "none", *_LEANING)
_BINDING: tuple[tuple[str, Callable[[str, str, str], bool]], ...] = (
    ("named", lambda read, named, other: read == named),
    ("other", lambda read, named, other: read == other),
    ("neither", lambda read, named, other: read not in (named, other)),
)


def hits(outcomes: Iterable[Outcome], name: str) -> Iterator[tuple[int, float]]:
    """Yield (story, 1 or 0) for every outcome whose true shot shows the attribute."""
    for outcome in outcomes:
        if name in outcome.visible:
            yield outcome.story, float(outcome.read[name] == outcome.truth[name])


def cell(outcomes: Iterable[Outcome], name: str, judge: Judge) -> str:
    """Return the share that shows the true value, or that the judge cannot tell."""
    if not judge.is_reported(name):
        return NOT_REPORTED
    result = score(hits(outcomes, name))
    return "-" if result is None else result.text()


def mean_cell(outcomes: Sequence[Outcome], names: Iterable[str], judge: Judge) -> str:
    """Return the mean over the attributes that are reported, each weighed alike."""
    names = [name for name in names if judge.is_reported(name)]
    values = mean_hits(outcomes, names)
    result = score(values)
    return NOT_REPORTED if not names else "-" if result is None else result.text()


def mean_hits(outcomes: Iterable[Outcome], names: Sequence[str]) -> list[tuple[int, float]]:
    """Return (story, mean of 1 or 0 over the visible attributes) of every outcome."""
    values = []
    for outcome in outcomes:
        shown = [name for name in names if name in outcome.visible]
        if shown:
            right = sum(outcome.read[name] == outcome.truth[name] for name in shown)
            values.append((outcome.story, right / len(shown)))
    return values


def compared(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes of the comparison: per story the targets that have every memory."""
    chosen = {(o.story, o.position) for o in outcomes if o.memory == "none"}
    own_films = ("film", "first")
    return [o for o in outcomes if (o.story, o.position) in chosen and o.memory not in own_films]


def memory_table(
    outcomes: Sequence[Outcome],
    judge: Judge,
    title: str,
    names: Iterable[str],
    *,
    has_mean: bool = False,
    is_paired: bool = True,
) -> Table:
    """Return the table of looks or of staging: one row per memory and strength.

    `is_paired`: only shots that were rendered with every memory count.
    """
    names = tuple(names)
    outcomes = compared(outcomes) if is_paired else outcomes
    keys = sorted({(_KINDS.index(o.memory), o.strength) for o in outcomes})
    rows = []
    for kind, strength in keys:
        group = [o for o in outcomes if (_KINDS.index(o.memory), o.strength) == (kind, strength)]
        shown = f"{strength:g}" if _KINDS[kind] in _LEANING else "-"
        cells = [cell(group, name, judge) for name in names]
        if has_mean:
            cells.append(mean_cell(group, LOOKS, judge))
        rows.append((_KINDS[kind], shown, str(len(group)), *cells))
    columns = ("memory", "strength", "shots", *(name.replace("_", " ") for name in names))
    if has_mean:
        columns = (*columns, f"mean of {', '.join(LOOKS)}")
    note = (
        "Share of shots in which the judge reads the true value, with 95 % intervals over stories; "
        "only shots whose true picture shows the attribute count. `drawn` and `VAE` are the true "
        "shots themselves: what the judge can read at best. In `unnamed` "
        "nothing says who is in which past shot, as with footage."
    )
    return Table(title=title, columns=columns, rows=tuple(rows), note=note)


def position_table(outcomes: Sequence[Outcome], judge: Judge, strength: float) -> Table:
    """Return the looks by shot index, with drawn shots in memory and in a film of its own."""
    names = ("shirt", "pattern", *LOOKS)
    rows: list[tuple[str, ...]] = []
    for memory, shown in (("own", "drawn past"), ("film", "its own film")):
        group = [o for o in outcomes if o.memory == memory and o.strength == strength]
        by_position = {
            position: [o for o in group if o.position == position]
            for position in sorted({o.position for o in group})
        }
        for position, here in by_position.items():
            rows.append(_position_row((shown, str(position)), here, names, judge))
        if group:
            rows += _summary_rows(shown, group, names, judge)
    note = (
        f"Strength {strength:g}. In a film of its own, errors of earlier takes come back. The last "
        "shot is divided by the earliest, of which there are few, and by the first shot of each "
        "story in which somebody comes back. `introduced`: only attributes that the shot that "
        "describes the person shows; a close first shot hides trousers, so nothing but chance "
        "can make a film's agree with the truth."
    )
    columns = ("memory of", "shot", "shots", *names, f"mean of {', '.join(LOOKS)}")
    return Table(title="By shot index", columns=columns, rows=tuple(rows), note=note)


def _position_row(
    start: tuple[str, ...], group: Sequence[Outcome], names: Sequence[str], judge: Judge
) -> tuple[str, ...]:
    cells = [cell(group, name, judge) for name in names]
    return (*start, str(len(group)), *cells, mean_cell(group, LOOKS, judge))


def _summary_rows(
    shown: str, group: Sequence[Outcome], names: Sequence[str], judge: Judge
) -> Iterator[tuple[str, ...]]:
    positions = [o.position for o in group]
    first, last = min(positions), max(positions)
    for suffix, chosen in (("", list(group)), (", introduced", introduced(group))):
        yield _position_row((shown, f"all{suffix}"), chosen, names, judge)
        latest = [o for o in chosen if o.position == last]
        for label, earlier in (
            (f"{last} / {first}", [o for o in chosen if o.position == first]),
            (f"{last} / first return", first_returns(chosen)),
        ):
            yield _relative_row((shown, label + suffix), (latest, earlier), names, judge)


def introduced(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcomes with only what the shot that describes the person shows counting."""
    return [replace(o, visible=o.visible & o.introduced) for o in outcomes]


def first_returns(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the earliest outcome of every story: the first shot that only memory can get right."""
    earliest: dict[int, int] = {}
    for outcome in outcomes:
        known = earliest.get(outcome.story, outcome.position)
        earliest[outcome.story] = min(known, outcome.position)
    return [o for o in outcomes if o.position == earliest[o.story]]


def _relative_row(
    start: tuple[str, ...],
    pair: tuple[Sequence[Outcome], Sequence[Outcome]],
    names: Sequence[str],
    judge: Judge,
) -> tuple[str, ...]:
    later, earlier = pair
    cells = []
    for name in names:
        result = ratio(hits(later, name), hits(earlier, name))
        cells.append(_relative_cell(result, [name], judge))
    known = [name for name in LOOKS if judge.is_reported(name)]
    result = ratio(mean_hits(later, known), mean_hits(earlier, known))
    cells.append(_relative_cell(result, known, judge))
    return (*start, "-", *cells)


def _relative_cell(result: Score | None, names: Sequence[str], judge: Judge) -> str:
    if not any(judge.is_reported(name) for name in names):
        return NOT_REPORTED
    return "-" if result is None else result.text()


def binding_table(outcomes: Sequence[Outcome], judge: Judge) -> Table:
    """Return whom the shot shows where memory has seen two characters: named, other, neither."""
    rows = []
    groups = {(o.memory, o.strength) for o in outcomes if o.memory in ("own", "none", "film")}
    for memory, strength in sorted(groups):
        group = [o for o in outcomes if (o.memory, o.strength) == (memory, strength) and o.other]
        for name in ("shirt", "hat"):
            if judge.is_reported(name) and group:
                rows.append((memory, f"{strength:g}", name, str(len(group)), *_bound(group, name)))
    return Table(
        title="Binding of the name, two characters in memory",
        columns=("memory", "strength", "attribute", "shots", *(label for label, _ in _BINDING)),
        rows=tuple(rows),
        note="Both characters differ in shirt colour and in kind of hat; the caption has the name.",
    )


def _bound(group: Sequence[Outcome], name: str) -> Iterator[str]:
    for _, is_met in _BINDING:
        values = [
            (o.story, float(is_met(o.read[name], o.truth[name], o.other[name])))
            for o in group
            if o.other is not None and name in o.visible
        ]
        result = score(values)
        yield "-" if result is None else result.text()


def judge_table(judge: Judge) -> Table:
    """Return how far the judge can be trusted."""
    rows = tuple(
        (
            name.replace("_", " "),
            f"{row.frames:.3f}",
            f"{row.soft:.3f}",
            str(row.num_shots),
            "yes" if judge.is_reported(name) else NOT_REPORTED,
        )
        for name, row in judge.config.accuracy.items()
    )
    return Table(
        title="The judge on held-out true shots",
        columns=("attribute", "drawn frames", "VAE reconstructions", "shots", "reported"),
        rows=rows,
        note=f"An attribute read right on less than {REPORTED_FROM:.0%} of reconstructions is left "
        "out of every table. The judge always names a value, also where a picture shows none.",
    )


def tables(outcomes: Sequence[Outcome], judge: Judge, strength: float) -> tuple[Table, ...]:
    """Return the tables that `outcomes` can fill."""
    result = [
        memory_table(outcomes, judge, "Looks by memory", APPEARANCE, has_mean=True),
        memory_table(outcomes, judge, "Place, action and framing by memory", STAGING),
        binding_table(outcomes, judge),
        judge_table(judge),
    ]
    if any(o.memory == "film" for o in outcomes):
        result.insert(2, position_table(outcomes, judge, strength))
    return tuple(result)
