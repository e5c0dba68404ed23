"""Repair: damaged files go aside, so that what is generated can be generated and stored again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage import takes
from storage.check import Problem
from storage.database import Library
from storage.errors import NotFound
from storage.records import Take


@dataclass(frozen=True, kw_only=True)
class Repairs:
    """What was done, and what is left for others to do."""

    num_quarantined: int
    """Damaged files that were put aside; none was removed."""
    to_generate: tuple[Take, ...]
    """Takes whose media are lost and whose recipe is not: queue them again."""
    num_recomputed: int
    """Entries that are made again when a shot next reads them."""
    beyond: tuple[Problem, ...]
    """Problems that only a backup mends."""


def repair(library: Library, problems: Iterable[Problem]) -> Repairs:
    """Put damaged files aside and return which takes to generate again.

    Nothing is removed, and no row is changed: running it again does no harm.
    """
    found = [p for p in problems if p.kind.endswith(("_missing", "_corrupt"))]
    aside = [p for p in found if library.blobs.quarantine(p.subject) is not None]
    lost: dict[str, Take] = {}
    with library.read() as tx:
        for problem in found:
            if problem.repair != "regenerate":
                continue
            for take_id in problem.takes:
                try:
                    lost[take_id] = takes.get(tx, take_id)
                except NotFound:
                    continue  # its own row is lost too, which is another problem
    return Repairs(
        num_quarantined=len(aside),
        to_generate=tuple(t for t in lost.values() if t.kind == "generated"),
        num_recomputed=sum(1 for p in found if p.repair == "recompute"),
        beyond=tuple(p for p in problems if p.repair == "restore"),
    )
