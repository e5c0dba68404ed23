"""The same shot under two memory systems: two takes to look at, none of them picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from storage import history, jobs, measurements, takes
from storage.errors import NotFound
from storage.records import Json
from studio.actions import fidelity
from studio.actions.generate import spec_of
from studio.actions.reading import staleness_of
from studio.actions.take_document import take_to_json
from studio.session import NO_MEMORY, Session
from studio.timeline.cut import shot_of
from studio.timeline.edit import EditRefused

OFFERED = "offered"
"""Stands for the take picked when the job was queued: no shot shows it, so no pick changes."""


def compare_systems(
    session: Session, project_id: str, shot_id: str, systems: Sequence[str]
) -> list[str]:
    """Queue a take of the shot under each memory system, same prompt and seed; return the jobs.

    Raises:
        EditRefused: no such shot, a locked one, one without a prompt, or twice the same system.
        LookupError: the model has no such memory system.
    """
    if len(set(systems)) != 2:
        raise EditRefused(f"{len(set(systems))} memory systems to compare. Expected two.")
    info = session.info()
    queued = []
    with session.library.write() as tx:
        _, cut = history.head(tx, project_id)
        shot = shot_of(cut, shot_id)
        if shot is None:
            raise EditRefused(f"Shot {shot_id[:40]!r} is not in this cut. It may be deleted.")
        name = f"Shot {cut.shots.index(shot) + 1}"
        if shot.locked or not shot.prompt.strip():
            why = "is locked. Unlock" if shot.locked else "has no prompt. Write one for"
            raise EditRefused(f"{name} {why} it to compare memory systems.")
        for system in systems:
            known = session.system(system).name
            job = jobs.add(
                tx,
                kind="generate",
                project_id=project_id,
                shot_id=shot_id,
                spec=spec_of(cut, shot, info, shot.params.seed)
                | {"memory_system": known, "take_before": OFFERED, "base": None},
                queueing_key=f"compare:{shot_id}:{known}",
            )
            queued.append(job.id)
    session.changed(project_id)
    return queued


def take_grade(session: Session, project_id: str, shot_id: str, take_id: str) -> Json:
    """Return a take with how stale its shot would be with it, and what its memory holds.

    Raises:
        NotFound: no such shot in the cut, or no such take of the project.
    """
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
        known = {take.id: take for take in takes.of_project(tx, project_id)}
        shot, take = shot_of(cut, shot_id), known.get(take_id)
        if shot is None or take is None:
            raise NotFound(f"Take {take_id[:40]!r} of shot {shot_id[:40]!r} is not in this cut.")
        system = str(take.spec.get("memory_system", shot.memory.system))
        shown = replace(shot, take_id=take.id, memory=replace(shot.memory, system=system))
        shots = tuple(shown if s.shot_id == shot_id else s for s in cut.shots)
        graded = staleness_of(session, replace(cut, shots=shots), known)
        grade, reading = graded.grade(shown), graded.reading(shown)
        reads = [r.take for r in reading.reads] if reading and system != NO_MEMORY else []
        keys = fidelity.keys_of(session, reads, system)
        held = measurements.find(tx, fidelity.KIND, keys)
    moments = [m["psnr"] for row in held.values() for m in row["moments"]]
    values = [value for value in moments if value is not None]
    return {
        "take": take_to_json(take),
        "grade": grade.value,
        "changes": list(grade.reasons),
        "fidelity": sum(values) / len(values) if values else None,
    }
