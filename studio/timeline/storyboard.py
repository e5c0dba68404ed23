"""A storyboard: timestamped prompts read from text or JSON, and written back without loss.

Forms, one beat a line: `00:00:12:00 text`, `[00:00:05] text`, `0:05-0:09 text`, `[0s-2s: text]`; or
JSON, the form that carries everything. `# text` in the first line names the storyboard, later
`#` lines are comments. A line that is none of these is reported with its number, never dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from studio.timeline import timecode
from studio.timeline.timecode import Rate

VERSION = 1
"""Version of the JSON form."""
MAX_CHARACTERS = 1 << 20
"""Longest storyboard that is read."""
PARAMS = ("seed", "num_steps", "guidance", "strength", "memory_system")
"""Fields of a shot in JSON that become the shot's parameters."""

_TIME = r"(?:\d{1,6}(?::\d{1,2}){1,2}(?:[:;]\d{1,3})?|\d{1,7}(?:\.\d{1,6})?\s*s)"
_BRACKETED = re.compile(rf"^\[\s*({_TIME})\s*(?:(?:-->|-|–)\s*({_TIME})\s*)?\]\s*(\S.*)$", re.ASCII)  # noqa: RUF001
_PLAIN = re.compile(rf"^({_TIME})\s*(?:(?:-->|-|–)\s*({_TIME}))?\s+(\S.*)$", re.ASCII)  # noqa: RUF001
_INSIDE = re.compile(rf"^\[\s*({_TIME})\s*(?:(?:-|–)\s*({_TIME})\s*)?:\s+(\S.*)\]$", re.ASCII)  # noqa: RUF001


class StoryboardError(ValueError):
    """The storyboard cannot be used at all; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One prompt at one frame of the storyboard."""

    frame: int
    """Start, in frames of the project's rate."""
    text: str
    num_frames: int | None = None
    """Asked length in frames. None = until the next beat."""
    title: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the shot; the keys are some of `PARAMS`."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A line that could not be used."""

    line: int
    """From 1. For JSON: the number of the shot."""
    text: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Storyboard:
    """The beats in the order they were written, and the lines that are none."""

    beats: tuple[Beat, ...]
    problems: tuple[Problem, ...] = ()
    name: str = ""


def parse(text: str, rate: Rate) -> Storyboard:
    """Return the storyboard in `text`, with times in frames of `rate`.

    Raises:
        StoryboardError: nothing in it, too long, or JSON that is not a storyboard.
    """
    if len(text) > MAX_CHARACTERS:
        raise StoryboardError(
            f"A storyboard of {len(text)} characters. Expected at most {MAX_CHARACTERS}; split it."
        )
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise StoryboardError(
            "The storyboard is empty. Write one line per shot, such as "
            "`00:00:00:00 a red ball rolls across the room`."
        )
    if text.lstrip().startswith("{"):
        return _parse_json(text, rate)
    return _parse_lines(text, rate)


def write(board: Storyboard, rate: Rate, *, form: Literal["json", "text"] = "json") -> str:
    """Return `board` as text that `parse` reads back to the same beats. JSON carries every board.

    Raises:
        StoryboardError: the text form cannot carry it (line breaks, titles, parameters).
    """
    if form == "json":
        return _write_json(board, rate)
    head = [f"# {board.name}"] if board.name else []
    text = "\n".join(head + [_write_line(b, rate) for b in board.beats]) + "\n"
    if not board.beats or parse(text, rate).beats != board.beats:
        raise StoryboardError(
            "The text form cannot carry this storyboard (line breaks, titles or parameters). "
            "Save it as JSON."
        )
    return text


def _parse_lines(text: str, rate: Rate) -> Storyboard:
    beats: list[Beat] = []
    problems: list[Problem] = []
    name = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line:
            continue
        if line.startswith("#"):
            name = name or ("" if beats else line.lstrip("#").strip())
            continue
        match = _INSIDE.match(line) or _BRACKETED.match(line) or _PLAIN.match(line)
        try:
            if not match:
                raise timecode.TimecodeError(
                    "No time at the start. Expected `00:00:12:00 text`, `[00:00:05] text`, "
                    "`0:05-0:09 text` or `[0s-2s: text]`."
                )
            _append(beats, _beat(match[1], match[2], match[3], rate), rate)
        except timecode.TimecodeError as error:
            problems.append(Problem(line=number, text=line, message=str(error)))
    if not beats and not problems:
        raise StoryboardError("The storyboard holds only comments. Write one line per shot.")
    return Storyboard(beats=tuple(beats), problems=tuple(problems), name=name)


def _beat(start: str, end: str | None, text: str, rate: Rate) -> Beat:
    first = timecode.parse(start, rate)
    if end is None:
        return Beat(frame=first, text=text)
    last = timecode.parse(end, rate)
    if last <= first:
        raise timecode.TimecodeError(f"It ends at {end}, not after its start {start}.")
    return Beat(frame=first, text=text, num_frames=last - first)


def _append(beats: list[Beat], beat: Beat, rate: Rate) -> None:
    if beats and beat.frame <= beats[-1].frame:
        here, before = (timecode.format(b.frame, rate) for b in (beat, beats[-1]))
        raise timecode.TimecodeError(
            f"It starts at {here}, not after the beat before it ({before})."
        )
    beats.append(beat)


def _parse_json(text: str, rate: Rate) -> Storyboard:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoryboardError(f"The storyboard is not valid JSON: {error}.") from error
    version = data.get("version", VERSION)
    if version != VERSION:
        raise StoryboardError(
            f"A storyboard of version {str(version)[:20]!r}. Expected {VERSION}; update Mnemoreel."
        )
    shots = data.get("shots")
    if not isinstance(shots, list) or not shots:
        raise StoryboardError('The storyboard has no "shots". Expected a list with at least one.')
    source = _rate_of(data.get("rate"), rate)
    beats: list[Beat] = []
    problems: list[Problem] = []
    for number, shot in enumerate(shots, start=1):
        try:
            after = beats[-1] if beats else None
            _append(beats, _beat_of_json(shot, after, source, rate), rate)
        except timecode.TimecodeError as error:
            problems.append(Problem(line=number, text=str(shot)[:200], message=str(error)))
    return Storyboard(beats=tuple(beats), problems=tuple(problems), name=str(data.get("name", "")))


def _rate_of(value: Any, rate: Rate) -> Rate:
    if value is None:
        return rate
    pair = value if isinstance(value, list) else [value, 1]
    if len(pair) == 2 and all(type(v) is int and 0 < v < 10**6 for v in pair):
        return (pair[0], pair[1])
    raise StoryboardError(f"The rate {str(value)[:40]} is not one. Expected 24 or [24000, 1001].")


def _beat_of_json(shot: Any, before: Beat | None, source: Rate, rate: Rate) -> Beat:
    prompt = shot.get("prompt") if isinstance(shot, dict) else None
    if not isinstance(prompt, str) or not prompt.strip():
        raise timecode.TimecodeError('A shot without a "prompt". Expected a text.')
    if "at" in shot:
        frame = _converted(timecode.parse(str(shot["at"]), source), source, rate)
    elif "seconds" in shot:
        frame = timecode.frames_of_seconds(_number(shot["seconds"], "seconds"), rate)
    elif before is None:
        frame = 0
    elif before.num_frames is not None:
        frame = before.frame + before.num_frames
    else:
        raise timecode.TimecodeError('No "at" or "seconds", and the shot before has no duration.')
    params = {k: shot[k] for k in PARAMS if shot.get(k) is not None}
    for key, value in params.items():
        if key == "memory_system":
            continue
        number = _number(value, key)
        if key in ("seed", "num_steps") and number.denominator != 1:
            raise timecode.TimecodeError(f"{key} is {value}. Expected a whole number.")
    title = shot.get("title")
    return Beat(
        frame=frame,
        text=prompt,
        num_frames=_duration(shot, source, rate),
        title=None if title is None else str(title),
        params=params,
    )


def _duration(shot: dict[str, Any], source: Rate, rate: Rate) -> int | None:
    if shot.get("frames") is not None:
        frames = _number(shot["frames"], "frames")
        num_frames = _converted(int(frames), source, rate)
    elif isinstance(shot.get("duration"), str):
        num_frames = _converted(timecode.parse(shot["duration"], source), source, rate)
    elif shot.get("duration") is not None:
        num_frames = timecode.frames_of_seconds(_number(shot["duration"], "duration"), rate)
    else:
        return None
    if num_frames < 1:
        raise timecode.TimecodeError(f"A duration of {num_frames} frames. Expected 1 or more.")
    return num_frames


def _number(value: Any, name: str) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise timecode.TimecodeError(
            f"{name} is {str(value)[:40]!r}. Expected a number, 0 or more."
        )
    return Fraction(value).limit_denominator(10**6)


def _converted(frames: int, source: Rate, rate: Rate) -> int:
    if source == rate:
        return frames
    return timecode.frames_of_seconds(Fraction(frames) / Fraction(*source), rate)


def _write_line(beat: Beat, rate: Rate) -> str:
    start = timecode.format(beat.frame, rate)
    if beat.num_frames is None:
        return f"{start} {beat.text}"
    return f"[{start}-{timecode.format(beat.frame + beat.num_frames, rate)}] {beat.text}"


def _write_json(board: Storyboard, rate: Rate) -> str:
    shots = []
    for beat in board.beats:
        shot: dict[str, Any] = {"at": timecode.format(beat.frame, rate), "prompt": beat.text}
        if beat.num_frames is not None:
            shot["frames"] = beat.num_frames
        if beat.title is not None:
            shot["title"] = beat.title
        shots.append(shot | dict(beat.params))
    head = {"version": VERSION, "name": board.name, "rate": list(rate), "shots": shots}
    return json.dumps(head, ensure_ascii=False, indent=1)
