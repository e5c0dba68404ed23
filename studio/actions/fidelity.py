"""How well memory holds each shot: what is known, and the next measurement while nothing waits.

A measurement is a function of the entry and the take, so it is made once, whatever is edited.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from engine.protocol import MemorySystemInfo
from storage import history, jobs, measurements, takes
from storage.canonical import digest_of
from storage.records import Cut, Json, Shot, Take
from studio.session import NO_MEMORY, NotReady, Session
from studio.timeline.cut import entry_keys

KIND = "fidelity"
PRIORITY = -100
"""Below everything an editor asks for."""
MOST_MOMENTS = 24
"""Frames of a take that are recalled."""
RECENT = 100
"""Newest jobs among which measurements that failed are looked for."""
LATENT_FRAMES = 4
"""Frames behind one latent, after the first."""


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """One take that can be measured."""

    shot: Shot
    take: Take
    system: MemorySystemInfo
    key: str


def fidelity(session: Session, project_id: str) -> Json:
    """Return what is measured of each shot of the cut, by its id, and queue what is not.

    One measurement at a time, and none while the editor's own jobs wait or run.
    """
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
        known = {take.id: take for take in takes.of_project(tx, project_id)}
        wanted = _wanted(session, cut, known)
        found = measurements.find(tx, KIND, {one.key for one in wanted})
        is_idle = not jobs.active(tx)
        failed = _failed(tx, project_id)
    missing = [one for one in wanted if one.key not in found and one.key not in failed]
    if missing and is_idle and session.engine.state == "ready":
        with session.library.write() as tx:
            _queue(tx, project_id, missing[0])
        session.wake()
    return {
        "shots": {one.shot.shot_id: found[one.key] for one in wanted if one.key in found},
        "missing": len({one.key for one in missing}),
    }


def keys_of(session: Session, read: Sequence[Take], system: str) -> list[str]:
    """Return under which keys the fidelity of takes is kept; none for no memory."""
    if system == NO_MEMORY:
        return []
    return [_key(take, session.system(system)) for take in read]


def moments_of(num_frames: int) -> list[int]:
    """Return the frames that are recalled: the middle of what each latent covers.

    The first latent is the first frame alone. A long take is sampled evenly.
    """
    last = num_frames - 1
    middles = [min(last, frame + 1) for frame in range(1, num_frames, LATENT_FRAMES)]
    found = [0, *middles]
    if len(found) <= MOST_MOMENTS:
        return found
    return [found[round(i * (len(found) - 1) / (MOST_MOMENTS - 1))] for i in range(MOST_MOMENTS)]


def _failed(tx: Connection, project_id: str) -> set[str]:
    """Return what could not be measured lately: trying it again at once would fail again."""
    recent = (job for job in jobs.recent(tx, project_id, RECENT) if job.kind == "measure")
    return {
        str(job.spec["measurement_key"]) for job in recent if job.state in ("failed", "quarantined")
    }


def _queue(tx: Connection, project_id: str, one: _Wanted) -> None:
    jobs.add(
        tx,
        kind="measure",
        project_id=project_id,
        shot_id=one.shot.shot_id,
        spec={
            "measurement": KIND,
            "measurement_key": one.key,
            "take_id": one.take.id,
            "memory_system": one.system.name,
            "frames": moments_of(one.take.num_frames),
        },
        queueing_key=f"measure:{project_id}",
        priority=PRIORITY,
    )


def _wanted(session: Session, cut: Cut, known: dict[str, Take]) -> list[_Wanted]:
    found = []
    names = {shot.memory.system for shot in cut.shots}
    systems = {name: _system(session, name) for name in names}
    for shot in cut.shots:
        take = known.get(shot.take_id) if shot.take_id else None
        system = systems[shot.memory.system]
        if take is None or take.latents_digest is None or system is None or shot.muted:
            continue
        key = _key(take, system)
        found.append(_Wanted(shot=shot, take=take, system=system, key=key))
    return found


def _key(take: Take, system: MemorySystemInfo) -> str:
    (entry,) = entry_keys([take], system.fingerprint, system.scope)
    return _key_of(entry, take.media_digest, take.num_frames)


# A page asks for every take of a film after each edit.
@functools.lru_cache(maxsize=8192)
def _key_of(entry: str, media_digest: str, num_frames: int) -> str:
    return digest_of([KIND, entry, media_digest, moments_of(num_frames)])


def _system(session: Session, name: str) -> MemorySystemInfo | None:
    try:
        name = session.info().memory_system if name == NO_MEMORY else name
        system = session.system(name)
    except (NotReady, LookupError):
        return None
    return system if system.can_recall else None
