"""From a job's row to what the engine is told: memory is resolved when the job starts.

So a shot reads the takes that its earlier shots have by then, whatever was queued first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from engine.protocol import (
    EncodeSpec,
    EntryRef,
    GenerateSpec,
    MemorySystemInfo,
    RecallSpec,
    Spec,
)
from storage import history, memory, takes
from storage.records import Job, Take
from studio.session import NO_MEMORY, Session
from studio.timeline.cut import entry_keys, shot_of, takes_read


class CannotRun(Exception):
    """The job no longer makes sense; the message is for the editor."""


@dataclass(frozen=True, kw_only=True)
class Dispatched:
    """A job as the engine gets it."""

    spec: Spec
    memory_keys: tuple[str, ...] = ()
    """Keys of the entries it reads, for the take's own spec."""


def dispatch(session: Session, tx: Connection, job: Job) -> Dispatched:
    """Return what the engine is to run for `job` at the current head.

    Raises:
        CannotRun: its shot was deleted, or the model has no such memory system.
    """
    try:
        return _DISPATCHERS[job.kind](session, tx, job)
    except LookupError as error:
        raise CannotRun(str(error)) from error


def entry_refs(
    tx: Connection, read: Sequence[Take], system: MemorySystemInfo
) -> tuple[EntryRef, ...]:
    """Return the entries of takes under a system; those without a row are remade by the engine."""
    keys = entry_keys(read, system.fingerprint, system.scope)
    stored = memory.find(tx, keys)
    return tuple(
        EntryRef(
            take_id=take.id,
            latents_digest=take.latents_digest or "",
            key=key,
            blob_digest=stored[key].blob_digest if key in stored else "",
            num_frames=take.num_frames,
        )
        for take, key in zip(read, keys, strict=True)
    )


def _generate(session: Session, tx: Connection, job: Job) -> Dispatched:
    _, cut = history.head(tx, job.project_id)
    shot = shot_of(cut, job.shot_id or "")
    if shot is None:
        raise CannotRun("The shot was deleted before its turn came. Undo brings it back.")
    asked = job.spec
    system = session.system(asked["memory_system"])
    refs: tuple[EntryRef, ...] = ()
    if system.name != NO_MEMORY:
        known = {t.id: t for t in takes.of_project(tx, job.project_id)}
        refs = entry_refs(tx, takes_read(cut, shot, known), system)
    spec = GenerateSpec(
        prompt=asked["prompt"],
        num_frames=asked["num_frames"],
        width=asked["width"],
        height=asked["height"],
        rate=(asked["rate"][0], asked["rate"][1]),
        seed=asked["seed"],
        num_steps=asked["num_steps"],
        guidance=asked["guidance"],
        memory_system=system.name,
        strength=asked["strength"],
        entries=refs,
    )
    return Dispatched(spec=spec, memory_keys=tuple(r.key for r in refs))


def _encode(_: Session, __: Connection, job: Job) -> Dispatched:
    asked = job.spec
    spec = EncodeSpec(
        media_digest=asked["media_digest"],
        lengths=tuple(asked["lengths"]),
        width=asked["width"],
        height=asked["height"],
        rate=(asked["rate"][0], asked["rate"][1]),
        memory_system=asked["memory_system"],
    )
    return Dispatched(spec=spec)


def _recall(session: Session, tx: Connection, job: Job) -> Dispatched:
    asked = job.spec
    system = session.system(asked["memory_system"])
    _, cut = history.head(tx, job.project_id)
    known = {t.id: t for t in takes.of_project(tx, job.project_id)}
    take = known.get(asked["take_id"])
    read = takes_read(cut, None, known)
    index = next(
        (i for i, t in enumerate(read) if take and t.latents_digest == take.latents_digest), None
    )
    if take is None or index is None:
        raise CannotRun("The shot is not in memory any more: it was deleted, muted or changed.")
    spec = RecallSpec(
        memory_system=system.name,
        entries=entry_refs(tx, read, system),
        entry_index=index,
        frame=asked["take_frame"],
        width=take.width,
        height=take.height,
        mode=asked["mode"],
        media_digest=take.media_digest,
    )
    return Dispatched(spec=spec)


_DISPATCHERS = {"generate": _generate, "encode": _encode, "recall": _recall}
