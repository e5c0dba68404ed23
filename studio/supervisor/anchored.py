"""What a take is anchored to, resolved when its turn comes: a neighbour may have a newer take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from engine.latent_time import num_latents
from engine.specs import BaseTake, PinnedFrame
from storage import takes
from storage.records import Cut, FramePin, Job, Json, Shot
from studio.timeline.anchors import resolve_pin


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """Anchors as the engine gets them, and as the take's spec records them."""

    parts: dict[str, Any]
    recorded: Json


def anchored_of(tx: Connection, cut: Cut, shot: Shot, job: Job) -> Anchored:
    """Return what the take of a job is held to.

    Raises:
        LookupError: a pin that stands for no picture now.
    """
    asked = job.spec
    parts: dict[str, Any] = {}
    recorded: Json = {"base": asked.get("base"), "start": None, "end": None}
    base = asked.get("base")
    last = num_latents(asked["num_frames"]) - 1
    first, stop = (0, last + 1) if base is None else base["redo"]
    if base is not None:
        parts["base"] = BaseTake(
            latents_digest=base["latents_digest"],
            redo=(first, stop),
            strength=base["strength"],
        )
    # A pin never changes a frame that is held.
    for name, is_redone in (("start", first == 0), ("end", stop == last + 1)):
        pin = asked.get(name)
        if pin is None or not is_redone:
            continue
        known = {t.id: t for t in takes.of_project(tx, job.project_id)}
        found = resolve_pin(cut, shot, FramePin(**pin), known, is_start=name == "start")
        parts[name] = PinnedFrame(**found)
        recorded[name] = found
    return Anchored(parts=parts, recorded=recorded)
