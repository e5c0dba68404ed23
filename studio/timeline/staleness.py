"""How much of what a take was made from would be different now: a number for each shot, with why.

0 when the ordered entry keys and every other input equal those of the take's spec. Else the share
of what it read that is no longer in the list, by the weights that the engine measured, and what is
new, by its tokens. An input of the shot's own (its prompt, its length) counts whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from storage.canonical import digest_of
from storage.records import Cut, FramePin, Shot, Take
from storage.shot_memory import Accepted
from studio.timeline.anchors import resolve_pin
from studio.timeline.made import SHORT, Made
from studio.timeline.order import Keys, difference
from studio.timeline.reading import DEFAULT_BUDGET, Past, Read, Reading, SystemFacts

MOVED_SHARE = 0.5
"""Of an entry that is read at another place in time. Our choice."""
LEAST = 0.01
"""Smallest grade of a shot that differs at all."""
DEFAULT_THRESHOLD = 0.1
"""Grade above which "update what changed" makes a shot again."""
MOST_REASONS = 4
AGAIN = " again"
"""Marks the entry of a shot that will be made again."""
_OWN = {
    "prompt": "Its prompt was changed",
    "num_frames": "Its length was changed",
    "memory_system": "Its memory system was changed",
    "strength": "Its memory strength was changed",
    "guidance": "Its guidance was changed",
    "num_steps": "Its number of steps was changed",
    "start": "Its start frame was changed",
    "end": "Its end frame was changed",
}
_KEY_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Grade:
    """How stale a shot is."""

    value: float = 0.0
    """0 = fresh, 1 = nothing of what it was made from is left."""
    reasons: tuple[str, ...] = ()
    """What changed, in an editor's words."""


FRESH = Grade()


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """What became of the inputs of a take."""

    value: float
    lists: tuple[Keys, Keys]
    """The entries that it read, and those that its shot would read now."""
    own: tuple[str, ...] = ()
    """Inputs of its own that changed, in an editor's words."""


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What a shot that says nothing is rendered with."""

    num_steps: int
    guidance: float
    strength: float


class Staleness:
    """The shots of one cut, graded against the takes they show."""

    def __init__(
        self,
        cut: Cut,
        takes: Mapping[str, Take],
        systems: Mapping[str, SystemFacts],
        defaults: Defaults,
        before: Staleness | None = None,
    ) -> None:
        """Hold what grades are made from; a system that is not among `systems` has none.

        `before` is the same film at another cut: what it knows of the takes is used again.
        """
        self._cut, self._takes, self._systems, self._defaults = cut, takes, systems, defaults
        self._pasts: dict[str, Past] = {}
        self._readings: dict[str, Reading | None] = {}
        self._grades: dict[str, Grade] = {}
        self._updates: dict[float, list[tuple[Shot, float]]] = {}
        older = None if before is None else before.made
        self.made: Made = older if older and older.is_of(takes, systems) else Made(takes, systems)
        """What the takes were made from."""
        self._places = {shot.shot_id: i for i, shot in enumerate(cut.shots)}
        self._showing: dict[str, list[str]] = {}
        for shot in cut.shots:
            if shot.take_id:
                self._showing.setdefault(shot.take_id, []).append(shot.shot_id)

    def holds_for(
        self,
        cut: Cut,
        takes: Mapping[str, Take],
        systems: Mapping[str, SystemFacts],
        defaults: Defaults,
    ) -> bool:
        """Return whether another cut has the same grades, as it has after titles were changed."""
        is_same = self.made.is_of(takes, systems) and self._defaults == defaults
        return (
            is_same
            and self._cut.memory_budget == cut.memory_budget
            and (
                len(self._cut.shots) == len(cut.shots)
                and all(map(_is_graded_alike, self._cut.shots, cut.shots))
            )
        )

    def reading(self, shot: Shot) -> Reading | None:
        """Return what a shot reads now. None = its memory system is not known to the model."""
        if shot.shot_id not in self._readings:
            past = self.past(shot.memory.system)
            self._readings[shot.shot_id] = None if past is None else past.before(shot)
        return self._readings[shot.shot_id]

    def past(self, system: str) -> Past | None:
        """Return the takes of the cut as a memory system reads them."""
        if system not in self._systems:
            return None
        if system not in self._pasts:
            self._pasts[system] = Past(self._cut, self._takes, self._systems[system])
        return self._pasts[system]

    def grade(self, shot: Shot) -> Grade:
        """Return how stale a shot is, and why."""
        if shot.shot_id not in self._grades:
            found = self._compare(shot)
            told = FRESH
            if found is not None:
                told = Grade(value=found.value, reasons=self._reasons(shot, found))
            self._grades[shot.shot_id] = told
        return self._grades[shot.shot_id]

    def _compare(self, shot: Shot, ahead: AbstractSet[str] = frozenset()) -> _Compared | None:
        """Return what became of the inputs of a shot's take. None = it is fresh.

        `ahead` are shots that will be made again before it.
        """
        take, now = self._take_of(shot), self.reading(shot)
        if take is None or now is None:
            return None
        keys = now.keys
        if ahead:
            again = (f"{r.as_read}{AGAIN}" if r.shot_id in ahead else r.as_read for r in now.reads)
            keys = tuple(again)
        own = self._own_differences(shot, take)
        read = self.made.keys(take)
        if keys == read and not own:
            return None
        best = self._graded(shot, take, (read, keys), own)
        accepted = shot.memory.accepted
        if accepted is not None and accepted.take_id == take.id:
            short = tuple(map(_short, keys))
            is_same = accepted.inputs == _digest_of_inputs(self._inputs(shot))
            if short == accepted.keys and is_same:
                return None
            other = self._graded(shot, take, (accepted.keys, short), () if is_same else own)
            best = min(best, other, key=lambda compared: compared.value)
        return best

    def _take_of(self, shot: Shot) -> Take | None:
        """Return the take that a shot shows if it was made from something."""
        take = self._takes.get(shot.take_id) if shot.take_id else None
        return take if take is not None and take.kind == "generated" else None

    def accept(self, shot: Shot) -> Accepted | None:
        """Return what "accept as is" stores for a shot. None = it has nothing to accept."""
        take, now = self._take_of(shot), self.reading(shot)
        if take is None or now is None:
            return None
        return Accepted(
            take_id=take.id,
            keys=tuple(map(_short, now.keys)),
            inputs=_digest_of_inputs(self._inputs(shot)),
        )

    def to_update(self, threshold: float) -> list[tuple[Shot, float]]:
        """Return the shots to make again, in order, with the grade of each.

        A shot that is made again changes what the later ones read. One that is not stale enough
        now has the grade here that it will have by then.
        """
        if threshold not in self._updates:
            self._updates[threshold] = list(self._to_update(threshold))
        return self._updates[threshold]

    def _to_update(self, threshold: float) -> Iterator[tuple[Shot, float]]:
        ahead: set[str] = set()
        for shot in self._cut.shots:
            if shot.muted or shot.locked or not shot.prompt.strip():
                continue
            value, now = self.grade(shot).value, self.reading(shot)
            # What is made again before a shot only ever adds to its grade.
            is_open = value <= threshold and now is not None
            if is_open and now and not ahead.isdisjoint([read.shot_id for read in now.reads]):
                found = self._compare(shot, ahead)
                value = found.value if found else 0.0
            if value > threshold:
                yield shot, value
                ahead.update(self._showing.get(shot.take_id or "", ()))

    def _inputs(self, shot: Shot) -> dict[str, Any]:
        params, memory, default = shot.params, shot.memory, self._defaults
        return {
            "prompt": shot.prompt,
            "num_frames": shot.num_frames,
            "memory_system": memory.system,
            "strength": default.strength if memory.strength is None else memory.strength,
            "guidance": default.guidance if params.guidance is None else params.guidance,
            "num_steps": params.num_steps or default.num_steps,
            "start": self._picture(shot, params.start, is_start=True),
            "end": self._picture(shot, params.end, is_start=False),
        }

    def _picture(self, shot: Shot, pin: FramePin | None, *, is_start: bool) -> Any:
        if pin is None:
            return None
        try:
            return resolve_pin(self._cut, shot, pin, self._takes, is_start=is_start)
        except LookupError as error:
            return str(error)

    def _own_differences(self, shot: Shot, take: Take) -> tuple[str, ...]:
        asked = self._inputs(shot)
        spec = {**take.spec, **take.spec.get("said", {})}
        # Where a part of another take was held, its ends are that take's.
        held = {"start", "end"} if spec.get("base") else set[str]()
        made = {name: spec[name] for name in _OWN if name in spec and name not in held}
        return tuple(_OWN[name] for name, value in made.items() if value != asked[name])

    def _graded(
        self, shot: Shot, take: Take, lists: tuple[Keys, Keys], own: tuple[str, ...]
    ) -> _Compared:
        if own:
            return _Compared(value=1.0, lists=lists, own=own)
        share = min(1.0, self._share_lost(shot, take, lists))
        value = 1.0 - (1.0 - share) * (1.0 - self._share_fresh(shot, lists))
        return _Compared(value=round(max(LEAST, value), 4), lists=lists)

    def _share_lost(self, shot: Shot, take: Take, lists: tuple[Keys, Keys]) -> float:
        """Return how much, by weight, of what was read is read no more or at another place."""
        found = difference(*lists)
        weights = self.made.weights(take, lists[0], shot.memory.system)
        share = MOVED_SHARE * sum(map(weights.__getitem__, found.moved))
        share += sum(map(weights.__getitem__, found.lost))
        new = [lists[1][place] for place in found.fresh] if found.lost else []
        fresh = {key[:SHORT]: key for key in new if not key.endswith(AGAIN)}
        past = self.past(shot.memory.system)
        for key in found.lost if fresh else ():
            # The same entry, of which other frames are read: only those count.
            other, one = fresh.get(key[:SHORT]), self.made.source(key, shot.memory.system)
            if other is not None and one is not None and past is not None:
                share -= weights[key] * (1.0 - past.share_between(one, key, other))
        return share

    def _share_fresh(self, shot: Shot, lists: tuple[Keys, Keys]) -> float:
        """Return the share of the tokens read now that no entry of before stood for."""
        now, fresh = self.reading(shot), self._fresh(shot, lists)
        if now is None or not fresh:
            return 0.0
        tokens = sum(read.tokens for read in fresh)
        return tokens / now.tokens if now.tokens else len(fresh) / len(now.reads)

    def _fresh(self, shot: Shot, lists: tuple[Keys, Keys]) -> list[Read]:
        """Return the entries that are new to a shot, other takes of what it read left out."""
        found, now = difference(*lists), self.reading(shot)
        if not found.fresh or now is None:
            return []
        replaced = self.made.shots(found.lost, shot.memory.system)
        fresh = [now.reads[place] for place in found.fresh]
        return [read for read in fresh if read.shot_id not in replaced]

    def _reasons(self, shot: Shot, compared: _Compared) -> tuple[str, ...]:
        found, now = difference(*compared.lists), self.reading(shot) or Reading()
        gone = [self.made.source(key, shot.memory.system) for key in found.lost]
        fresh = self._fresh(shot, compared.lists)
        told = itertools.chain(
            compared.own,
            self._lost_words(shot, gone, now),
            (f"{self._name(read.shot_id)} is new in its memory" for read in fresh),
            ["What it reads stands in another order"] if found.moved else [],
        )
        return _first_of(told, len(compared.own) + len(gone) + len(fresh) + bool(found.moved))

    def _lost_words(self, shot: Shot, gone: Iterable[Take | None], now: Reading) -> Iterator[str]:
        """Yield why entries are read no longer; None stands for one that no take here made."""
        reads = {read.shot_id for read in now.reads}
        over = {read.shot_id for read in now.over_budget}
        for take in gone:
            if take is None:
                yield "It was made with another model or memory"
            else:
                yield self._lost_word(shot, take, reads, over)

    def _lost_word(self, shot: Shot, take: Take, reads: set[str], over: set[str]) -> str:
        showing = self._showing.get(take.id, ())
        place = self._places.get(showing[0] if showing else take.shot_id)
        if place is None:
            return "A shot that it read was deleted"
        other = self._cut.shots[place]
        name = f"Shot {place + 1}"
        if place >= self._places[shot.shot_id]:
            return f"{name} stands after it now"
        if other.muted:
            return f"{name} is muted"
        if other.shot_id in shot.memory.forgotten:
            return f"{name} is forgotten"
        if not showing:
            return f"{name} was re-taken" if other.take_id else f"{name} has no take"
        if other.shot_id in over:
            budget = self._cut.memory_budget or DEFAULT_BUDGET
            return f"{name} is over the budget of {budget:,} tokens"
        if other.shot_id in reads:
            return f"Other frames of {name} are read"
        return f"{name} is not read any more"

    def _name(self, shot_id: str) -> str:
        return f"Shot {self._places[shot_id] + 1}"


def _is_graded_alike(one: Shot, other: Shot) -> bool:
    """Return whether two shots differ in nothing but their titles."""
    return one is other or one == replace(other, title=one.title)


def _first_of(told: Iterable[str], count: int) -> tuple[str, ...]:
    """Return the first reasons of `count`, each once, and how many more there are."""
    reasons: dict[str, None] = {}
    for number, reason in enumerate(told):
        if len(reasons) == MOST_REASONS and reason not in reasons:
            more = count - number + 1
            return (*list(reasons)[: MOST_REASONS - 1], f"and {more} more changes")
        reasons[reason] = None
    return tuple(reasons)


def _short(key: str) -> str:
    """Return a key that fits a cut of 500 shots: 64 bits of it, and what of the entry is read."""
    return key[:SHORT] + key[_KEY_LENGTH:]


def _digest_of_inputs(inputs: Mapping[str, Any]) -> str:
    return digest_of([sorted(inputs.items())])[:SHORT]
