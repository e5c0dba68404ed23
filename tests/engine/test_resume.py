"""A shot that was interrupted goes on where it stood, and is bit-equal to one that never was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.bench import Bench
from engine.errors import Paused
from engine.jobs import run_job
from engine.recipes import Model
from engine.specs import BaseTake, Checkpoint, GenerateSpec, JobResult, TakeResult
from engine.takes import BlobDesk
from engine.video import vae as video_vae
from storage.blobs import BlobStore
from tests.engine.test_jobs import SPEC, Job, job, ref

__all__ = ["job"]
STEPS = 5
LONG = replace(SPEC, num_steps=STEPS, guidance=2.0)


@pytest.fixture
def forwards(model: Model, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Noise levels of the forwards since the test began."""
    seen: list[float] = []
    stock = model.velocity

    def counted(latents: torch.Tensor, sigma: float, *rest: object) -> torch.Tensor:
        seen.append(sigma)
        return stock(latents, sigma, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "velocity", counted)
    return seen


def interrupted(job: Job, spec: GenerateSpec, *, after: int) -> Checkpoint:
    """Run a job until it was saved after that step, and drop it there."""
    desk = BlobDesk(store=job.store, pin=job.pinned.append)
    bench = Bench(model=job.model, desk=desk, is_cancelled=lambda: False, save_seconds=0)
    for item in run_job(bench, spec):
        if isinstance(item, Checkpoint) and item.step == after:
            return item
    raise AssertionError(f"There was no checkpoint after step {after}.")


def whole(job: Job, spec: GenerateSpec) -> TakeResult:
    return job.take(spec)


def same(one: TakeResult, other: TakeResult) -> bool:
    """Return whether takes are bit-equal: latents, memory and what they read. Video follows."""
    kept: dict[str, object] = {"seconds": {}, "blobs": (), "media_digest": "", "strip_digest": ""}
    return replace(one, **kept) == replace(other, **kept)  # type: ignore[arg-type]


@pytest.mark.parametrize("after", range(1, STEPS))
def test_a_shot_that_is_resumed_after_any_step_is_bit_equal(
    job: Job, forwards: list[float], after: int
) -> None:
    past = job.take(SPEC)
    spec = replace(LONG, seed=8, entries=(ref(past),))
    saved = interrupted(job, spec, after=after)
    uninterrupted = whole(job, spec)
    forwards.clear()
    resumed = whole(job, replace(spec, resume=saved))
    assert len(set(forwards)) == STEPS - after
    assert same(resumed, uninterrupted)
    assert resumed.sources == uninterrupted.sources


def test_a_shot_with_held_frames_is_resumed_bit_equal(job: Job) -> None:
    base = BaseTake(latents_digest=job.take(SPEC).latents_digest, redo=(1, 3), strength=0.8)
    spec = replace(LONG, seed=9, base=base)
    saved = interrupted(job, spec, after=2)
    assert same(whole(job, replace(spec, resume=saved)), whole(job, spec))


def test_decoding_that_fails_once_is_repeated_without_sampling(
    job: Job, forwards: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> Iterator[torch.Tensor]:
        raise RuntimeError("The decoder is out of memory.")

    expected = whole(job, LONG)
    with monkeypatch.context() as broken:
        broken.setattr(video_vae, "decode_stream", crash)
        # Previews decode too; nothing of them is looked at here.
        broken.setattr("engine.generate._preview", lambda *_: b"")
        with pytest.raises(RuntimeError):
            job.run(LONG)
    saved = job.checkpoints[-1]
    assert saved.is_clean
    assert job.store.exists(saved.digest)
    assert saved.digest in job.pinned
    forwards.clear()
    assert same(whole(job, replace(LONG, resume=saved)), expected)
    assert forwards == []


def test_a_shot_that_ended_early_keeps_where_it_ended(job: Job) -> None:
    early = job.run(LONG, is_stopping=lambda: len(job.reports) >= 2).takes[0]
    saved = job.checkpoints[-1]
    assert 0 < early.stopped_at < STEPS
    assert whole(job, replace(LONG, resume=saved)).stopped_at == early.stopped_at


def test_a_paused_shot_says_where_it_stands_first(job: Job) -> None:
    desk = BlobDesk(store=job.store, pin=job.pinned.append)
    bench = Bench(model=job.model, desk=desk, is_cancelled=lambda: False, is_pausing=lambda: True)
    items = run_job(bench, LONG)
    seen: list[object] = []
    with pytest.raises(Paused):
        seen += list(_collect(items, seen))
    saved = [item for item in seen if isinstance(item, Checkpoint)]
    assert [c.step for c in saved] == [1]
    assert same(whole(job, replace(LONG, resume=saved[0])), whole(job, LONG))


def _collect(items: Iterator[object], seen: list[object]) -> Iterator[object]:
    for item in items:
        seen.append(item)
    yield from ()


@pytest.mark.parametrize("change", ["prompt", "memory", "blob", "damage"])
def test_what_does_not_fit_any_more_begins_anew(
    job: Job, forwards: list[float], change: str, caplog: pytest.LogCaptureFixture
) -> None:
    saved = interrupted(job, LONG, after=2)
    spec = LONG
    if change == "prompt":
        spec = replace(spec, prompt="Leo dances in the snow.")
    elif change == "memory":
        spec = replace(spec, entries=(ref(job.take(SPEC)),))
    elif change == "blob":
        job.store.delete(saved.digest)
    else:
        path = job.store.path(saved.digest)
        path.chmod(0o600)
        path.write_bytes(b"\0" * path.stat().st_size)
        job.store = BlobStore(job.store.root)  # another process: nothing is verified yet
    forwards.clear()
    resumed = whole(job, replace(spec, resume=saved))
    assert len(set(forwards)) == STEPS
    assert same(resumed, whole(job, spec))
    assert ("begins anew" in caplog.text) or ("cannot be read" in caplog.text)


def test_a_short_shot_is_saved_once_when_it_is_sampled(job: Job) -> None:
    job.run(LONG)
    (saved,) = job.checkpoints
    assert (saved.is_clean, saved.step) == (True, STEPS)


def test_a_result_names_no_blob_of_a_checkpoint(job: Job, tmp_path: Path) -> None:
    desk = BlobDesk(store=job.store, pin=job.pinned.append)
    bench = Bench(model=job.model, desk=desk, is_cancelled=lambda: False, save_seconds=0)
    items = list(run_job(bench, LONG))
    named = {
        blob.digest for item in items if isinstance(item, JobResult) for blob in item.takes[0].blobs
    }
    saved = [item for item in items if isinstance(item, Checkpoint)]
    assert [c.digest in named for c in saved] == [False] * (STEPS - 1) + [True]
