"""Timecode to whole frames and back, at the project's rational rate.

`HH:MM:SS:FF` counts frames at the nominal rate (24 for 24000/1001). `HH:MM:SS;FF` is drop-frame and
exists only for 29.97 and 59.94.
"""

from __future__ import annotations

import re
from fractions import Fraction

Rate = tuple[int, int]

_COLONS = re.compile(r"^(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?(?:([:;])(\d{1,3}))?$", re.ASCII)
_SECONDS = re.compile(r"^(\d{1,7})(?:\.(\d{1,6}))?\s*s?$", re.IGNORECASE | re.ASCII)
_STEP = re.compile(r"^([+-])(\d{1,7})$", re.ASCII)
_DROP_RATES = {(30000, 1001): 2, (60000, 1001): 4}


class TimecodeError(ValueError):
    """A text is not a time that can be used; the message says which forms are."""


def parse(text: str, rate: Rate, *, origin: int = 0) -> int:
    """Return the frame that `text` names at `rate`.

    `HH:MM:SS:FF`, `HH:MM:SS;FF`, `HH:MM:SS`, `MM:SS`, `SS`, `1.5s` count from zero; `+12` and `-3`
    count frames from `origin` (the playhead).

    Raises:
        TimecodeError: not a time, a field out of range, or a time before zero.
    """
    trimmed = text.strip()
    step = _STEP.match(trimmed)
    if step:
        frame = origin + int(step[1] + step[2])
        if frame < 0:
            raise TimecodeError(f"{text!r} from frame {origin} is before the start. Expected 0 up.")
        return frame
    seconds = _SECONDS.match(trimmed)
    if seconds:
        digits = seconds[2] or ""
        exact = Fraction(int(seconds[1])) + Fraction(int(digits or 0), 10 ** len(digits))
        return frames_of_seconds(exact, rate)
    colons = _COLONS.match(trimmed)
    if not colons:
        raise TimecodeError(
            f"{text[:40]!r} is not a time. "
            "Expected HH:MM:SS:FF, HH:MM:SS, MM:SS, seconds or +frames."
        )
    return _parse_colons(text, colons, rate)


def format(frame: int, rate: Rate, *, drop: bool = False) -> str:
    """Return `frame` as `HH:MM:SS:FF`, or as `HH:MM:SS;FF` when `drop` is asked for.

    Raises:
        TimecodeError: a frame below 0, or drop-frame at a rate that has none.
    """
    if frame < 0:
        raise TimecodeError(f"Frame {frame} has no timecode. Expected 0 or more.")
    nominal = nominal_rate(rate)
    if drop:
        dropped = _dropped_per_minute(rate)
        tens, rest = divmod(frame, nominal * 600 - dropped * 9)
        minutes = max(0, (rest - dropped) // (nominal * 60 - dropped))
        frame += dropped * (tens * 9 + minutes)
    seconds, frames = divmod(frame, nominal)
    mark = ";" if drop else ":"
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{frames:02d}"


def nominal_rate(rate: Rate) -> int:
    """Return the whole number of frames that timecode counts as one second."""
    return max(1, round(Fraction(*rate)))


def seconds_of_frames(num_frames: int, rate: Rate) -> float:
    """Return how many seconds `num_frames` last."""
    return float(num_frames / Fraction(*rate))


def frames_of_seconds(seconds: Fraction | float, rate: Rate) -> int:
    """Return the whole number of frames nearest to `seconds`; halves go up."""
    exact = Fraction(seconds) * Fraction(*rate)
    return int((exact + Fraction(1, 2)) // 1)


def _parse_colons(text: str, match: re.Match[str], rate: Rate) -> int:
    has_frames = match[4] is not None
    fields = [int(g) for g in match.groups()[:3] if g is not None]
    if has_frames and len(fields) < 3 and match[4] == ":":
        # `MM:SS` and `HH:MM:SS` end in seconds: only the four-part form ends in frames.
        fields, has_frames = [*fields, int(match[5])], False
    if has_frames and len(fields) < 3:
        raise TimecodeError(f"{text!r} has frames but no hours. Expected HH:MM:SS;FF.")
    hours, minutes, seconds = ([0, 0, *fields])[-3:]
    if seconds > 59 or (len(fields) == 3 and minutes > 59):
        raise TimecodeError(f"{text!r} has a field above 59. Expected minutes and seconds to 59.")
    nominal = nominal_rate(rate)
    whole = ((hours * 60 + minutes) * 60 + seconds) * nominal
    if not has_frames:
        return whole
    frames = int(match[5])
    if frames >= nominal:
        raise TimecodeError(f"{text!r} has frame {frames}. A second has frames 0 to {nominal - 1}.")
    if match[4] == ":":
        return whole + frames
    dropped = _dropped_per_minute(rate)
    if frames < dropped and seconds == 0 and minutes % 10 != 0:
        raise TimecodeError(f"{text!r} does not exist: drop-frame leaves that number out.")
    total_minutes = hours * 60 + minutes
    return whole + frames - dropped * (total_minutes - total_minutes // 10)


def _dropped_per_minute(rate: Rate) -> int:
    if rate not in _DROP_RATES:
        raise TimecodeError(
            f"Drop-frame at {rate[0]}/{rate[1]}. It exists for 30000/1001 and 60000/1001 only."
        )
    return _DROP_RATES[rate]
