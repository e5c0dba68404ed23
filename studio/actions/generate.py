"""Queue the generation of shots: one job for each take, in the order of the cut."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from engine.latent_time import padded_frames
from engine.protocol import EngineInfo
from storage import history, jobs, takes
from storage.records import Cut, FramePin, Json, Shot
from studio.session import Session
from studio.timeline.anchors import Base, base_spec
from studio.timeline.cut import shot_of
from studio.timeline.edit import EditRefused

MAX_TAKES = 16
"""Most takes of a shot that one call may queue."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How the takes of one call differ from what their shots say."""

    has_new_seed: bool = False
    """Made with other seeds; the shots keep theirs."""
    num_takes: int = 1
    """Of each shot. The first has the shot's seed, if no new one is wished for."""
    seed: int | None = None
    """In place of the shot's, for the first take."""
    prompt: str | None = None
    """In place of the shot's, which stays as it is."""
    base: Base | None = None
    """An earlier take of which something is kept."""


AS_IT_IS = Wish()


def generate(
    session: Session,
    project_id: str,
    shot_ids: Sequence[str] | None,
    *,
    wish: Wish = AS_IT_IS,
    priority: int = 0,
) -> list[str]:
    """Queue takes of each shot and return the jobs' ids.

    None = every shot without a take that is neither locked nor muted, in order.

    Raises:
        EditRefused: a shot that is not in the cut or is locked, or without a prompt; a wish that
            does not fit.
        NotReady: the model folder cannot be read.
    """
    info = session.info()
    if not 1 <= wish.num_takes <= MAX_TAKES:
        raise EditRefused(f"{wish.num_takes} takes at once. Expected 1 to {MAX_TAKES}.")
    with session.library.write() as tx:
        _, cut = history.head(tx, project_id)
        shots = _chosen(cut, shot_ids, wish)
        queued = []
        for shot in shots:
            for index, seed in enumerate(_seeds(shot, wish)):
                spec = spec_of(cut, shot, info, seed) | _wished(tx, project_id, shot, info, wish)
                job = jobs.add(
                    tx,
                    kind="generate",
                    project_id=project_id,
                    shot_id=shot.shot_id,
                    spec=spec,
                    # A further take of a batch is one more; the first replaces a waiting one.
                    queueing_key=f"generate:{shot.shot_id}" if _is_plain(wish, index) else None,
                    priority=priority,
                )
                queued.append(job.id)
    session.changed(project_id)
    return queued


def spec_of(cut: Cut, shot: Shot, info: EngineInfo, seed: int) -> Json:
    """Return what a take of a shot is made from, memory aside: that is read when its turn comes."""
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
        "start": _pin(params.start),
        "end": _pin(params.end),
        "take_before": shot.take_id,
    }


def _pin(pin: FramePin | None) -> Json | None:
    return None if pin is None else dataclasses.asdict(pin)


def _is_plain(wish: Wish, index: int) -> bool:
    return index == 0 and wish.base is None and wish.prompt is None


def _seeds(shot: Shot, wish: Wish) -> list[int]:
    first = shot.params.seed if wish.seed is None else wish.seed
    others = [secrets.randbits(32) for _ in range(wish.num_takes)]
    return others if wish.has_new_seed else [first, *others[1:]]


def _wished(tx: Connection, project_id: str, shot: Shot, info: EngineInfo, wish: Wish) -> Json:
    changes: Json = {"base": None}
    if wish.prompt is not None:
        changes["prompt"] = wish.prompt
    if wish.base is not None:
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        take = known.get(wish.base.take_id)
        if take is None:
            raise EditRefused("The take to start from is not one of this project's takes.")
        length = take.num_frames
        if take.kind == "footage":
            # Its latents cover its last frame repeated, up to the next length of the model.
            length = padded_frames(length, info.frame_multiple)
        changes["base"] = base_spec(wish.base, take, length)
        changes["num_frames"] = shot.num_frames if changes["base"] is None else length
    # What the shot itself said: a take that was wished for otherwise is not stale by that.
    own = {"prompt": shot.prompt, "num_frames": shot.num_frames}
    said = {name: own[name] for name in own if changes.get(name, own[name]) != own[name]}
    return changes | ({"said": said} if said else {})


def _chosen(cut: Cut, shot_ids: Sequence[str] | None, wish: Wish) -> list[Shot]:
    if wish.prompt is not None and not wish.prompt.strip():
        raise EditRefused("The other prompt is empty. Write what the take shows.")
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
        if not (wish.prompt or shot.prompt).strip():
            raise EditRefused(f"{name} has no prompt. Write what it shows.")
        chosen.append(shot)
    if wish.base is not None and len(chosen) != 1:
        raise EditRefused(f"{len(chosen)} shots for one take to start from. Expected one shot.")
    return sorted(chosen, key=cut.shots.index)
