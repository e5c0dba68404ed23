"""The queue as its panel shows it: what runs, waits, failed and is done, with measured times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.engine import Connection

from storage import jobs, projects, takes, waiting
from storage.database import now
from storage.records import Job, Json, Take
from studio.actions.document import job_to_json
from studio.actions.job_control import IN_ENGINE
from studio.actions.queue_pace import Pace, pace_of, seconds_of
from studio.actions.stamp import when
from studio.session import NotReady, Session

DONE_HOURS = 24
"""How long a finished job is listed as done."""
MOST_DONE = 50
_HIDDEN = frozenset({"recall", "lint", "measure"})
"""Kinds that are answers to a look, not work that an editor asks back for."""
_SPEC_FIELDS = ("prompt", "seed", "num_steps", "num_frames", "name")


def queue_to_json(session: Session, project_id: str) -> Json:
    """Return the queue with the failed and done jobs of a project, or raise `NotFound`.

    Jobs of other films are listed where they run or wait: they take their turn in the same queue.
    """
    with session.library.read() as tx:
        projects.get(tx, project_id)
        active = [j for j in jobs.active(tx) if _is_listed(j)]
        failed = waiting.failed(tx, project_id)
        since = now(tx) - DONE_HOURS * 3_600_000_000
        done = [j for j in waiting.done(tx, project_id, since=since) if _is_listed(j)][:MOST_DONE]
        names = {p.id: p.name for p in projects.list_all(tx, include_deleted=True)}
        known = _takes(tx, {project_id, *(j.project_id for j in active)})
        pace = _pace(session, tx, active, known.values())
        is_paused = waiting.is_paused(tx)
    listed, ends_in = _with_times(session, active, pace)
    waits = _waits(session, active, is_paused=is_paused)
    shown = _pictures(known)
    return {
        "paused": is_paused,
        "eta_seconds": ends_in,
        "jobs": [
            _row(session, job, names, shown) | times | {"waits": waits.get(job.id, "")}
            for job, times in [*listed, *((j, _no_times()) for j in failed)]
        ],
        "done": [
            _row(session, job, names, shown)
            | {"seconds": seconds_of(job), "finished_at": when(job.finished_at or 0)}
            for job in done
        ],
    }


def _is_listed(job: Job) -> bool:
    return job.kind not in _HIDDEN


def _takes(tx: Connection, project_ids: set[str]) -> dict[str, Take]:
    return {t.id: t for one in sorted(project_ids) for t in takes.of_project(tx, one)}


def _pace(session: Session, tx: Connection, active: Sequence[Job], known: Iterable[Take]) -> Pace:
    kinds = {job.kind for job in active} - {"generate"}
    done = [job for kind in sorted(kinds) for job in waiting.newest_done(tx, kind)]
    try:
        info = session.info()
    except NotReady:
        info = None
    return pace_of(known, done, info)


def _with_times(
    session: Session, active: Sequence[Job], pace: Pace
) -> tuple[list[tuple[Job, Json]], float | None]:
    """Return the jobs with when they begin and end from now, and when the last one ends.

    The engine runs one job after the other, and so does the media worker beside it. A job that
    nothing is known about leaves open when those behind it begin.
    """
    clocks: dict[bool, float | None] = {True: 0.0, False: 0.0}
    rows = []
    for job in active:
        lane = job.kind in IN_ENGINE
        starts_in = clocks[lane]
        left = _left(session, job, pace)
        ends_in = None if starts_in is None or left is None else starts_in + left
        clocks[lane] = ends_in
        rows.append((job, {"starts_in": starts_in, "seconds": left, "ends_in": ends_in}))
    if not active or None in clocks.values():
        return rows, None
    return rows, max(clock for clock in clocks.values() if clock is not None)


def _left(session: Session, job: Job, pace: Pace) -> float | None:
    running = session.running.get(job.id)
    if running is not None and running.eta_seconds is not None:
        return running.eta_seconds
    whole = pace.seconds(job)
    return whole if whole is None or running is None else whole * (1.0 - running.done)


def _waits(session: Session, active: Sequence[Job], *, is_paused: bool) -> dict[str, str]:
    """Return why each job that waits does, in an editor's words.

    The engine has one device: training, rendering and looking into memory take turns on it.
    """
    before: dict[bool, int] = {True: 0, False: 0}
    found: dict[str, str] = {}
    for job in active:
        lane = job.kind in IN_ENGINE
        if job.state == "paused":
            found[job.id] = "Set aside where it stood. Resume puts it back in the queue."
            continue
        if job.state == "queued":
            found[job.id] = _reason(session, job, before[lane], is_paused=is_paused)
        before[lane] += 1
    return found


def _reason(session: Session, job: Job, num_before: int, *, is_paused: bool) -> str:
    if is_paused and job.kind not in waiting.WHILE_PAUSED:
        return "The queue is paused."
    if num_before:
        jobs_before = "1 job is" if num_before == 1 else f"{num_before} jobs are"
        place = "the engine" if job.kind in IN_ENGINE else "the media worker"
        return f"{jobs_before} before it: {place} does one after the other."
    if job.kind in IN_ENGINE and session.engine.state != "ready":
        return session.engine.message
    return "It is next."


def _no_times() -> Json:
    return {"starts_in": None, "seconds": None, "ends_in": None}


def _row(session: Session, job: Job, names: Mapping[str, str], shown: Mapping[str, str]) -> Json:
    about = {name: job.spec[name] for name in _SPEC_FIELDS if name in job.spec}
    strip = shown.get(job.id) or shown.get(job.shot_id or "")
    return job_to_json(session, job) | {
        "film": names.get(job.project_id, ""),
        "strip": f"/media/{strip}.jpg" if strip else None,
        "about": about,
        "priority": job.priority,
    }


def _pictures(known: Mapping[str, Take]) -> dict[str, str]:
    """Return strips by the job that made them and by shot, the newest of each."""
    found: dict[str, str] = {}
    for take in sorted(known.values(), key=lambda t: t.created_at):
        found[take.shot_id] = take.strip_digest
        if take.job_id:
            found[take.job_id] = take.strip_digest
    return found
