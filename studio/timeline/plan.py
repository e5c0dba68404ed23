"""What a storyboard will become: shots of legal length, their cost and what the model lacks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.timeline import timecode
from studio.timeline.storyboard import Beat, Storyboard
from studio.timeline.timecode import Rate

_WORD = re.compile(r"\w+(?:['-]\w+)*")
_PART = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What a plan must know about the loaded model."""

    frame_multiple: int
    """Lengths are 1 + frame_multiple * k, with k at least 1."""
    max_frames: int
    default_frames: int
    rate: Rate
    tokens_per_shot: int
    """Memory tokens of a shot of default length."""
    seconds_per_shot: float
    """For a shot of default length; 0 = not measured."""
    words: frozenset[str] = frozenset()
    """Words the model was trained on. Empty = open vocabulary."""
    memory_system: str = "none"
    """Memory system of new shots."""
    memory_budget: int = 0
    """Most memory tokens that a shot reads. 0 = no limit is told."""


@dataclass(frozen=True, kw_only=True)
class PlannedShot:
    """One shot as it would be generated."""

    title: str
    prompt: str
    start: int
    """Frame of the planned cut, from 0."""
    num_frames: int
    asked_frames: int
    """What the storyboard asked for, before rounding."""
    memory_tokens: int
    """Memory tokens of the shots before it."""
    estimated_seconds: float
    unknown_words: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All shots of a storyboard, and what an editor should know before generating them."""

    shots: tuple[PlannedShot, ...]
    warnings: tuple[str, ...]
    total_frames: int
    total_seconds: float
    """Estimated wall seconds of generating everything; 0 = not measured."""


def plan(board: Storyboard, facts: EngineFacts) -> Plan:
    """Return the shots that `board` becomes. Nothing is rewritten; only lengths are rounded."""
    shots: list[PlannedShot] = []
    warnings: list[str] = []
    start = tokens = 0
    if board.beats and board.beats[0].frame > 0:
        first = timecode.format(board.beats[0].frame, facts.rate)
        warnings.append(f"The first beat is at {first}. The cut has no gaps: it starts at zero.")
    for number, beat in enumerate(board.beats, start=1):
        asked = _asked(board, number - 1, facts)
        lengths = legal_lengths(asked, facts)
        unknown = unknown_words(beat.text, facts.words)
        warnings += _warnings(number, beat, asked, sum(lengths), unknown)
        warnings += _gap(board, number - 1, facts.rate)
        for index, num_frames in enumerate(lengths):
            shots.append(
                PlannedShot(
                    title=_title(number, beat, index, len(lengths)),
                    prompt=beat.text,
                    start=start,
                    num_frames=num_frames,
                    asked_frames=asked if len(lengths) == 1 else num_frames,
                    memory_tokens=tokens,
                    estimated_seconds=_scaled(facts.seconds_per_shot, num_frames, facts),
                    unknown_words=unknown,
                    params=beat.params,
                )
            )
            start += num_frames
            tokens += round(_scaled(facts.tokens_per_shot, num_frames, facts))
    return Plan(
        shots=tuple(shots),
        warnings=(*warnings, *_over_budget(shots, facts)),
        total_frames=start,
        total_seconds=sum(s.estimated_seconds for s in shots),
    )


def legal_length(num_frames: int, facts: EngineFacts) -> int:
    """Return the legal length nearest to `num_frames`: 1 + multiple * k with k at least 1."""
    multiple = facts.frame_multiple
    largest = max(1, (facts.max_frames - 1) // multiple)
    return 1 + multiple * min(largest, max(1, (num_frames - 1 + multiple // 2) // multiple))


def legal_lengths(num_frames: int, facts: EngineFacts) -> tuple[int, ...]:
    """Return the shots, nearly equal, into which a beat of `num_frames` is split."""
    multiple = facts.frame_multiple
    largest = 1 + multiple * max(1, (facts.max_frames - 1) // multiple)
    if num_frames <= largest + multiple // 2:
        return (legal_length(num_frames, facts),)
    pieces = -(-num_frames // largest)
    steps = max(pieces, (num_frames - pieces + multiple // 2) // multiple)
    each, more = divmod(steps, pieces)
    return tuple(1 + multiple * (each + (1 if i < more else 0)) for i in range(pieces))


def unknown_words(text: str, words: frozenset[str]) -> tuple[str, ...]:
    """Return the words of `text` that a model with a closed vocabulary has never read, in order.

    Words are cut as the model's tokenizer cuts them: "tophat-red" is two, numbers are words too.
    """
    if not words:
        return ()
    folded = unicodedata.normalize("NFKC", text).lower()
    pieces = (
        piece
        for word in _WORD.findall(folded)
        for piece in ((word,) if word in words else _PART.findall(word))
    )
    return tuple(dict.fromkeys(piece for piece in pieces if piece not in words))


def _asked(board: Storyboard, index: int, facts: EngineFacts) -> int:
    beat = board.beats[index]
    if beat.num_frames is not None:
        return beat.num_frames
    if index + 1 < len(board.beats):
        return board.beats[index + 1].frame - beat.frame
    return facts.default_frames


def _title(number: int, beat: Beat, index: int, pieces: int) -> str:
    part = "" if pieces == 1 else _letters(index)
    return f"{beat.title}{part}" if beat.title else f"{number}{part}"


def _letters(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _scaled(per_shot: float, num_frames: int, facts: EngineFacts) -> float:
    return per_shot * num_frames / facts.default_frames


def _warnings(
    number: int, beat: Beat, asked: int, planned: int, unknown: tuple[str, ...]
) -> list[str]:
    found = []
    if asked != planned:
        found.append(
            f"Shot {number}: {asked} frames asked for, {planned} planned: the model makes no "
            "length in between."
        )
    if unknown:
        found.append(
            f"Beat {number}: {', '.join(unknown)}: the model does not know "
            f"{'this word' if len(unknown) == 1 else 'these words'}. It reads a blank it was never "
            "trained on in the place of each: use other words."
        )
    return found


def _over_budget(shots: list[PlannedShot], facts: EngineFacts) -> list[str]:
    budget = facts.memory_budget
    first = next((i for i, s in enumerate(shots) if s.memory_tokens > budget), None)
    if not budget or first is None:
        return []
    return [
        f"From Shot {first + 1} of this plan on, the shots before hold more than the budget of "
        f"{budget:,} memory tokens: the oldest shots that are not pinned are left out of reading."
    ]


def _gap(board: Storyboard, index: int, rate: Rate) -> list[str]:
    beat = board.beats[index]
    if beat.num_frames is None or index + 1 == len(board.beats):
        return []
    end, after = beat.frame + beat.num_frames, board.beats[index + 1].frame
    if end == after:
        return []
    here, there = timecode.format(end, rate), timecode.format(after, rate)
    return [
        f"Beat {index + 1} ends at {here}, the next starts at {there}. "
        "The cut has neither gaps nor overlaps: shots follow each other."
    ]
