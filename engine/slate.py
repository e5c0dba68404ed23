"""The slate of a video: what its shots were made from, as text that travels inside of the file.

Whoever gets the file can read it, and whoever made the file can have written anything: it holds no
paths and no names of computers, and nothing in it counts before `read_slate` has checked it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass
from typing import Any

from engine.errors import ProtocolError
from engine.wire import from_json

TAG = "comment"
"""Name of the metadata field. mp4 keeps it as `©cmt`, which ordinary players show."""
MARK = "mnemoreel"
"""Key of the format's version: what tells a slate from anybody's comment."""
VERSION = 1
MAX_CHARACTERS = 400_000
"""Longest slate that is written or read."""
MAX_SHOTS = 2000
_DIGEST = re.compile(r"[0-9a-f]{64}|")


class SlateError(ValueError):
    """A text that is no slate, or one that cannot be right."""


@dataclass(frozen=True, kw_only=True)
class SlateShot:
    """One shot of a video, as what its take was made from."""

    num_frames: int
    """Of the whole take."""
    in_frame: int
    out_frame: int
    """First frame of the take that the video shows, and the one after the last."""
    latents: str = ""
    """Digest of the take's latents: the take itself, where a library has it."""
    title: str = ""
    prompt: str = ""
    seed: int = 0
    num_steps: int = 0
    guidance: float | None = None
    strength: float | None = None
    memory_system: str = ""


@dataclass(frozen=True, kw_only=True)
class Slate:
    """What a video shows, shot by shot."""

    mnemoreel: int = VERSION
    rate: tuple[int, int]
    width: int
    height: int
    shots: tuple[SlateShot, ...]
    name: str = ""
    card_frames: int = 0
    """Frames of the title card before the first shot."""

    @property
    def num_frames(self) -> int:
        """Frames of the whole video."""
        return self.card_frames + sum(s.out_frame - s.in_frame for s in self.shots)


def write_slate(slate: Slate) -> str:
    """Return a slate as text; empty where it would be longer than anybody may read."""
    text = json.dumps(dataclasses.asdict(slate), separators=(",", ":"))
    return text if len(text) <= MAX_CHARACTERS and len(slate.shots) <= MAX_SHOTS else ""


def read_slate(text: str) -> Slate:
    """Return the slate of a stranger's text.

    Raises:
        SlateError: not a slate of this version, too long, or with values that cannot be.
    """
    if len(text) > MAX_CHARACTERS:
        raise SlateError(f"A slate of {len(text)} characters. Expected at most {MAX_CHARACTERS}.")
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SlateError("The video's comment is not a slate of this studio.") from error
    if not isinstance(value, dict) or MARK not in value:
        raise SlateError("The video's comment is not a slate of this studio.")
    if value[MARK] != VERSION:
        raise SlateError(
            f"The video has a slate of version {str(value[MARK])[:20]}. Expected {VERSION}: it was "
            "made by another version of the studio."
        )
    shots = value.get("shots")
    if not isinstance(shots, list) or not 1 <= len(shots) <= MAX_SHOTS:
        raise SlateError(f"A slate without a list of shots. Expected 1 to {MAX_SHOTS} of them.")
    try:
        slate: Slate = from_json(Slate, value)
    except (ProtocolError, RecursionError, OverflowError) as error:
        raise SlateError(f"A slate that does not fit: {error}") from error
    _check(slate)
    return slate


def _check(slate: Slate) -> None:
    low, high = 1, 1 << 20
    whole = [*slate.rate, slate.width, slate.height, *(s.num_frames for s in slate.shots)]
    if not all(low <= number <= high for number in whole) or not 0 <= slate.card_frames <= high:
        raise SlateError(f"A slate with sizes or lengths outside of {low} to {high}.")
    for index, shot in enumerate(slate.shots):
        if not 0 <= shot.in_frame < shot.out_frame <= shot.num_frames:
            raise SlateError(
                f"Shot {index + 1} of the slate shows frames {shot.in_frame} to {shot.out_frame} "
                f"of {shot.num_frames}. Expected a part of its take."
            )
        if not _DIGEST.fullmatch(shot.latents):
            raise SlateError(f"Shot {index + 1} of the slate names its latents by no digest.")
        if not all(math.isfinite(n) for n in (shot.guidance or 0.0, shot.strength or 0.0)):
            raise SlateError(f"Shot {index + 1} of the slate has a number that is none.")


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
