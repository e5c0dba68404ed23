"""What memory costs: how many entries are computed when a shot is made again, and on a rewind.

For every registered system, and for one of scope "chain", which none of them has yet.
"""

from __future__ import annotations

import dataclasses

import pytest

from engine.memory import registry
from storage.records import Cut, Shot, Take
from studio.timeline.reading import Past, SystemFacts

NUM_SHOTS = 20
SYSTEMS = [
    *(SystemFacts(name=name, fingerprint=name, scope="take") for name in registry.names()),
    SystemFacts(name="a window", fingerprint="weights of a window", scope="take", most_steps=3),
    SystemFacts(name="a chain", fingerprint="weights of a chain", scope="chain"),
]


def take(number: int, version: int = 1) -> Take:
    return Take(
        id=f"take {number}.{version}",
        shot_id=f"shot {number}",
        spec={},
        spec_digest="",
        media_digest="",
        latents_digest=f"latents {number}.{version}",
        strip_digest="",
        strip_tiles=1,
        num_frames=9,
        rate=(8, 1),
        width=64,
        height=32,
    )


FIRST = {t.id: t for t in (take(number) for number in range(NUM_SHOTS))}
CUT = Cut(
    rate=(8, 1),
    width=64,
    height=32,
    memory_budget=20_000,
    shots=tuple(
        Shot(shot_id=t.shot_id, num_frames=9, in_=0, out=9, take_id=t.id) for t in FIRST.values()
    ),
)


class Studio:
    """Computes the entries that a reader of a cut lacks, and keeps every one that ever was."""

    def __init__(self, system: SystemFacts) -> None:
        self.system = system
        self.rows: set[str] = set()

    def compute(self, cut: Cut, takes: dict[str, Take]) -> int:
        """Return how many entries had to be computed so that the whole cut can be read."""
        keys = {read.key for read in Past(cut, takes, self.system).everything()}
        missing = keys - self.rows
        self.rows |= missing
        return len(missing)


def regenerated(cut: Cut, index: int, new: Take) -> Cut:
    shots = list(cut.shots)
    shots[index] = dataclasses.replace(shots[index], take_id=new.id)
    return dataclasses.replace(cut, shots=tuple(shots))


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_making_a_shot_again_computes_one_entry_or_those_after_it_and_a_rewind_none(
    system: SystemFacts,
) -> None:
    for index in range(NUM_SHOTS):
        studio = Studio(system)
        assert studio.compute(CUT, FIRST) == NUM_SHOTS
        new = take(index, version=2)
        changed = regenerated(CUT, index, new)
        everything = {**FIRST, new.id: new}
        expected = 1 if system.scope == "take" else NUM_SHOTS - index
        assert studio.compute(changed, everything) == expected
        assert studio.compute(CUT, everything) == 0  # rewind
        assert studio.compute(changed, everything) == 0  # and redo


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_an_order_costs_nothing_or_what_comes_after_the_first_shot_that_moved(
    system: SystemFacts,
) -> None:
    for index in range(NUM_SHOTS - 1):
        studio = Studio(system)
        studio.compute(CUT, FIRST)
        shots = list(CUT.shots)
        shots[index], shots[index + 1] = shots[index + 1], shots[index]
        swapped = dataclasses.replace(CUT, shots=tuple(shots))
        expected = 0 if system.scope == "take" else NUM_SHOTS - index
        assert studio.compute(swapped, FIRST) == expected


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_one_more_shot_is_one_more_entry(system: SystemFacts) -> None:
    studio = Studio(system)
    for count in range(1, NUM_SHOTS + 1):
        cut = dataclasses.replace(CUT, shots=CUT.shots[:count])
        assert studio.compute(cut, FIRST) == 1
