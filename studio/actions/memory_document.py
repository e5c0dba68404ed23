"""The memory of a project as the page sees it: what shots read, how stale they are, the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from storage import settings
from storage.records import Cut, Json, Shot, Take
from storage.shot_memory import ShotMemory
from studio.actions.reading import staleness_of
from studio.session import NO_MEMORY, NotReady, Session
from studio.timeline.reading import DEFAULT_BUDGET, LEAST_BUDGET, MOST_BUDGET, Reading
from studio.timeline.staleness import DEFAULT_THRESHOLD, Staleness

THRESHOLD = "update_threshold"
"""Setting of the library: the grade above which "update what changed" makes a shot again."""


@dataclass(frozen=True, kw_only=True)
class MemoryDocument:
    """Parts of a project's document."""

    shots: Mapping[str, Json]
    """Fields of each shot, by id."""
    memory: Json
    update: Json
    """What "update what changed" would do now."""
    graded: Staleness
    """What all of it was found with: the next cut of the film differs little."""


def threshold_of(tx: Connection) -> float:
    """Return the grade above which "update what changed" makes a shot again."""
    return float(settings.get(tx, THRESHOLD, DEFAULT_THRESHOLD))


def memory_document(
    session: Session,
    cut: Cut,
    known: Mapping[str, Take],
    threshold: float,
    before: Staleness | None = None,
) -> MemoryDocument:
    """Return what the page shows of the memory of a cut; `before` is the film graded before."""
    graded = staleness_of(session, cut, known, before)
    return MemoryDocument(
        shots={shot.shot_id: _shot(graded, shot) for shot in cut.shots},
        memory=_memory(session, cut, graded),
        update={
            "threshold": threshold,
            "shots": [
                {"shot_id": shot.shot_id, "grade": grade}
                for shot, grade in graded.to_update(threshold)
            ],
        },
        graded=graded,
    )


def _shot(graded: Staleness, shot: Shot) -> Json:
    grade = graded.grade(shot)
    return {
        "stale": grade.value > 0,
        "grade": grade.value,
        "changes": list(grade.reasons),
        "reads": _reads(graded.reading(shot)),
    }


def _reads(reading: Reading | None) -> Json:
    """Return what a shot reads in numbers; ids of all shots would fill a long film's document."""
    if reading is None:
        return {"tokens": 0, "shots": 0, "over_budget": 0, "from": None}
    oldest = next((read.shot_id for read in reading.reads if not read.is_pinned), None)
    return {
        "tokens": reading.tokens,
        "shots": len(reading.reads),
        "over_budget": len(reading.over_budget),
        "from": oldest,
    }


def _memory(session: Session, cut: Cut, graded: Staleness) -> Json:
    name = cut.shots[-1].memory.system if cut.shots else _default_system(session)
    past = graded.past(name)
    tokens = 0
    if past is not None and name != NO_MEMORY:
        # What one more shot at the end would read.
        tokens = past.at_end(ShotMemory(system=name)).tokens
    return {
        "system": name,
        "tokens": tokens,
        "budget": cut.memory_budget or DEFAULT_BUDGET,
        "budget_range": [LEAST_BUDGET, MOST_BUDGET],
    }


def _default_system(session: Session) -> str:
    try:
        return session.info().memory_system
    except NotReady:
        return NO_MEMORY
