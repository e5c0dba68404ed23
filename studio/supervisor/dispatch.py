"""From a job's row to what the engine is told: memory is resolved when the job starts.

So a shot reads the takes that its earlier shots have by then, whatever was queued first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Connection

from engine import wire
from engine.protocol import MemorySystemInfo
from engine.specs import (
    LATER_SHARE,
    Checkpoint,
    EncodeSpec,
    EntryRef,
    GenerateSpec,
    LintSpec,
    LintTake,
    RecallSpec,
    Spec,
)
from storage import checkpoints, history, memory, takes
from storage.database import blobs_of
from storage.records import Job, Json, Take
from studio.actions.reading import past_of
from studio.session import NO_MEMORY, Session
from studio.supervisor.anchored import anchored_of
from studio.supervisor.measuring import measuring_spec
from studio.timeline.cut import shot_of
from studio.timeline.names import names_in, tell_looks
from studio.timeline.reading import Read, Reading


class CannotRun(Exception):
    """The job no longer makes sense; the message is for the editor."""


@dataclass(frozen=True, kw_only=True)
class Dispatched:
    """A job as the engine gets it."""

    spec: Spec
    memory_keys: tuple[str, ...] = ()
    """Keys of the entries it reads, for the take's own spec."""
    anchors: Json = field(default_factory=dict)
    """What the take is anchored to, for its own spec."""


def dispatch(session: Session, tx: Connection, job: Job) -> Dispatched:
    """Return what the engine is to run for `job` at the current head.

    Raises:
        CannotRun: its shot was deleted, or the model has no such memory system.
    """
    try:
        return _DISPATCHERS[job.kind](session, tx, job)
    except LookupError as error:
        raise CannotRun(str(error)) from error


def entry_refs(tx: Connection, reads: Sequence[Read]) -> tuple[EntryRef, ...]:
    """Return entries as the engine reads them; those that are lost are remade by the engine."""
    files = blobs_of(tx)
    found = memory.find(tx, [read.key for read in reads])
    stored = {key: entry for key, entry in found.items() if files.exists(entry.blob_digest)}
    return tuple(
        EntryRef(
            take_id=read.take.id,
            latents_digest=read.take.latents_digest or "",
            key=read.key,
            blob_digest=stored[read.key].blob_digest if read.key in stored else "",
            num_frames=read.take.num_frames,
            hidden=read.hidden,
            is_pinned=read.is_pinned,
        )
        for read in reads
    )


def _generate(session: Session, tx: Connection, job: Job) -> Dispatched:
    _, cut = history.head(tx, job.project_id)
    shot = shot_of(cut, job.shot_id or "")
    if shot is None:
        raise CannotRun("The shot was deleted before its turn came. Undo brings it back.")
    asked = job.spec
    system = session.system(asked["memory_system"])
    read = Reading()
    if system.name != NO_MEMORY and asked["strength"] != 0:
        known = {t.id: t for t in takes.of_project(tx, job.project_id)}
        # What a job asks for may differ from its shot: a variation by strength or by system.
        reader = replace(shot, memory=replace(shot.memory, strength=asked["strength"]))
        read = past_of(cut, known, system).before(reader)
    anchored = anchored_of(tx, cut, shot, job)
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
        entries=_named(asked["prompt"], entry_refs(tx, read.reads), read.reads, system),
        resume=_checkpoint(tx, job),
        **anchored.parts,
    )
    return Dispatched(spec=spec, memory_keys=read.keys, anchors=anchored.recorded)


def _named(
    prompt: str, refs: Sequence[EntryRef], reads: Sequence[Read], system: MemorySystemInfo
) -> tuple[EntryRef, ...]:
    """Return entries with whether they say how the people whom `prompt` names look."""
    shown = [names_in(read.take.spec.get("prompt", "")) for read in reads]
    # A window has lost the first shot of a person: what it still holds of them is all there is.
    later = 1.0 if system.most_steps else LATER_SHARE
    told = tell_looks(names_in(prompt), shown, later=later)
    return tuple(replace(ref, prompt_share=share) for ref, share in zip(refs, told, strict=True))


def _checkpoint(tx: Connection, job: Job) -> Checkpoint | None:
    """Return where an earlier run stood. Whether that still fits, the engine decides."""
    kept = checkpoints.find(tx, job.id)
    if kept is None or not blobs_of(tx).exists(kept["digest"]):
        return None
    found: Checkpoint = wire.from_json(Checkpoint, kept)
    return found


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
    past = past_of(cut, known, system)
    reader = shot_of(cut, asked.get("reader") or "")
    read = past.everything() if reader is None else past.as_seen_by(reader)
    index = next(
        (i for i, r in enumerate(read) if take and r.take.latents_digest == take.latents_digest),
        None,
    )
    if take is None or index is None:
        raise CannotRun("The shot is not in memory any more: it was deleted, muted or changed.")
    spec = RecallSpec(
        memory_system=system.name,
        entries=entry_refs(tx, read),
        entry_index=index,
        frame=asked["take_frame"],
        width=take.width,
        height=take.height,
        mode=asked["mode"],
        media_digest=take.media_digest,
    )
    return Dispatched(spec=spec)


def _lint(_: Session, tx: Connection, job: Job) -> Dispatched:
    first, *past = (takes.get(tx, i) for i in (job.spec["take_id"], *job.spec["past"]))
    return Dispatched(spec=LintSpec(take=_lint_take(first), past=tuple(map(_lint_take, past))))


def _lint_take(take: Take) -> LintTake:
    return LintTake(
        take_id=take.id, media_digest=take.media_digest, latents_digest=take.latents_digest or ""
    )


def _measure(session: Session, tx: Connection, job: Job) -> Dispatched:
    return Dispatched(spec=measuring_spec(session, tx, job))


_DISPATCHERS = {
    "generate": _generate,
    "encode": _encode,
    "recall": _recall,
    "measure": _measure,
    "lint": _lint,
}
