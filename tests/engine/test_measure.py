"""Measuring jobs on the tiny model: fidelity of one entry, and what tokens cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import MemoryStateError
from engine.recipes import Model
from engine.specs import CurveSpec, MeasureSpec
from tests.engine.test_jobs import SPEC, Job, ref


@pytest.fixture
def job(model: Model, tmp_path: Path) -> Job:
    return Job(model, tmp_path / "blobs")


def test_fidelity_is_recall_of_the_entry_alone_at_each_frame(job: Job) -> None:
    take = job.take(SPEC)
    spec = MeasureSpec(
        memory_system="frame_preservation",
        entry=ref(take),
        frames=(0, 2, 6),
        width=64,
        height=32,
        media_digest=take.media_digest,
    )
    measured = job.run(spec).measured
    assert measured is not None
    assert [m.frame for m in measured.moments] == [0, 2, 6]
    assert all(m.psnr is not None and 0 < m.psnr < 100 for m in measured.moments)
    assert [r.step for r in job.reports] == [0, 1, 2]
    assert job.run(spec).measured == measured
    hidden = replace(spec, entry=replace(spec.entry, hidden=((0, 9),)))
    nothing = job.run(hidden).measured
    assert nothing is not None
    assert [m.psnr for m in nothing.moments] == [None] * 3


def test_the_curve_times_steps_and_recalls_as_deep_as_the_film_goes(job: Job) -> None:
    first = job.take(SPEC)
    second = job.take(replace(SPEC, seed=8, entries=(ref(first),)))
    spec = CurveSpec(
        memory_system="frame_preservation",
        entries=(ref(first), ref(second)),
        media=(first.media_digest, second.media_digest),
        tokens=(0, 40),
        num_frames=9,
        width=64,
        height=32,
        guidance=1.0,
        strength=1.0,
    )
    measured = job.run(spec).measured
    assert measured is not None
    timed = [p.tokens for p in measured.curve if p.step_seconds is not None]
    held = [p.tokens for p in measured.curve if p.psnr is not None]
    assert timed == [0, 40]
    one = first.entries[0].num_tokens
    assert held == [one, 2 * one]


def test_a_cancelled_measurement_has_no_numbers(job: Job) -> None:
    take = job.take(SPEC)
    spec = MeasureSpec(
        memory_system="frame_preservation",
        entry=ref(take),
        frames=(0,),
        width=64,
        height=32,
        media_digest=take.media_digest,
    )
    with pytest.raises(AssertionError, match="without a result"):
        job.run(spec, is_cancelled=lambda: True)
    with pytest.raises(MemoryStateError, match="no memory system"):
        job.run(replace(spec, memory_system="telepathy"))
