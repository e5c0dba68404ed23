"""What a shot reads of the takes before it: which entries, of them which frames, within the budget.

The whole meaning of "its memory". Forgetting, pinning, strength and the budget are rules about
reading: they choose from the list, and no entry ever changes.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from storage.records import Cut, Shot, Take
from storage.shot_memory import ShotMemory
from studio.timeline.cut import entry_keys

DEFAULT_BUDGET = 5000
"""Tokens that the method was made for (20 s of video, arXiv 2512.23851)."""
LEAST_BUDGET = 1000
MOST_BUDGET = 20_000
Frames = tuple[int, int]
"""First frame of a take, and the frame after the last one."""


@dataclass(frozen=True, kw_only=True)
class SystemFacts:
    """What reading needs to know of a memory system."""

    name: str
    fingerprint: str
    scope: Literal["take", "chain"]
    token_pixels: int = 0
    """Rows and columns of pixels that one token covers. 0 = it is not read as tokens."""
    token_frames: int = 1
    """Frames that a token covers in time, after the first frame, which has its own."""
    most_steps: int = 0
    """Token steps in time that are read in all, the newest ones. 0 = every one."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """One entry as a shot reads it."""

    take: Take
    shot_id: str
    """The shot of the cut that shows the take."""
    key: str
    """Key of the entry."""
    as_read: str
    """The key, and what of the entry is read: equal names mean equal input."""
    tokens: int
    hidden: tuple[Frames, ...] = ()
    """Frames of the take whose tokens are left out."""
    is_pinned: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a shot reads, oldest first."""

    reads: Sequence[Read] = ()
    keys: tuple[str, ...] = ()
    """`as_read` of each."""
    tokens: int = 0
    over_budget: Sequence[Read] = ()
    """Entries that the budget leaves out, oldest first."""


class Past:
    """The takes of a cut in order, ready to be read from any place of it."""

    def __init__(self, cut: Cut, takes: Mapping[str, Take], system: SystemFacts) -> None:
        """Look at every shot once; `before` then costs little, also in a film of 500 shots."""
        self._cut, self._takes, self._system = cut, takes, system
        self._budget = cut.memory_budget or DEFAULT_BUDGET
        self._index = {shot.shot_id: i for i, shot in enumerate(cut.shots)}
        self._all = self._entries(list(self._shown(len(cut.shots), frozenset())))
        self._keys = tuple(read.as_read for read in self._all)
        self._ends = list(itertools.accumulate(read.tokens for read in self._all))
        places = [self._index[read.shot_id] for read in self._all]
        self._counts = [bisect.bisect_left(places, i) for i in range(len(cut.shots) + 1)]

    def everything(self) -> tuple[Read, ...]:
        """Return the entries of the whole cut, with no budget and no rule."""
        return tuple(self._all)

    def share_between(self, take: Take, one: str, other: str) -> float:
        """Return the share of a take's tokens that two names of its entry read differently."""
        whole = self._steps(take, ())
        first, second = (self._steps(take, _hidden_in(name)) for name in (one, other))
        both = self._steps(take, (*_hidden_in(one), *_hidden_in(other)))
        return (first + second - 2 * both) / whole if whole else 1.0

    def before(self, shot: Shot) -> Reading:
        """Return what `shot` reads at its place in the cut."""
        return self._read(shot.memory, self._index[shot.shot_id])

    def as_seen_by(self, shot: Shot) -> tuple[Read, ...]:
        """Return every entry before `shot`, with all of what it does not read marked as hidden.

        Nothing moves to another place in time, so that a picture drawn from it can be compared
        with one drawn from everything.
        """
        index = self._index[shot.shot_id]
        seen = {read.key: read for read in self.before(shot).reads}
        return tuple(
            seen.get(read.key) or replace(read, hidden=((0, read.take.num_frames),))
            for read in self._all[: self._counts[index]]
        )

    def at_end(self, memory: ShotMemory) -> Reading:
        """Return what one more shot after the last one would read."""
        return self._read(memory, len(self._cut.shots))

    def _read(self, memory: ShotMemory, index: int) -> Reading:
        if memory.strength == 0 or not self._system.fingerprint:
            return Reading()
        if memory.forgotten or memory.hidden or memory.pins or self._system.most_steps:
            return self._by_rules(memory, index)
        count = self._counts[index]
        if self._system.scope == "chain":
            return _reading(self._all[:count], ())
        end = self._ends[count - 1] if count else 0
        first = bisect.bisect_left(self._ends, end - self._budget) + 1
        first = 0 if end <= self._budget else first
        left = self._ends[first - 1] if first else 0
        return Reading(
            reads=self._all[first:count],
            keys=self._keys[first:count],
            tokens=end - left,
            over_budget=self._all[:first],
        )

    def _by_rules(self, memory: ShotMemory, index: int) -> Reading:
        found = self._entries(list(self._shown(index, frozenset(memory.forgotten))))
        if self._system.scope == "chain":
            return _reading(found, ())
        marked = [self._marked(read, memory) for read in found]
        marked = [read for read in marked if self._steps(read.take, read.hidden)]
        if self._system.most_steps:
            marked = self._newest(marked)
        room = self._budget - sum(read.tokens for read in marked if read.is_pinned)
        kept, left, is_full = [], [], False
        for read in reversed(marked):
            is_full = is_full or not (read.is_pinned or read.tokens <= room)
            if read.is_pinned:
                kept.append(read)
            elif is_full:
                left.append(read)
            else:
                room -= read.tokens
                kept.append(read)
        return _reading(kept[::-1], left[::-1])

    def _marked(self, read: Read, memory: ShotMemory) -> Read:
        """Return an entry with what `memory` says about it."""
        if not (memory.hidden or memory.pins):
            return read
        mine = {s.shot_id for s in self._cut.shots if s.take_id == read.take.id}
        parts = sorted((p.start, p.after) for p in memory.hidden if p.shot_id in mine)
        hidden = tuple((a, b) for a, b in parts if a < b)
        is_pinned = bool(mine & set(memory.pins))
        name = read.key + "".join(f"-{a}:{b}" for a, b in hidden)
        # A pin changes what is read only where the newest alone would be read.
        name += "+" if is_pinned and self._system.most_steps else ""
        return replace(
            read,
            as_read=name,
            tokens=self._tokens(read.take, self._steps(read.take, hidden)),
            hidden=hidden,
            is_pinned=is_pinned,
        )

    def _newest(self, found: list[Read]) -> list[Read]:
        """Return what a system of bounded length reads: the pinned ones and the newest."""
        kept, room = [], self._system.most_steps
        for read in reversed(found):
            steps = self._steps(read.take, read.hidden)
            held = min(steps, self._system.most_steps if read.is_pinned else room)
            room -= 0 if read.is_pinned else held
            if held:
                kept.append(replace(read, tokens=self._tokens(read.take, held)))
        return kept[::-1]

    def _shown(self, end: int, forgotten: frozenset[str]) -> Iterator[tuple[Shot, Take]]:
        """Yield the takes with latents before a place; a split shot's take comes once."""
        seen: set[str] = set()
        for shot in self._cut.shots[:end]:
            take = self._takes.get(shot.take_id) if shot.take_id else None
            if take is None or take.latents_digest is None or shot.muted:
                continue
            if shot.shot_id in forgotten or take.latents_digest in seen:
                continue
            seen.add(take.latents_digest)
            yield shot, take

    def _entries(self, shown: list[tuple[Shot, Take]]) -> list[Read]:
        system = self._system
        keys = entry_keys([take for _, take in shown], system.fingerprint, system.scope)
        return [
            Read(
                take=take,
                shot_id=shot.shot_id,
                key=key,
                as_read=key,
                tokens=self._tokens(take, self._steps(take, ())),
            )
            for (shot, take), key in zip(shown, keys, strict=True)
        ]

    def _tokens(self, take: Take, steps: int) -> int:
        pixels = self._system.token_pixels
        return steps * -(-take.height // pixels) * -(-take.width // pixels) if pixels else 0

    def _steps(self, take: Take, hidden: Sequence[Frames]) -> int:
        """Return how many token steps of a take are read."""
        length = self._system.token_frames
        total = 1 + -(-(take.num_frames - 1) // length)
        newest = self._system.most_steps
        read = [not _hides(hidden, step, length) for step in range(total)]
        if not newest:
            return sum(read)
        # What a window holds of a take is consecutive: it begins after the last hidden step.
        return sum(1 for _ in itertools.takewhile(bool, reversed(read[-newest:])))


def _hidden_in(name: str) -> tuple[Frames, ...]:
    """Return the frames that a name of an entry leaves out."""
    parts = [part.rstrip("+").split(":") for part in name.split("-")[1:]]
    return tuple((int(start), int(after)) for start, after in parts)


def _hides(hidden: Sequence[Frames], step: int, length: int) -> bool:
    first = 1 + (step - 1) * length if step else 0
    return any(a < 1 + step * length and first < b for a, b in hidden)


def _reading(reads: Sequence[Read], over: Sequence[Read]) -> Reading:
    return Reading(
        reads=reads,
        keys=tuple(read.as_read for read in reads),
        tokens=sum(read.tokens for read in reads),
        over_budget=over,
    )
