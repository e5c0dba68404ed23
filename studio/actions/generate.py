"""Queue the generation of shots: one job for each, in the order of the cut."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence

from engine.protocol import EngineInfo
from storage import history, jobs
from storage.records import Cut, Json, Shot
from studio.session import Session
from studio.timeline.cut import shot_of
from studio.timeline.edits import EditRefused


def generate(
    session: Session,
    project_id: str,
    shot_ids: Sequence[str] | None,
    *,
    has_new_seed: bool = False,
    priority: int = 0,
) -> list[str]:
    """Queue a take of each shot and return the jobs' ids.

    None = every shot without a take that is neither locked nor muted, in order. With a new seed
    the shots keep theirs: only these takes are made with another one.

    Raises:
        EditRefused: a shot that is not in the cut or is locked, or without a prompt.
        NotReady: the model folder cannot be read.
    """
    info = session.info()
    with session.library.write() as tx:
        _, cut = history.head(tx, project_id)
        shots = _chosen(cut, shot_ids)
        queued = []
        for shot in shots:
            seed = secrets.randbits(32) if has_new_seed else shot.params.seed
            job = jobs.add(
                tx,
                kind="generate",
                project_id=project_id,
                shot_id=shot.shot_id,
                spec=_spec(cut, shot, info, seed),
                queueing_key=f"generate:{shot.shot_id}",
                priority=priority,
            )
            queued.append(job.id)
    session.changed(project_id)
    return queued


def _chosen(cut: Cut, shot_ids: Sequence[str] | None) -> list[Shot]:
    if shot_ids is None:
        return [s for s in cut.shots if not (s.take_id or s.locked or s.muted) and s.prompt.strip()]
    chosen = []
    for shot_id in dict.fromkeys(shot_ids):
        shot = shot_of(cut, shot_id)
        if shot is None:
            raise EditRefused(f"Shot {shot_id[:40]!r} is not in this cut. It may be deleted.")
        name = f"Shot {cut.shots.index(shot) + 1}"
        if shot.locked:
            raise EditRefused(f"{name} is locked. Unlock it to generate it.")
        if not shot.prompt.strip():
            raise EditRefused(f"{name} has no prompt. Write what it shows.")
        chosen.append(shot)
    return sorted(chosen, key=cut.shots.index)


def _spec(cut: Cut, shot: Shot, info: EngineInfo, seed: int) -> Json:
    params, memory = shot.params, shot.memory
    return {
        "prompt": shot.prompt,
        "num_frames": shot.num_frames,
        "width": cut.width,
        "height": cut.height,
        "rate": list(cut.rate),
        "seed": seed,
        "num_steps": params.num_steps or info.num_steps,
        "guidance": info.guidance if params.guidance is None else params.guidance,
        "memory_system": memory.system,
        "strength": info.strength if memory.strength is None else memory.strength,
        "adapters": [dataclasses.asdict(a) for a in params.adapters],
        "take_before": shot.take_id,
    }
