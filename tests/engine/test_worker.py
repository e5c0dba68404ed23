"""The real engine process on the tiny model: jobs, pins, cancel, errors, death and orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.client import LocalExecutor
from engine.errors import CheckpointError
from engine.protocol import (
    CancelledMessage,
    Crashed,
    Failed,
    Finished,
    FromEngine,
    PausedMessage,
    Pin,
    Preview,
    Progress,
    Saved,
)
from engine.specs import EntryRef, GenerateSpec
from storage.blobs import BlobStore
from tests.engine.test_jobs import SPEC
from tests.patience import patience_ends


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worker") / "blobs"


@pytest.fixture(scope="module")
def executor(tiny_checkpoint: Path, blobs: Path) -> Iterator[LocalExecutor]:
    settings = {"checkpoint": str(tiny_checkpoint), "blobs": str(blobs), "threads": 1}
    executor = LocalExecutor({**settings, "save_seconds": 0})
    executor.start()
    yield executor
    executor.close()


def run(executor: LocalExecutor, spec: GenerateSpec, *, stop_after: int = 0) -> list[FromEngine]:
    """Run a job to its end; ask for a stop after that many steps, 0 = never."""
    seen: list[FromEngine] = []
    for message in executor.submit("job", spec):
        seen.append(message)
        if isinstance(message, Pin):
            executor.pinned(message.digest)
        is_step = isinstance(message, Progress) and message.phase == "denoising"
        if stop_after and is_step and message.step == stop_after:  # type: ignore[union-attr]
            executor.cancel("job")
    return seen


def test_the_engine_says_what_it_can_do(executor: LocalExecutor) -> None:
    info = executor.info
    assert info is not None
    assert (info.width, info.height, info.rate, info.frame_multiple) == (64, 32, (8, 1), 8)
    assert [system.name for system in info.systems] == ["frame_preservation", "sliding_window"]
    assert "park" in info.words
    assert info.seconds_per_shot > 0


def test_a_shot_comes_with_progress_previews_and_pins(executor: LocalExecutor, blobs: Path) -> None:
    seen = run(executor, SPEC)
    assert isinstance(seen[-1], Finished)
    take = seen[-1].result.takes[0]
    store = BlobStore(blobs)
    assert all(store.exists(blob.digest) for blob in take.blobs)
    saved = {m.checkpoint.digest for m in seen if isinstance(m, Saved)}
    assert {m.digest for m in seen if isinstance(m, Pin)} == {b.digest for b in take.blobs} | saved
    steps = [m.step for m in seen if isinstance(m, Progress) and m.phase == "denoising"]
    assert steps == [1, 2, 3]
    assert any(isinstance(m, Preview) for m in seen)


def test_cancel_stops_and_the_next_job_runs(executor: LocalExecutor) -> None:
    seen = run(executor, replace(SPEC, num_steps=200), stop_after=2)
    assert isinstance(seen[-1], CancelledMessage)
    assert isinstance(run(executor, SPEC)[-1], Finished)


def test_an_error_is_told_and_the_next_job_runs(executor: LocalExecutor) -> None:
    missing = EntryRef(take_id="t", latents_digest="0" * 64)
    seen = run(executor, replace(SPEC, entries=(missing,)))
    assert isinstance(seen[-1], Failed)
    assert "generate that shot again" in seen[-1].message
    assert isinstance(run(executor, SPEC)[-1], Finished)


def test_a_killed_engine_is_a_crash_and_starts_again(executor: LocalExecutor) -> None:
    pid = executor.pid
    assert pid is not None
    seen: list[FromEngine] = []
    for message in executor.submit("job", replace(SPEC, num_steps=200)):
        seen.append(message)
        if isinstance(message, Pin):
            executor.pinned(message.digest)
        if isinstance(message, Progress) and (message.phase, message.step) == ("denoising", 2):
            os.kill(pid, signal.SIGKILL)
    assert isinstance(seen[-1], Crashed)
    executor.start()
    assert executor.pid != pid
    assert isinstance(run(executor, SPEC)[-1], Finished)


def test_a_shot_goes_on_in_the_next_process_and_is_bit_equal(executor: LocalExecutor) -> None:
    spec = replace(SPEC, num_steps=6, seed=11)
    whole = run(executor, spec)[-1]
    assert isinstance(whole, Finished)
    seen: list[FromEngine] = []
    for message in executor.submit("job", spec):
        seen.append(message)
        if isinstance(message, Pin):
            executor.pinned(message.digest)
        if isinstance(message, Progress) and (message.phase, message.step) == ("denoising", 4):
            assert executor.pid is not None
            os.kill(executor.pid, signal.SIGKILL)
    assert isinstance(seen[-1], Crashed)
    assert "memory" in seen[-1].message
    saved = [m.checkpoint for m in seen if isinstance(m, Saved)][-1]
    assert 3 <= saved.step <= 6
    executor.start()
    again = run(executor, replace(spec, resume=saved))
    steps = [m.step for m in again if isinstance(m, Progress) and m.phase == "denoising"]
    assert steps == list(range(saved.step + 1, 7))
    assert isinstance(again[-1], Finished)
    assert again[-1].result.takes[0].latents_digest == whole.result.takes[0].latents_digest
    assert again[-1].result.takes[0].entries == whole.result.takes[0].entries


def test_a_pause_saves_where_the_shot_stands_and_frees_the_engine(executor: LocalExecutor) -> None:
    spec = replace(SPEC, num_steps=50, seed=12)
    seen: list[FromEngine] = []
    for message in executor.submit("job", spec):
        seen.append(message)
        if isinstance(message, Pin):
            executor.pinned(message.digest)
        if isinstance(message, Progress) and message.step == 2:
            executor.pause("job")
    assert isinstance(seen[-1], PausedMessage)
    assert isinstance(seen[-2], Saved)
    assert 2 <= seen[-2].checkpoint.step < 50
    assert isinstance(run(executor, SPEC)[-1], Finished)


def test_a_missing_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    settings = {"checkpoint": str(tmp_path / "gone"), "blobs": str(tmp_path), "threads": 1}
    executor = LocalExecutor(settings)
    with pytest.raises(CheckpointError, match="--model"):
        executor.start()
    executor.close()


def test_the_engine_ends_when_its_parent_is_killed(tiny_checkpoint: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time; from engine.client import LocalExecutor\n"
        "if __name__ == '__main__':\n"
        "    e = LocalExecutor({'checkpoint': sys.argv[1], 'blobs': sys.argv[2], 'threads': 1})\n"
        "    e.start(); print(e.pid, flush=True); time.sleep(60)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    arguments = [sys.executable, str(script), str(tiny_checkpoint), str(tmp_path / "blobs")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, text=True, env=environment, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = patience_ends(5)
    while Path(f"/proc/{pid}/stat").exists() and time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}").exists()
