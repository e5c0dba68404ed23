"""A project as the page sees it: the cut, its takes, its jobs and where the editor stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from engine.protocol import MemorySystemInfo
from storage import events, history, jobs, memory, projects, takes, tree
from storage.errors import StorageError
from storage.records import Cut, Job, Json, Project, Shot, Take, shot_to_json
from studio.session import NO_MEMORY, NotReady, Session
from studio.timeline.cut import entry_keys, memory_of, starts, takes_read, total_frames
from studio.timeline.plan import unknown_words

MEMORY_BUDGET = 5000
"""Tokens that the method was made for (20 s of video, arXiv 2512.23851): the bar's full length."""
RECENT = 50
"""Newest jobs among which failed ones are looked for."""


def document(session: Session, project_id: str) -> Json:
    """Return everything the page shows of a project, or raise `NotFound`."""
    with session.library.read() as tx:
        project = projects.get(tx, project_id)
        branch, cut = history.head(tx, project_id)
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        return {
            "project": {
                "id": project.id,
                "name": project.name,
                "rate": list(cut.rate),
                "width": cut.width,
                "height": cut.height,
            },
            "rev": branch.rev,
            "seq": events.last_seq(tx, project_id),
            "boot": session.boot,
            "node_id": branch.head_node,
            "label": tree.get(tx, branch.head_node).label,
            "can_undo": history.can_undo(tx, project_id),
            "can_redo": history.can_redo(tx, project_id),
            "total_frames": total_frames(cut),
            "shots": _shots(session, cut, known),
            "jobs": [job_to_json(session, j) for j in _jobs(tx, project_id)],
            "memory": _memory(session, tx, cut, known),
        }


def _jobs(tx: Connection, project_id: str) -> list[Job]:
    """Return the jobs that are not over, and those that failed and were not asked for again."""
    found = jobs.active(tx, project_id)
    newest: dict[tuple[str, str | None], Job] = {}
    for job in jobs.recent(tx, project_id, RECENT):
        newest.setdefault((job.kind, job.shot_id), job)
    failed = [j for j in newest.values() if j.state in ("failed", "quarantined")]
    return found + failed


def take_to_json(take: Take) -> Json:
    """Return a take as the page sees it."""
    return {
        "take_id": take.id,
        "number": take.number,
        "kind": take.kind,
        "media": f"/media/{take.media_digest}.mp4",
        "strip": f"/media/{take.strip_digest}.jpg",
        "strip_tiles": take.strip_tiles,
        "num_frames": take.num_frames,
        "memory_tokens": take.memory_tokens,
        "seed": take.seed,
        "sources": list(take.sources),
        "seconds": dict(take.seconds),
        "prompt": take.spec.get("prompt", ""),
        "created_at": when(take.created_at),
    }


def job_to_json(session: Session, job: Job) -> Json:
    """Return a job as the page sees it; a quarantined one counts as failed there."""
    running = session.running.get(job.id)
    # A job that was done in the end keeps the error of its earlier runs; nobody wants to read it.
    error = None if job.state in ("done", "running") else job.error
    return {
        "id": job.id,
        "kind": job.kind,
        "shot_id": job.shot_id,
        "project_id": job.project_id,
        "state": "failed" if job.state == "quarantined" else job.state,
        "attempts": job.attempts,
        "done": 1.0 if job.state == "done" else running.done if running else job.tenths / 10,
        "phase": running.phase if running else "",
        "step": running.step if running else 0,
        "num_steps": running.num_steps if running else 0,
        "eta_seconds": running.eta_seconds if running else None,
        "message": (error or {}).get("message", ""),
        "error": error,
        "result": job.result or {},
        "created_at": when(job.created_at),
    }


def project_list(session: Session) -> list[Json]:
    """Return all projects; one that cannot be read is listed with the reason."""
    with session.library.read() as tx:
        return [_listed(tx, project) for project in projects.list_all(tx)]


def history_to_json(session: Session, project_id: str) -> Json:
    """Return the tree of a project's cuts, with a picture of what each node shows first."""
    with session.library.read() as tx:
        branch, _ = history.head(tx, project_id)
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        nodes = history.nodes(tx, project_id)
        return {
            "nodes": [
                {
                    "id": node.id,
                    "parent_id": node.parent_id,
                    "label": node.label,
                    "op_kind": node.op_kind,
                    "author": node.author,
                    "created_at": when(node.created_at),
                    "strip": _strip_of_op(node.op, known),
                }
                for node in nodes
            ],
            "head": branch.head_node,
            "tip": branch.tip_node,
            "branches": [
                {"name": b.name, "head": b.head_node, "tip": b.tip_node}
                for b in history.branches(tx, project_id)
            ],
        }


def takes_to_json(session: Session, project_id: str, shot_id: str) -> list[Json]:
    """Return the takes of a shot, oldest first, the one it shows included and marked."""
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
        shot = next((s for s in cut.shots if s.shot_id == shot_id), None)
        picked = shot.take_id if shot else None
        found = takes.of_shot(tx, shot_id)
        if picked and picked not in {t.id for t in found}:
            # A split or duplicated shot shows a take that was made for another one.
            found.insert(0, takes.get(tx, picked))
        return [take_to_json(t) | {"picked": t.id == picked} for t in found]


def when(microseconds: int) -> str:
    """Return a stored time as text that every browser reads."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return at.isoformat(timespec="milliseconds")


def _shots(session: Session, cut: Cut, known: Mapping[str, Take]) -> list[Json]:
    try:
        words = frozenset(session.info().words)
    except NotReady:
        words = frozenset()
    counts: dict[str, int] = {}
    for take in known.values():
        counts[take.shot_id] = counts.get(take.shot_id, 0) + 1
    rows = []
    for shot, start in zip(cut.shots, starts(cut), strict=True):
        picked = known.get(shot.take_id) if shot.take_id else None
        rows.append(
            shot_to_json(shot)
            | {
                "start": start,
                "take": take_to_json(picked) if picked else None,
                "num_takes": max(counts.get(shot.shot_id, 0), 1 if picked else 0),
                "stale": is_stale(session, cut, shot, known),
                "unknown_words": list(unknown_words(shot.prompt, words)),
            }
        )
    return rows


def is_stale(session: Session, cut: Cut, shot: Shot, known: Mapping[str, Take]) -> bool:
    """Return whether what a shot would read of memory now differs from what its take read."""
    take = known.get(shot.take_id) if shot.take_id else None
    if take is None or take.kind != "generated":
        return False
    system = _system(session, shot.memory.system)
    if system is None:
        return False
    now: tuple[str, ...] = ()
    if system.name != NO_MEMORY:
        now = memory_of(cut, shot.shot_id, known, system.fingerprint, system.scope)
    read: list[str] = take.spec.get("memory_keys", [])
    return list(now) != read


def _memory(session: Session, tx: Connection, cut: Cut, known: Mapping[str, Take]) -> Json:
    name = cut.shots[-1].memory.system if cut.shots else Shot(
        shot_id="", num_frames=1, in_=0, out=1
    ).memory.system  # fmt: skip
    system = _system(session, name)
    tokens = 0
    if system is not None and system.name != NO_MEMORY:
        keys = entry_keys(takes_read(cut, None, known), system.fingerprint, system.scope)
        entries = memory.find(tx, keys)
        held = [entries[k].num_tokens for k in keys if k in entries]
        tokens = sum(held) if system.scope == "take" else (held[-1] if held else 0)
    return {"system": name, "tokens": tokens, "budget": MEMORY_BUDGET}


def _system(session: Session, name: str) -> MemorySystemInfo | None:
    try:
        return session.system(name)
    except (NotReady, LookupError):
        return None


def _listed(tx: Connection, project: Project) -> Json:
    row: dict[str, Any] = {
        "id": project.id,
        "name": project.name,
        "shots": 0,
        "frames": 0,
        "updated_at": when(project.created_at),
        "strip": None,
        "damaged": None,
    }
    try:
        _, cut = history.head(tx, project.id)
        known = {t.id: t for t in takes.of_project(tx, project.id)}
        newest = events.since(tx, project.id, events.last_seq(tx, project.id) - 1)
    except (StorageError, ValueError, KeyError, TypeError) as error:
        # One bad project never keeps the others from opening.
        return row | {"damaged": str(error)}
    picked = (known[s.take_id] for s in cut.shots if s.take_id in known)
    first = next(picked, None)
    return row | {
        "shots": len(cut.shots),
        "frames": total_frames(cut),
        "updated_at": when(newest[-1].at if newest else project.created_at),
        "strip": f"/media/{first.strip_digest}.jpg" if first else None,
    }


def _strip_of_op(op: Json, known: Mapping[str, Take]) -> str | None:
    named: Iterable[Any] = [*(op.get("take_ids") or []), op.get("take_id")]
    take = next((known[n] for n in named if n in known), None)
    return f"/media/{take.strip_digest}.jpg" if take else None
