"""A project as the page sees it: the cut, its takes, its jobs and where the editor stands."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from storage import events, history, jobs, marks, projects, takes, tree, waiting
from storage.errors import StorageError
from storage.records import Cut, Job, Json, Node, Project
from studio.actions.memory_document import memory_document, threshold_of
from studio.actions.shot_rows import Rows, RowsDesk, rows_of
from studio.actions.stamp import when
from studio.actions.take_document import json_text
from studio.session import SILENT_KINDS, NotReady, Session
from studio.timeline.cut import total_frames

_desk = RowsDesk()


def document(session: Session, project_id: str, *, known: str = "") -> str:
    """Return everything the page shows of a project as JSON text, or raise `NotFound`.

    `known` is the `version` of a document that the page has: a shot that is as it was there stands
    in the list as its id alone. A version that is not kept any more is as good as none.
    """
    with session.library.read() as tx:
        project = projects.get(tx, project_id)
        branch, cut = history.head(tx, project_id)
        node = tree.get(tx, branch.head_node)
        rows = _rows(session, tx, cut, node)
        told = {
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
            "version": rows.version,
            "node_id": node.id,
            "label": node.label,
            "can_undo": node.parent_id is not None,
            "can_redo": branch.head_node != branch.tip_node,
            "total_frames": total_frames(cut),
            "markers": [{"frame": m.frame, "label": m.label} for m in cut.markers],
            "jobs": [job_to_json(session, j) for j in _jobs(tx, project_id)],
            "memory": rows.memory,
            "update": rows.update,
        }
    shots = rows.told(_desk.version(known) if known else None)
    return f'{json_text(told)[:-1]},"shots":{shots}}}'


def _rows(session: Session, tx: Connection, cut: Cut, node: Node) -> Rows:
    """Return the shots as text: they change with what this names, and with nothing else."""
    known = {t.id: t for t in takes.of_project(tx, node.project_id)}
    trashed = marks.trashed(tx, known)
    threshold = threshold_of(tx)
    try:
        info = session.info()
    except NotReady:
        info = None
    words = frozenset(info.words if info else ())

    def make(before: Rows | None) -> Rows:
        graded = before.graded if before else None
        memory = memory_document(session, cut, known, threshold, graded)
        return rows_of(cut, (known, trashed), memory, words, before)

    digests = tuple(take.row_digest for take in known.values())
    state = (node.state_digest, digests, trashed, threshold, info)
    return _desk.rows(node.project_id, state, make)


def _jobs(tx: Connection, project_id: str) -> list[Job]:
    """Return the jobs that are not over, and those that failed and were not dismissed."""
    found = jobs.active(tx, project_id) + waiting.failed(tx, project_id)
    return [job for job in found if job.kind not in SILENT_KINDS | {"measure"}]


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
        "is_kept": jobs.is_kept(job),
        "error": error,
        "result": job.result or {},
        "created_at": when(job.created_at),
    }


def project_list(session: Session) -> Json:
    """Return all projects, and the deleted ones, newest first.

    One that cannot be read is listed with the reason.
    """
    with session.library.read() as tx:
        every = projects.list_all(tx, include_deleted=True)
        rows = [(project.deleted_at is not None, _listed(tx, project)) for project in every]
    return {
        "projects": [row for is_deleted, row in rows if not is_deleted],
        "deleted": [row for is_deleted, row in rows if is_deleted],
    }


def _listed(tx: Connection, project: Project) -> Json:
    row: dict[str, Any] = {
        "id": project.id,
        "name": project.name,
        "shots": 0,
        "frames": 0,
        "rate": list(project.rate),
        "created_at": when(project.created_at),
        "updated_at": when(project.created_at),
        "deleted_at": None if project.deleted_at is None else when(project.deleted_at),
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
