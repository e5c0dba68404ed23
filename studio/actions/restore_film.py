"""A video of our own comes back: its shots with their takes, or its frames with what made them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy.engine import Connection

from engine.protocol import EngineInfo
from engine.slate import MARK, Slate, SlateShot
from storage import jobs, marks, takes
from storage.canonical import new_id
from storage.jobs import Committed
from storage.records import Cut, Job, Json, Take
from studio.timeline.edit import EditRefused, Material
from studio.timeline.plan import EngineFacts
from studio.timeline.restoring import RestoredShot, restore_shots, set_checked

LOOK_BYTES = 4 << 20
"""How much of a file's start and end is searched for the mark of a slate, before it is opened."""


def may_have_slate(path: Path) -> bool:
    """Return whether a file holds the mark of a slate where one would stand."""
    with path.open("rb") as file:
        head = file.read(LOOK_BYTES)
        file.seek(max(0, path.stat().st_size - LOOK_BYTES))
        return f'"{MARK}"'.encode() in head + b"\0" + file.read(LOOK_BYTES)


def restore_film(tx: Connection, job: Job, slate: Slate, facts: EngineFacts) -> Committed | None:
    """Add the shots of a slate to the cut and end its import; None where a take is not here.

    A take of another project is taken over: the same blobs, under a shot of this one.

    Raises:
        Fenced: the import was cancelled meanwhile.
        EditRefused: a field that no shot may have.
    """
    found = _found(tx, job, slate)
    if found is None:
        return None
    shots, copies = [], []
    for told, take in zip(slate.shots, found, strict=True):
        shot_id = new_id()
        if not _is_of_project(tx, take, job.project_id):
            take = replace(
                take, id=new_id(), shot_id=shot_id, number=0, created_at=0, job_id=None, fence=0
            )
            copies.append(take)
        else:
            marks.restore(tx, take.id)
        shots.append(
            RestoredShot(
                shot_id=shot_id,
                material=Material(take_id=take.id, number=1, num_frames=take.num_frames),
                in_=told.in_frame,
                out=told.out_frame,
                fields=fields_of(told),
            )
        )

    def pick(cut: Cut) -> tuple[Cut, str]:
        edit = restore_shots(cut, shots, name=job.spec["name"], facts=facts)
        return edit.cut, edit.label

    return jobs.finish_with_takes(
        tx,
        job=job,
        fence=job.fence,
        takes=copies,
        entries=(),
        blobs=(),
        pick=pick,
        result={"restored": len(shots)},
    )


def footage_with_slate(slate: Slate, info: EngineInfo) -> Json:
    """Return how a video is cut into footage at the borders of its shots, with their fields.

    Shots longer than the model can make are cut further, as any footage is.
    """
    lengths: list[int] = []
    titles: list[str] = []
    fields: list[Json] = []
    spans: list[tuple[int, str, Json]] = []
    if slate.card_frames:
        spans.append((slate.card_frames, "Title card", {}))
    spans += [(s.out_frame - s.in_frame, s.title, fields_of(s)) for s in slate.shots]
    for index, (length, title, told) in enumerate(spans):
        while length > 0:
            lengths.append(min(length, info.max_frames))
            titles.append(title or f"Shot {index + 1 - bool(slate.card_frames)}")
            fields.append(told)
            length -= lengths[-1]
    return {
        "lengths": lengths,
        "titles": titles,
        "shot_ids": [new_id() for _ in lengths],
        "fields": fields,
    }


def with_fields_of_slate(cut: Cut, job: Job) -> Cut:
    """Return the cut with the fields that footage was said to be made from; unfit ones are left."""
    for shot_id, fields in zip(job.spec["shot_ids"], job.spec.get("fields", ()), strict=False):
        try:
            cut = set_checked(cut, shot_id, fields)
        except EditRefused:
            continue  # a stranger's number: the footage counts, not what its file says
    return cut


def fields_of(shot: SlateShot) -> Json:
    """Return the fields of a shot as an edit would set them."""
    fields: Json = {"prompt": shot.prompt, "seed": shot.seed}
    if shot.title:
        fields["title"] = shot.title
    if shot.memory_system:
        fields["memory_system"] = shot.memory_system
    if shot.num_steps:
        fields["num_steps"] = shot.num_steps
    for name in ("guidance", "strength"):
        if getattr(shot, name) is not None:
            fields[name] = getattr(shot, name)
    return fields


def _found(tx: Connection, job: Job, slate: Slate) -> list[Take] | None:
    """Return the take of each shot, this project's own where there is one; None if one is gone."""
    rate = tuple(job.spec["rate"])
    known = takes.find_by_latents(tx, {s.latents for s in slate.shots if s.latents})
    found: list[Take] = []
    for shot in slate.shots:
        fitting = [
            t
            for t in known.get(shot.latents, ())
            if t.rate == rate and t.num_frames == shot.num_frames
        ]
        own = [t for t in fitting if _is_of_project(tx, t, job.project_id)]
        if not fitting:
            return None
        found.append((own + fitting)[0])
    return found


def _is_of_project(tx: Connection, take: Take, project_id: str) -> bool:
    return takes.project_of(tx, take.id) == project_id
