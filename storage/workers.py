"""Workers: which process claimed a job, so that the next server knows whether it still runs."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from storage import schema
from storage.canonical import new_id
from storage.database import now
from storage.processes import ProcessId, is_running, this_process

_worker = schema.worker


def register(tx: Connection, *, kind: str, device: str = "cpu") -> str:
    """Store this process as a worker and return the id it claims jobs with."""
    process = this_process()
    worker_id = new_id()
    tx.execute(
        insert(_worker).values(
            id=worker_id,
            kind=kind,
            device=device,
            pid=process.pid,
            boot_id=process.boot_id,
            pid_start_time=process.start_time,
            heartbeat_at=now(tx),
        )
    )
    return worker_id


def is_alive(tx: Connection, worker_id: str) -> bool:
    """Return whether the worker's very process still runs. Unknown workers do not."""
    row = tx.execute(select(_worker).where(_worker.c.id == worker_id)).one_or_none()
    if row is None:
        return False
    process = ProcessId(pid=row.pid, boot_id=row.boot_id, start_time=row.pid_start_time)
    return is_running(process)


def forget_dead(tx: Connection) -> None:
    """Remove the workers whose processes are gone."""
    for worker_id in tx.execute(select(_worker.c.id)).scalars().all():
        if not is_alive(tx, worker_id):
            tx.execute(delete(_worker).where(_worker.c.id == worker_id))
