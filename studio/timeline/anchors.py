"""What a new take is anchored to: a range of an earlier take, a first frame, a last frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from storage.records import Cut, FramePin, Json, Shot, Take
from studio.timeline.cut import index_of
from studio.timeline.edit import EditRefused

FRAMES_PER_LATENT = 4
"""Of every latent frame after the first, which stands for 1. The page counts with it too."""
LEAST_STRENGTH = 0.02
"""Below this a variation cannot be told from its take."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """The wish for a take that keeps something of an earlier one."""

    take_id: str
    in_: int | None = None
    """First frame of the take to be made anew. None = from its first."""
    out: int | None = None
    """The one after the last. None = to its end."""
    strength: float = 1.0
    """How far those frames may go: 0 = not at all, 1 = made from nothing."""


def redone_frames(in_: int, out: int, length: int) -> tuple[int, int]:
    """Return the frames that are really made anew for frames `in_` to `out` of a take.

    A latent frame is the smallest part: the first one stands for 1 frame, each later one for 4.
    """
    return frames_of(redone_latents(in_, out), length)


def frames_of(latents: tuple[int, int], length: int) -> tuple[int, int]:
    """Return the frames that a span of latent frames stands for: the first, the one after them."""
    first, stop = latents
    last_frame = FRAMES_PER_LATENT * (stop - 1)
    return max(0, FRAMES_PER_LATENT * (first - 1) + 1), min(length, last_frame + 1)


def latent_of(frame: int) -> int:
    """Return the latent frame that a frame of a take belongs to."""
    return -(-frame // FRAMES_PER_LATENT)


def redone_latents(in_: int, out: int) -> tuple[int, int]:
    """Return the first latent frame that is made anew, and the one after the last."""
    return latent_of(in_), latent_of(out - 1) + 1


def base_spec(base: Base, take: Take, length: int) -> Json | None:
    """Return the base as a job's spec has it; None where nothing of the take would be kept.

    Args:
        base: the wish.
        take: the take it names.
        length: frames of the new take, which cover all latents of the old one.

    Raises:
        EditRefused: a range outside of the take, no latents, or a strength that changes nothing.
    """
    if take.latents_digest is None:
        raise EditRefused(f"Take {take.number} has no latents to start from. Choose another take.")
    in_ = 0 if base.in_ is None else base.in_
    out = take.num_frames if base.out is None else base.out
    if not 0 <= in_ < out <= take.num_frames:
        raise EditRefused(
            f"A range from frame {in_} to {out}. Expected a part of the take's 0 to "
            f"{take.num_frames}."
        )
    if not math.isfinite(base.strength) or not LEAST_STRENGTH <= base.strength <= 1:
        raise EditRefused(
            f"A variation of strength {base.strength}. Expected {LEAST_STRENGTH} to 1: with 0 "
            "nothing would change."
        )
    first, stop = redone_latents(in_, out)
    is_whole = out == take.num_frames
    if is_whole:
        stop = latent_of(length - 1) + 1
    if first == 0 and is_whole and base.strength == 1:
        return None
    return {
        "take_id": take.id,
        "latents_digest": take.latents_digest,
        "redo": [first, stop],
        "strength": float(base.strength),
    }


def resolve_pin(
    cut: Cut, shot: Shot, pin: FramePin, takes: Mapping[str, Take], *, is_start: bool
) -> Json:
    """Return the picture that a pin stands for now: `digest`, `source` and `frame`.

    Raises:
        LookupError: it stands for none; the message says what to do.
    """
    if pin.source == "still":
        return {"digest": pin.digest, "source": "still", "frame": 0}
    words = "start" if is_start else "end"
    take_id, frame = pin.take_id, pin.frame
    if pin.source == "neighbour":
        beside = _neighbour(cut, shot, is_start=is_start)
        if beside is None or beside.take_id is None:
            where = "before" if is_start else "after"
            raise LookupError(
                f"The {words} frame comes from the shot {where} this one, which has no take. "
                f"Generate that shot first, or clear the {words} frame."
            )
        take_id, frame = beside.take_id, beside.out - 1 if is_start else beside.in_
    take = takes.get(take_id)
    if take is None or take.latents_digest is None or frame >= take.num_frames:
        raise LookupError(
            f"The {words} frame is frame {frame} of a take that has no such frame any more. "
            f"Choose another {words} frame, or clear it."
        )
    return {"digest": take.latents_digest, "source": "take", "frame": frame}


def _neighbour(cut: Cut, shot: Shot, *, is_start: bool) -> Shot | None:
    index = index_of(cut, shot.shot_id) or 0
    beside = reversed(cut.shots[:index]) if is_start else iter(cut.shots[index + 1 :])
    return next((s for s in beside if not s.muted), None)
