"""What one kind of fault did: how often it was injected, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_NOTES = 20


@dataclass(kw_only=True)
class Tally:
    """Counts of one kind of fault. Everything but `injected` should stay 0."""

    kind: str
    injected: int = 0
    """Faults that really happened."""
    acknowledged: int = 0
    """Edits, takes and entries that had been acknowledged and were looked for afterwards."""
    lost: int = 0
    """Acknowledged things that were gone or altered."""
    undetected: int = 0
    """Changes of meaning that a check did not report."""
    repairs: int = 0
    """Times a person would have had to mend something."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    """What went wrong, in words, with what is needed to repeat it."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, missed or left to a person."""
        return self.lost == self.undetected == self.repairs == 0

    def add(self, other: Tally) -> None:
        """Add another count of the same kind."""
        for name in ("injected", "acknowledged", "lost", "undetected", "repairs", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.notes = [*self.notes, *other.notes][:MAX_NOTES]


def by_kind(rounds: Iterable[Tally]) -> list[Tally]:
    """Return one count for each kind, in the order in which they first came."""
    found: dict[str, Tally] = {}
    for counted in rounds:
        found.setdefault(counted.kind, Tally(kind=counted.kind)).add(counted)
    return list(found.values())


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum over all kinds."""
    every = Tally(kind="all")
    for tally in tallies:
        every.add(tally)
    return every


def bound(tally: Tally) -> float:
    """Return what 0 failures in n trials bound the rate by at 95 %: 3 / n. 1 without trials."""
    return min(1.0, 3 / tally.injected) if tally.injected else 1.0


def table(tallies: Iterable[Tally]) -> str:
    """Return the counts as a Markdown table with a line for the sum."""
    rows = list(tallies)
    lines = [
        "| fault | injected | acknowledged | lost | undetected | repairs | seconds | rate below |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for tally in (*rows, total(rows)):
        below = f"{bound(tally):.2%}" if tally.is_clean else "-"
        lines.append(
            f"| {tally.kind} | {tally.injected} | {tally.acknowledged} | {tally.lost} | "
            f"{tally.undetected} | {tally.repairs} | {tally.seconds:.0f} | {below} |"
        )
    return "\n".join(lines)
