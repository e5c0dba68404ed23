"""The nouns of the studio as frozen records. All times are whole frames at the project's rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from storage.shot_memory import (
    ShotMemory,
    float_or_none,
    memory_from_json,
    memory_to_json,
)

Rate = tuple[int, int]
"""Frames per second as numerator and denominator: (24, 1), (30000, 1001)."""
Json = dict[str, Any]
"""A parsed JSON object."""
Scope = Literal["take", "chain"]
TakeKind = Literal["generated", "footage", "title"]
JobState = Literal[
    "queued", "running", "cancelling", "paused", "done", "failed", "cancelled", "quarantined"
]
FINISHED_STATES: frozenset[str] = frozenset({"done", "failed", "cancelled", "quarantined"})
"""States a job leaves only by an editor's retry."""


@dataclass(frozen=True, kw_only=True)
class AdapterUse:
    """One adapter that a shot renders with."""

    name: str
    digest: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class FramePin:
    """A picture that a shot starts from, or lands on."""

    source: Literal["take", "still", "neighbour"]
    """`neighbour`: the frame that the shot beside it shows at the cut."""
    take_id: str = ""
    frame: int = 0
    """Frame of that take."""
    digest: str = ""
    """Of the still."""


@dataclass(frozen=True, kw_only=True)
class ShotParams:
    """How a shot is rendered."""

    recipe: str = "embedded"
    seed: int = 0
    num_steps: int = 0
    """Denoising steps. 0 = the model's default."""
    guidance: float | None = None
    """Text guidance scale. None = the model's default."""
    adapters: tuple[AdapterUse, ...] = ()
    start: FramePin | None = None
    end: FramePin | None = None


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One line of the cut."""

    shot_id: str
    title: str = ""
    prompt: str = ""
    num_frames: int
    """Frames of the next generation, 1 or more."""
    in_: int
    """First frame shown, in frames of the take. 0 without a take."""
    out: int
    """Frame after the last one shown; `num_frames` without a take."""
    take_id: str | None = None
    """The pick. None = nothing rendered yet."""
    locked: bool = False
    muted: bool = False
    params: ShotParams = field(default_factory=ShotParams)
    memory: ShotMemory = field(default_factory=ShotMemory)


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A named frame of the cut."""

    frame: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The shots in order, complete: what one node of the history points to."""

    rate: Rate
    width: int
    height: int
    shots: tuple[Shot, ...] = ()
    markers: tuple[Marker, ...] = ()
    memory_budget: int | None = None
    """Most memory tokens that a shot reads. None = the studio's default."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A work: its name and the size and rate of its frames."""

    id: str
    name: str
    rate: Rate
    width: int
    height: int
    created_at: int
    """UTC microseconds, as every `_at`."""
    deleted_at: int | None = None
    settings: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A named line of the history; `head_node` is where the editor stands."""

    project_id: str
    name: str
    head_node: str
    tip_node: str
    """Where redo walks to; equals the head or descends from it."""
    rev: int
    """Moves of the head since the branch was made."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One saved cut with the operation that made it. Never changes."""

    id: str
    project_id: str
    parent_id: str | None
    op_kind: str
    op: Json
    label: str
    """The operation in an editor's words."""
    state_digest: str
    chain_digest: str
    author: str
    created_at: int
    depth: int
    """Operations since the root, which has 0."""
    jump_id: str | None
    """An ancestor further up, so that finding one among n takes log n steps."""


@dataclass(frozen=True, kw_only=True)
class ReflogRow:
    """One move of a head."""

    seq: int
    project_id: str
    branch: str
    old_node: str | None
    new_node: str
    reason: str
    at: int


@dataclass(frozen=True, kw_only=True)
class Take:
    """One rendering of a shot. Never changes."""

    id: str
    shot_id: str
    kind: TakeKind = "generated"
    number: int = 0
    """1, 2, ... within the shot. 0 = not stored yet: `takes.add` gives the next one."""
    spec: Json
    spec_digest: str
    media_digest: str
    latents_digest: str | None
    strip_digest: str
    strip_tiles: int
    num_frames: int
    rate: Rate
    width: int
    height: int
    seed: int = 0
    engine_version: str = ""
    memory_tokens: int = 0
    sources: tuple[Json, ...] = ()
    """What memory the shot read: {"take_id", "weight"}."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall seconds by phase."""
    job_id: str | None = None
    fence: int = 0
    created_at: int = 0
    """0 = not stored yet: `takes.add` sets it."""
    row_digest: str = ""
    """Set by `takes.add`."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one take left in one memory system. Never changes."""

    key: str
    system: str
    fingerprint: str
    scope: Scope
    previous_key: str = ""
    """Key before it in the chain. Empty for scope "take" and for the first of a chain."""
    latents_digest: str
    blob_digest: str
    num_tokens: int
    num_bytes: int
    row_digest: str = ""
    """Set by `memory.add`."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A row of the queue."""

    id: str
    kind: str
    project_id: str
    shot_id: str | None
    spec: Json
    queueing_key: str | None
    """At most one waiting job per key: adding another one updates it."""
    priority: int
    position: int
    state: JobState
    attempts: int
    """Runs that ended with their worker."""
    max_attempts: int
    fence: int
    """Counts claims; only the newest claim may finish."""
    tenths: int
    """Progress in whole tenths."""
    worker_id: str | None
    heartbeat_at: int | None
    lease_until: int | None
    not_before: int
    cancel_requested: bool
    error: Json | None
    result: Json | None
    created_at: int
    started_at: int | None
    finished_at: int | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """A durable fact about a project, numbered over the whole library."""

    seq: int
    project_id: str | None
    job_id: str | None
    kind: str
    payload: Json
    at: int


@dataclass(frozen=True, kw_only=True)
class BlobRow:
    """What the database knows about a blob."""

    digest: str
    size: int
    media_type: str
    inline: bytes | None
    """The bytes themselves. None = in a file."""
    created_at: int


@dataclass(frozen=True, kw_only=True)
class Export:
    """A film made of one node of the history."""

    id: str
    project_id: str
    node_id: str
    spec: Json
    media_digest: str | None
    state: Literal["running", "done", "failed"]
    created_at: int


def cut_to_json(cut: Cut) -> Json:
    """Return the cut as a JSON object, the same for equal cuts."""
    return {
        "rate": list(cut.rate),
        "width": cut.width,
        "height": cut.height,
        "shots": [shot_to_json(shot) for shot in cut.shots],
        "markers": [{"frame": marker.frame, "label": marker.label} for marker in cut.markers],
        # Left out where it is not set, so that older cuts keep their digest.
        **({} if cut.memory_budget is None else {"memory_budget": cut.memory_budget}),
    }


def cut_from_json(value: Mapping[str, Any]) -> Cut:
    """Return the cut of a JSON object. Unknown fields are left out, missing ones get defaults."""
    numerator, denominator = value["rate"]
    return Cut(
        rate=(int(numerator), int(denominator)),
        width=int(value["width"]),
        height=int(value["height"]),
        shots=tuple(shot_from_json(shot) for shot in value.get("shots", ())),
        markers=tuple(
            Marker(frame=int(m["frame"]), label=str(m["label"])) for m in value.get("markers", ())
        ),
        memory_budget=None if (budget := value.get("memory_budget")) is None else int(budget),
    )


def shot_to_json(shot: Shot) -> Json:
    """Return the shot as a JSON object."""
    params, memory = shot.params, shot.memory
    return {
        "shot_id": shot.shot_id,
        "title": shot.title,
        "prompt": shot.prompt,
        "num_frames": shot.num_frames,
        "in": shot.in_,
        "out": shot.out,
        "take_id": shot.take_id,
        "locked": shot.locked,
        "muted": shot.muted,
        "params": {
            "recipe": params.recipe,
            "seed": params.seed,
            "num_steps": params.num_steps,
            "guidance": float_or_none(params.guidance),
            "adapters": [
                {"name": a.name, "digest": a.digest, "weight": float(a.weight)}
                for a in params.adapters
            ],
            **{n: asdict(p) for n, p in (("start", params.start), ("end", params.end)) if p},
        },
        "memory": memory_to_json(memory),
    }


def shot_from_json(value: Mapping[str, Any]) -> Shot:
    """Return the shot of a JSON object. Unknown fields are left out, missing ones get defaults."""
    num_frames = int(value["num_frames"])
    take_id = value.get("take_id")
    return Shot(
        shot_id=str(value["shot_id"]),
        title=str(value.get("title", "")),
        prompt=str(value.get("prompt", "")),
        num_frames=num_frames,
        in_=int(value.get("in", 0)),
        out=int(value.get("out", num_frames)),
        take_id=None if take_id is None else str(take_id),
        locked=bool(value.get("locked", False)),
        muted=bool(value.get("muted", False)),
        params=_params_from_json(value.get("params", {})),
        memory=memory_from_json(value.get("memory", {})),
    )


def _params_from_json(value: Mapping[str, Any]) -> ShotParams:
    default = ShotParams()
    return ShotParams(
        recipe=str(value.get("recipe", default.recipe)),
        seed=int(value.get("seed", default.seed)),
        num_steps=int(value.get("num_steps", default.num_steps)),
        guidance=float_or_none(value.get("guidance")),
        adapters=tuple(
            AdapterUse(name=str(a["name"]), digest=str(a["digest"]), weight=float(a["weight"]))
            for a in value.get("adapters", ())
        ),
        start=FramePin(**value["start"]) if value.get("start") else None,
        end=FramePin(**value["end"]) if value.get("end") else None,
    )
