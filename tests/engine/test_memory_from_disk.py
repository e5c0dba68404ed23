"""Memory on disk is memory: bit-equal to what was in RAM, in this process and in a fresh one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.context import ContextRequest, MemoryEntry, MemoryState
from engine.memory.entries import from_bytes
from engine.recipes import Model
from engine.specs import EntryRef, GenerateSpec, TakeResult
from tests.engine.test_jobs import SPEC, Job, job, ref

__all__ = ["job"]
SYSTEMS = ["frame_preservation", "sliding_window"]
STORY = replace(SPEC, num_steps=2)
PLACES = (0, 1, 3)
"""Shots of a film of four that are made again."""


@pytest.fixture
def remembered(model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MemoryEntry]]:
    """Every entry that was computed since the test began."""
    seen: list[MemoryEntry] = []
    for memory in model.memories.values():
        stock = memory.remember

        def counted(state: MemoryState, shot: Any, stock: Any = stock) -> MemoryEntry:
            seen.append(stock(state, shot))
            return seen[-1]

        monkeypatch.setattr(memory, "remember", counted)
    yield seen


def film(job: Job, spec: GenerateSpec, count: int) -> list[TakeResult]:
    """Return shots that each read those before them."""
    takes: list[TakeResult] = []
    for number in range(count):
        takes.append(job.take(replace(spec, seed=number, entries=refs(takes))))
    return takes


def refs(takes: list[TakeResult]) -> tuple[EntryRef, ...]:
    return tuple(ref(take, f"take {index}") for index, take in enumerate(takes))


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_registry_has_no_system_that_is_not_tried_here(model: Model, system: str) -> None:
    assert system in model.memories
    assert set(model.memories) == set(SYSTEMS)


@pytest.mark.parametrize("system", SYSTEMS)
def test_making_a_shot_again_computes_one_entry_and_reading_the_film_none(
    job: Job, remembered: list[MemoryEntry], system: str
) -> None:
    spec = replace(STORY, memory_system=system, num_steps=1)
    takes = film(job, spec, 4)
    assert len(remembered) == 4
    for place in PLACES:
        remembered.clear()
        job.take(replace(spec, seed=100 + place, entries=refs(takes[:place])))
        assert len(remembered) == 1
        # What comes after it reads the other entries as they are, with the old take and the new.
        remembered.clear()
        job.take(replace(spec, seed=200, entries=refs(takes)))
        assert len(remembered) == 1


@pytest.mark.parametrize("system", SYSTEMS)
def test_entries_read_from_disk_are_those_that_were_in_memory(
    job: Job, model: Model, remembered: list[MemoryEntry], system: str
) -> None:
    takes = film(job, replace(STORY, memory_system=system), 2)
    memory = model.memories[system]
    read = tuple(from_bytes(job.store.read(t.entries[0].blob_digest), memory) for t in takes)
    for stored, made in zip(read, remembered, strict=True):
        assert replace(stored, tensors={}) == replace(made, tensors={})
        assert all(torch.equal(stored.tensors[name], made.tensors[name]) for name in made.tensors)
    request = ContextRequest(num_latents=3, rows=2, columns=4)
    one, other = (memory.context(state, request) for state in (read, tuple(remembered)))
    assert one.tokens_BLD is not None
    assert other.tokens_BLD is not None
    assert torch.equal(one.tokens_BLD, other.tokens_BLD)


def test_going_on_from_a_rewound_place_equals_a_fresh_film_in_a_fresh_process(
    job: Job, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    here = {}
    for system in SYSTEMS:
        spec = replace(STORY, memory_system=system)
        first, second, _ = film(job, spec, 3)
        del second
        # Rewound to after the first shot: the two that followed are as if they had never been.
        again = job.take(replace(spec, seed=7, entries=refs([first])))
        here[system] = [told(first), told(again)]
    root = Path(__file__).resolve().parents[2]
    arguments = [sys.executable, "-m", "tests.engine.test_memory_from_disk"]
    done = subprocess.run(
        [*arguments, str(tiny_checkpoint), str(tmp_path / "fresh")],
        capture_output=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        text=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == here


def told(take: TakeResult) -> list[str]:
    """Return what a later shot can read of a take: the video is for people, by an encoder."""
    return [take.latents_digest, take.entries[-1].blob_digest]


def _fresh_film(checkpoint: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Make the film that the other process rewound to, as if nothing else had ever been."""
    from engine.recipes import load_model, wan
    from tests.engine.conftest import CPU

    torch.set_num_threads(1)
    job = Job(load_model(wan(checkpoint), CPU), folder)
    found = {}
    for system in SYSTEMS:
        spec = replace(STORY, memory_system=system)
        first = job.take(replace(spec, seed=0))
        found[system] = [told(first), told(job.take(replace(spec, seed=7, entries=refs([first]))))]
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_fresh_film(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
