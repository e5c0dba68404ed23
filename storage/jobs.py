"""The queue: jobs are claimed under a fence, and a result is committed in one transaction.

A job may run more than once, because its worker can die; its result is committed at most once,
because only the newest claim may finish. Until then nothing of a run is visible.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from storage import checkpoints, history, memory, queue, references, schema, takes
from storage.canonical import new_id
from storage.database import now
from storage.errors import Refused
from storage.records import FINISHED_STATES, Cut, Entry, Event, Job, Json, Node, Take

LEASE_MICROSECONDS = 60_000_000
"""How long a worker without a heartbeat is believed when nothing else is known of it."""
MAX_ATTEMPTS = 3
"""Runs that may end with their worker before the job is quarantined."""
KINDS = frozenset({"generate", "encode", "recall", "measure", "lint", "ingest", "export"})

Blob = tuple[str, int, str]
"""Digest, size in bytes and media type of a blob that a job wrote."""
Pick = Callable[[Cut], tuple[Cut, str] | None]
"""A pure edit of the newest cut that shows the new takes, with its label; None = leave it."""

_job = schema.job
_CLAIMED = ("running", "cancelling")
_UNCLAIMED = ("queued", "paused")
_GIVEN_UP = frozenset({"done", "cancelled", "quarantined"})
"""States in which nobody goes on from where a job stood. What failed may be tried again."""


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What `finish_with_takes` stored."""

    job: Job
    takes: tuple[Take, ...]
    node: Node | None
    """The node that shows the takes. None = they are offered, not picked."""


def add(  # noqa: PLR0913 - the columns of one row
    tx: Connection,
    *,
    kind: str,
    project_id: str,
    spec: Json,
    shot_id: str | None = None,
    queueing_key: str | None = None,
    priority: int = 0,
) -> Job:
    """Queue a job and return it; a waiting job with the same queueing key is updated instead."""
    if kind not in KINDS:
        raise Refused(f"A job of kind {kind!r}. Expected one of {', '.join(sorted(KINDS))}.")
    asked: Json = {
        "kind": kind,
        "project_id": project_id,
        "shot_id": shot_id,
        "spec": spec,
        "priority": priority,
    }
    waiting = None if queueing_key is None else queue.waiting_for(tx, queueing_key)
    if waiting is not None:
        columns = queue.to_columns(asked)
        tx.execute(update(_job).where(_job.c.id == waiting.id).values(**columns))
        job = queue.get(tx, waiting.id)
    else:
        job = Job(
            id=new_id(),
            queueing_key=queueing_key,
            position=queue.last_position(tx) + 1,
            state="queued",
            attempts=0,
            max_attempts=MAX_ATTEMPTS,
            fence=0,
            tenths=0,
            worker_id=None,
            heartbeat_at=None,
            lease_until=None,
            not_before=0,
            cancel_requested=False,
            error=None,
            result=None,
            created_at=now(tx),
            started_at=None,
            finished_at=None,
            **asked,
        )
        values = {f.name: getattr(job, f.name) for f in dataclasses.fields(job)}
        tx.execute(insert(_job).values(**queue.to_columns(values)))
    queue.tell(tx, job, "job_queued")
    return job


def claim(
    tx: Connection, worker_id: str, kinds: Collection[str], lease: int = LEASE_MICROSECONDS
) -> Job | None:
    """Take the next waiting job of those kinds under a new fence. None = nothing to do."""
    at = now(tx)
    query = (
        select(_job.c.id)
        .where(_job.c.state == "queued", _job.c.kind.in_(set(kinds)), _job.c.not_before <= at)
        .order_by(_job.c.priority.desc(), _job.c.position)
    )
    for job_id in tx.execute(query).scalars().all():
        taken = tx.execute(
            update(_job)
            .where(_job.c.id == job_id, _job.c.state == "queued")
            .values(
                state="running",
                fence=_job.c.fence + 1,
                tenths=0,
                worker_id=worker_id,
                heartbeat_at=at,
                lease_until=at + lease,
                started_at=at,
            )
        )
        if taken.rowcount == 1:
            job = queue.get(tx, job_id)
            queue.tell(tx, job, "job_started")
            return job
    return None


def heartbeat(tx: Connection, job_id: str, fence: int, lease: int = LEASE_MICROSECONDS) -> Job:
    """Extend the lease of a claimed job, or raise `Fenced`."""
    at = now(tx)
    values = {"heartbeat_at": at, "lease_until": at + lease}
    return queue.change(tx, job_id, fence=fence, states=_CLAIMED, values=values)


def progress(
    tx: Connection, job_id: str, fence: int, done: float, message: str = ""
) -> Event | None:
    """Store an event when the share `done` (0 to 1) enters a new tenth; raises `Fenced`."""
    job = queue.get(tx, job_id)
    tenths = max(0, min(10, int(done * 10 + 1e-9)))
    if tenths <= job.tenths and job.fence == fence:
        return None
    job = queue.change(tx, job_id, fence=fence, states=_CLAIMED, values={"tenths": tenths})
    return queue.tell(tx, job, "job_progress", {"done": tenths / 10, "message": message})


def finish(
    tx: Connection, job_id: str, fence: int, result: Json, blobs: Sequence[Blob] = ()
) -> Job:
    """End a job that leaves no takes, with the rows of its blobs.

    Raises:
        Fenced: a stale or cancelled run; nothing of it becomes visible.
    """
    _end(tx, job_id, fence, {"state": "done", "result": result, "tenths": 10}, _open(tx, job_id))
    _add_blobs(tx, blobs)
    return _ended(tx, job_id, "job_done")


def finish_with_takes(  # noqa: PLR0913 - everything one transaction commits
    tx: Connection,
    *,
    job: Job,
    fence: int,
    takes: Sequence[Take],
    entries: Sequence[Entry],
    blobs: Sequence[Blob],
    pick: Pick,
    result: Json | None = None,
    branch: str = "main",
) -> Committed:
    """End a job with its takes, entries and blobs, and pick the takes in the newest cut.

    Args:
        tx: an open write transaction.
        job: as claimed.
        fence: of that claim.
        takes: what was rendered, without numbers.
        entries: what the takes left in memory.
        blobs: every blob of both; the files are durable.
        pick: gives the cut that shows the takes and its label. None if a shot is gone, locked or
            was picked anew since the job was queued: the takes are then stored and offered.
        result: kept with the job, together with `take_ids` and `picked`.
        branch: whose head is moved.

    Raises:
        Fenced: a stale or cancelled run; nothing of it becomes visible.
    """
    _end(tx, job.id, fence, {"state": "done", "tenths": 10}, _open(tx, job.id))
    _add_blobs(tx, blobs)
    history.ensure_shots(tx, job.project_id, (take.shot_id for take in takes))
    stored = tuple(_add_take(tx, take, job.id, fence) for take in takes)
    for entry in entries:
        memory.add(tx, entry)
    take_ids = [take.id for take in stored]
    node = _pick(tx, job, branch, pick, take_ids)
    full = {**(result or {}), "take_ids": take_ids, "picked": node is not None}
    columns = queue.to_columns({"result": full})
    tx.execute(update(_job).where(_job.c.id == job.id).values(**columns))
    return Committed(job=_ended(tx, job.id, "job_done"), takes=stored, node=node)


def fail(tx: Connection, job_id: str, fence: int, error: Json) -> Job:
    """End a job with an error; one that was being cancelled counts as cancelled."""
    if queue.get(tx, job_id).state == "cancelling":
        _end(tx, job_id, fence, {"state": "cancelled", "error": error}, _CLAIMED)
        return _ended(tx, job_id, "job_cancelled")
    _end(tx, job_id, fence, {"state": "failed", "error": error})
    return _ended(tx, job_id, "job_failed")


def cancel(tx: Connection, job_id: str, *, keep: bool = False) -> Job:
    """Ask for the end of a job: a waiting one is cancelled, a running one cancelling.

    With `keep` a running job may still finish, with what it has by then. Asked again without it,
    the result is dropped after all.
    """
    job = queue.get(tx, job_id)
    if job.state in _UNCLAIMED:
        _end(tx, job_id, job.fence, {"state": "cancelled", "cancel_requested": True}, _UNCLAIMED)
        return _ended(tx, job_id, "job_cancelled")
    if job.state == "running" or (is_kept(job) and not keep):
        kept = {"keep": True} if keep else None
        values = {"state": "cancelling", "cancel_requested": True, "result": kept}
        job = queue.change(tx, job_id, fence=job.fence, states=_CLAIMED, values=values)
        queue.tell(tx, job, "job_cancelling")
    return job


def is_kept(job: Job) -> bool:
    """Return whether a job that is being cancelled may still leave what it has."""
    return job.state == "cancelling" and bool((job.result or {}).get("keep"))


def cancelled(tx: Connection, job_id: str, fence: int) -> Job:
    """End a job whose run has stopped as asked."""
    _end(tx, job_id, fence, {"state": "cancelled"}, _CLAIMED)
    return _ended(tx, job_id, "job_cancelled")


def release(
    tx: Connection,
    job_id: str,
    fence: int,
    error: Json | None = None,
    *,
    not_before: int = 0,
    is_attempt: bool = True,
) -> Job:
    """Put a job back whose worker died; after three such runs it is quarantined.

    Args:
        tx: an open write transaction.
        job_id: the job.
        fence: of the claim that ended.
        error: what is known about the death.
        not_before: time in microseconds before which it is not claimed again.
        is_attempt: False = the run was ended on purpose, so it does not count. The job keeps its
            place in the queue either way.
    """
    job = queue.get(tx, job_id)
    if job.state == "cancelling":
        return cancelled(tx, job_id, fence)
    attempts = job.attempts + (1 if is_attempt else 0)
    newer = None if job.queueing_key is None else queue.waiting_for(tx, job.queueing_key)
    if newer is not None:
        told = {"message": "A newer request took its place.", "job_id": newer.id}
        _end(tx, job_id, fence, {"state": "cancelled", "attempts": attempts, "error": told})
        return _ended(tx, job_id, "job_cancelled")
    if is_attempt and attempts >= job.max_attempts:
        _end(tx, job_id, fence, {"state": "quarantined", "attempts": attempts, "error": error})
        return _ended(tx, job_id, "job_quarantined")
    values = {"state": "queued", "attempts": attempts, "error": error, "not_before": not_before}
    return _requeue(tx, job, fence, ("running",), values)


def retry(tx: Connection, job_id: str) -> Job:
    """Queue a job again that failed, was cancelled or is quarantined, at the end of the queue.

    If a newer job with the same queueing key waits already, that one is returned.
    """
    job = queue.get(tx, job_id)
    if job.state == "done" or job.state not in FINISHED_STATES:
        raise Refused(f"Job {job_id} is {job.state}. Only a job that failed can be tried again.")
    newer = None if job.queueing_key is None else queue.waiting_for(tx, job.queueing_key)
    if newer is not None:
        return newer
    values = {
        "state": "queued",
        "attempts": 0,
        "error": None,
        "cancel_requested": False,
        "finished_at": None,
        "not_before": 0,
        "position": queue.last_position(tx) + 1,
    }
    return _requeue(tx, job, job.fence, (job.state,), values)


def requeue_lost(tx: Connection, is_alive: Callable[[str], bool]) -> list[Job]:
    """Put back every claimed job whose worker is gone, and return those jobs as they are now."""
    rows = tx.execute(select(_job).where(_job.c.state.in_(_CLAIMED)).order_by(_job.c.position))
    lost = [job for job in map(queue.record, rows.all()) if not is_alive(job.worker_id or "")]
    error = {"message": "The process that ran this job is gone."}
    return [release(tx, job.id, job.fence, error) for job in lost]


def get(tx: Connection, job_id: str) -> Job:
    """Return a job, or raise `NotFound`."""
    return queue.get(tx, job_id)


def active(tx: Connection, project_id: str | None = None) -> list[Job]:
    """Return the jobs that are not over, of one project or of all: claimed first, then in order."""
    query = select(_job).where(_job.c.state.not_in(FINISHED_STATES))
    if project_id is not None:
        query = query.where(_job.c.project_id == project_id)
    query = query.order_by(_job.c.state == "queued", _job.c.priority.desc(), _job.c.position)
    return [queue.record(row) for row in tx.execute(query)]


def recent(tx: Connection, project_id: str, limit: int = 50) -> list[Job]:
    """Return the project's newest jobs in any state, newest first."""
    query = select(_job).where(_job.c.project_id == project_id)
    query = query.order_by(_job.c.created_at.desc(), _job.c.id.desc()).limit(limit)
    return [queue.record(row) for row in tx.execute(query)]


def _open(tx: Connection, job_id: str) -> Collection[str]:
    """Return the states that a job may finish from."""
    return _CLAIMED if is_kept(queue.get(tx, job_id)) else ("running",)


def _pick(tx: Connection, job: Job, branch: str, pick: Pick, take_ids: list[str]) -> Node | None:
    found, cut = history.head(tx, job.project_id, branch)
    picked = pick(cut)
    if picked is None:
        return None
    return history.append(
        tx,
        project_id=job.project_id,
        branch=branch,
        expected_rev=found.rev,
        op_kind="pick_take",
        op={"take_ids": take_ids, "job_id": job.id},
        label=picked[1],
        cut=picked[0],
        author="engine",
    )


def _add_take(tx: Connection, take: Take, job_id: str, fence: int) -> Take:
    return takes.add(tx, dataclasses.replace(take, job_id=job_id, fence=fence))


def _add_blobs(tx: Connection, blobs: Iterable[Blob]) -> None:
    for digest, size, media_type in blobs:
        references.add(tx, digest, size, media_type)


def _requeue(tx: Connection, job: Job, fence: int, states: Collection[str], values: Json) -> Job:
    free = {"worker_id": None, "heartbeat_at": None, "lease_until": None, "tenths": 0}
    changed = queue.change(tx, job.id, fence=fence, states=states, values={**free, **values})
    references.unpin(tx, job.id)
    queue.tell(tx, changed, "job_queued", {"attempts": changed.attempts})
    return changed


def _end(
    tx: Connection, job_id: str, fence: int, values: Json, states: Collection[str] = ("running",)
) -> None:
    ended = {"finished_at": now(tx), "worker_id": None, "lease_until": None}
    queue.change(tx, job_id, fence=fence, states=states, values={**ended, **values})
    # Its blobs have rows by the end of this transaction, or nobody wants them.
    references.unpin(tx, job_id)
    if values.get("state") in _GIVEN_UP:
        checkpoints.drop(tx, job_id)


def _ended(tx: Connection, job_id: str, kind: str) -> Job:
    job = queue.get(tx, job_id)
    told = {"message": (job.error or {}).get("message", "")} if job.error else {}
    queue.tell(tx, job, kind, told)
    return job
