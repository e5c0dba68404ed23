"""A job that waits follows its shot: what an editor changes there is what will be made."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from storage import waiting
from storage.records import Cut, Json, Shot
from studio.actions.generate import spec_of
from studio.session import NotReady, Session
from studio.timeline.cut import shot_of


def follow(session: Session, tx: Connection, project_id: str, before: Cut, after: Cut) -> None:
    """Change the specs of waiting jobs by what differs in their shots between two cuts.

    Fields that the job alone has, such as another seed for this take, stay as they were asked for.
    """
    try:
        info = session.info()
    except NotReady:
        return  # nothing was queued under a model that was never known
    for job in waiting.of_project(tx, project_id, "generate"):
        old, new = shot_of(before, job.shot_id or ""), shot_of(after, job.shot_id or "")
        if old is None or new is None or _is_same(old, new):
            continue
        was = spec_of(before, old, info, old.params.seed)
        now = spec_of(after, new, info, new.params.seed)
        changed = {name: value for name, value in now.items() if value != was[name]}
        wanted = job.spec | {n: v for n, v in changed.items() if _follows(n, job.spec, was)}
        if wanted != job.spec:
            waiting.change_spec(tx, job.id, wanted)


def _is_same(old: Shot, new: Shot) -> bool:
    same = (old.prompt, old.num_frames, old.params, old.memory)
    return same == (new.prompt, new.num_frames, new.params, new.memory)


def _follows(name: str, spec: Json, was: Json) -> bool:
    """Return whether a job has that field from its shot. What it showed then is not asked anew."""
    return name != "take_before" and spec.get(name) == was[name]
