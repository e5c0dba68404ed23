"""Where unfinished jobs stand, so that another run goes on from there.

What a job says about its checkpoint is kept by the job's id among the settings, which collection
reads: its blob has no row of its own, because nothing that is finished ever names it.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from storage import queue, references, schema, settings
from storage.database import now
from storage.records import FINISHED_STATES, Json

PREFIX = "checkpoint:"
"""Before a job's id."""
KEPT_MICROSECONDS = 14 * 24 * 3_600_000_000
"""How long a job that failed can still go on from where it stood."""


def keep(tx: Connection, job_id: str, fence: int, checkpoint: Json) -> str | None:
    """Store where a claimed job stands; return the digest of the one before, if nothing needs it.

    Raises:
        Fenced: the job was claimed again or ended since.
    """
    queue.change(tx, job_id, fence=fence, states=("running", "cancelling"), values={"fence": fence})
    before = find(tx, job_id)
    settings.put(tx, PREFIX + job_id, checkpoint)
    return _useless(tx, job_id, before, checkpoint["digest"])


def find(tx: Connection, job_id: str) -> Json | None:
    """Return where a job stands, or None."""
    found: Json | None = settings.get(tx, PREFIX + job_id)
    return found


def drop(tx: Connection, job_id: str) -> str | None:
    """Forget where a job stood; return the digest of its blob if nothing needs that."""
    before = find(tx, job_id)
    tx.execute(delete(schema.setting).where(schema.setting.c.name == PREFIX + job_id))
    return _useless(tx, job_id, before, "")


def job_ids(tx: Connection) -> list[str]:
    """Return the jobs that have a checkpoint."""
    name = schema.setting.c.name
    names = tx.execute(select(name).where(name.startswith(PREFIX))).scalars()
    return [name.removeprefix(PREFIX) for name in names]


def sweep(tx: Connection) -> list[str]:
    """Forget those of jobs that ended long ago; return the digests that nothing needs any more."""
    job, ids = schema.job, job_ids(tx)
    since = now(tx) - KEPT_MICROSECONDS
    living = select(job.c.id).where(
        job.c.id.in_(ids), job.c.state.not_in(FINISHED_STATES) | (job.c.finished_at > since)
    )
    kept = set(tx.execute(living).scalars())
    return [gone for i in ids if i not in kept and (gone := drop(tx, i))]


def _useless(tx: Connection, job_id: str, before: Json | None, newer: str) -> str | None:
    """Return the blob of an earlier checkpoint that was made for this very job and nothing else."""
    if before is None or before["is_clean"] or before["digest"] == newer:
        return None
    references.unpin(tx, job_id, before["digest"])
    digest: str = before["digest"]
    is_needed = references.exists(tx, digest) or digest in references.pinned(tx)
    return None if is_needed else digest
