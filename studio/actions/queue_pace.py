"""How long jobs will take, from what jobs took: seconds by measured denoising steps."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.protocol import EngineInfo
from storage.records import Job, Json, Take

NEWEST = 12
"""Takes that a pace is the median of: enough against one slow shot, few enough to follow."""
_MICRO = 1e-6


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What is known about how long things take on this machine."""

    takes: tuple[Take, ...] = ()
    """Generated takes with measured steps, newest first."""
    seconds_per_frame: Json
    """Median seconds a frame by kind of job, for those that were run before."""
    info: EngineInfo | None = None

    def seconds(self, job: Job) -> float | None:
        """Return how long a job will take from its start. None = nothing like it was measured."""
        if job.kind == "generate":
            return self._of_shot(job.spec)
        pace = self.seconds_per_frame.get(job.kind)
        return None if pace is None else float(pace) * frames_of(job)

    def _of_shot(self, spec: Json) -> float | None:
        size = _size(spec)
        alike = [t for t in self.takes if _size(t.spec) == size] or list(self.takes)
        alike = alike[:NEWEST]
        if not alike:
            return self._by_model(spec)
        steps = [t.seconds["step"] / (_forwards(t.spec) * _pixels(t.spec)) for t in alike]
        rests = [_rest(t) / _pixels(t.spec) for t in alike]
        step = statistics.median(steps) * _forwards(spec) * _pixels(spec)
        return step * int(spec["num_steps"]) + statistics.median(rests) * _pixels(spec)

    def _by_model(self, spec: Json) -> float | None:
        """Return an estimate from the two forwards that were timed when the model was loaded."""
        if self.info is None or not self.info.seconds_per_shot:
            return None
        share = int(spec["num_frames"]) / self.info.default_frames
        return self.info.seconds_per_shot * share * int(spec["num_steps"]) / self.info.num_steps


def pace_of(takes: Iterable[Take], done: Sequence[Job], info: EngineInfo | None) -> Pace:
    """Return the pace that takes and jobs of other kinds show."""
    measured = [t for t in takes if t.kind == "generated" and _is_measured(t)]
    measured.sort(key=lambda take: take.created_at, reverse=True)
    by_kind: dict[str, list[float]] = {}
    for job in done:
        took = seconds_of(job)
        if took is not None:
            by_kind.setdefault(job.kind, []).append(took / frames_of(job))
    medians = {kind: statistics.median(values) for kind, values in by_kind.items()}
    return Pace(takes=tuple(measured), seconds_per_frame=medians, info=info)


def seconds_of(job: Job) -> float | None:
    """Return how long a finished job ran. None = it did not run to an end."""
    if job.started_at is None or job.finished_at is None:
        return None
    return max(0.0, (job.finished_at - job.started_at) * _MICRO)


def frames_of(job: Job) -> int:
    """Return how many frames a job is about, 1 where that is not known."""
    if job.kind == "encode":
        return max(1, sum(job.spec.get("lengths", ())))
    if job.kind == "export":
        return max(1, sum(int(p["out"]) - int(p["in"]) for p in job.spec.get("parts", ())))
    return 1


def _is_measured(take: Take) -> bool:
    named = all(name in take.spec for name in ("num_steps", "num_frames", "width", "height"))
    return named and bool(take.seconds.get("step")) and bool(take.seconds.get("total"))


def _rest(take: Take) -> float:
    steps = take.spec.get("stopped_at") or take.spec["num_steps"]
    return max(0.0, take.seconds["total"] - take.seconds["step"] * int(steps))


def _size(spec: Json) -> tuple[int, int, int]:
    return int(spec["num_frames"]), int(spec["width"]), int(spec["height"])


def _pixels(spec: Json) -> float:
    frames, width, height = _size(spec)
    return float(frames * width * height)


def _forwards(spec: Json) -> int:
    """Return how often a step asks the model: guidance by text and by memory cost one each."""
    reads = spec.get("memory_system", "none") != "none"
    by_memory = reads and spec.get("strength", 1.0) not in (0.0, 1.0)
    return 1 + int(spec.get("guidance", 1.0) != 1.0) + int(by_memory)
