"""The client holds a real child process: order, cancel, crashes, silence, restart, parent death."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from engine.client import Limits, LocalExecutor
from engine.errors import CheckpointError, EngineDied
from engine.protocol import CancelledMessage, Crashed, Failed, Finished, FromEngine, Pin, Progress
from engine.watch import exit_in_words
from tests.engine.facts import INFO, generate_spec
from tests.patience import patience_ends

WORKER = "tests.engine.fake_worker:main"
LIMITS = Limits(silence=1.0, cancel_grace=0.4, close_grace=1.0, first_backoff=0.05)


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    made = LocalExecutor({}, worker=WORKER, limits=LIMITS)
    yield made
    made.close()


def messages(executor: LocalExecutor, prompt: str, job_id: str = "j") -> list[FromEngine]:
    executor.start()
    said = []
    for message in executor.submit(job_id, generate_spec(prompt)):
        said.append(message)
        if isinstance(message, Pin):
            executor.pinned(message.digest)
    return said


def test_a_job_yields_its_messages_in_order_and_the_pin_is_answered(
    executor: LocalExecutor,
) -> None:
    said = messages(executor, "render")
    assert executor.info == INFO
    steps = [m.step for m in said if isinstance(m, Progress)]
    assert steps == [1, 2, 3, 4, 5]
    assert isinstance(said[-2], Pin)
    assert isinstance(said[-1], Finished)
    assert isinstance(messages(executor, "render", "again")[-1], Finished)


def test_a_failed_job_says_why_and_the_engine_lives_on(executor: LocalExecutor) -> None:
    (only,) = messages(executor, "fail")
    pid = executor.pid
    assert isinstance(only, Failed)
    assert only.message == "It could not be read."
    assert isinstance(messages(executor, "render")[-1], Finished)
    assert executor.pid == pid


def test_cancel_stops_between_two_steps(executor: LocalExecutor) -> None:
    executor.start()
    said = []
    for message in executor.submit("j", generate_spec("slow")):
        said.append(message)
        if isinstance(message, Progress):
            executor.cancel("j")
    assert isinstance(said[-1], CancelledMessage)
    assert executor.pid is not None


def test_an_engine_that_does_not_hear_a_cancel_is_ended_after_the_grace(
    executor: LocalExecutor,
) -> None:
    executor.start()
    threading.Timer(0.1, executor.cancel, ["j"]).start()
    began = time.monotonic()
    (only,) = executor.submit("j", generate_spec("deaf"))
    assert isinstance(only, CancelledMessage)
    assert 0.4 <= time.monotonic() - began < 3
    assert executor.pid is None
    assert isinstance(messages(executor, "render")[-1], Finished)


@pytest.mark.parametrize(
    ("prompt", "words", "exit_code"),
    [("oom", "memory ran out", -9), ("segfault", "native code", -11)],
)
def test_a_crash_is_told_in_plain_words_and_the_next_job_runs(
    executor: LocalExecutor, prompt: str, words: str, exit_code: int
) -> None:
    last = messages(executor, prompt)[-1]
    assert isinstance(last, Crashed)
    assert words in last.message
    assert last.exit_code == exit_code
    assert isinstance(messages(executor, "render")[-1], Finished)


def test_an_engine_that_breaks_the_agreement_is_ended(executor: LocalExecutor) -> None:
    last = messages(executor, "garbage")[-1]
    assert isinstance(last, Crashed)
    assert "not JSON" in last.message


def test_an_engine_without_a_heartbeat_counts_as_stuck(executor: LocalExecutor) -> None:
    began = time.monotonic()
    last = messages(executor, "silent")[-1]
    assert isinstance(last, Crashed)
    assert "no sign of life" in last.message
    assert time.monotonic() - began < 5


def test_a_model_that_cannot_be_loaded_says_what_to_do() -> None:
    executor = LocalExecutor({"fail": "checkpoint"}, worker=WORKER, limits=LIMITS)
    with pytest.raises(CheckpointError, match=r"No config\.json"):
        executor.start()
    executor.close()


def test_an_engine_that_ends_before_it_is_ready_waits_longer_each_time() -> None:
    executor = LocalExecutor({"fail": "exit"}, worker=WORKER, limits=LIMITS)
    for _ in range(2):
        with pytest.raises(EngineDied, match="before it was ready"):
            executor.start()
    executor.close()
    with pytest.raises(EngineDied, match="closed"):
        executor.start()


def test_submitting_without_an_engine_is_a_crash_not_a_hang(executor: LocalExecutor) -> None:
    (only,) = executor.submit("j", generate_spec("render"))
    assert isinstance(only, Crashed)


def test_the_engine_ends_when_its_parent_is_killed() -> None:
    code = (
        "import sys, time; from engine.client import LocalExecutor\n"
        "if __name__ == '__main__':\n"
        f"    e = LocalExecutor({{}}, worker={WORKER!r}); e.start()\n"
        "    print(e.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = patience_ends(2)
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_running(child)


def test_exit_codes_have_words() -> None:
    assert "memory ran out" in exit_in_words(137)
    assert "signal 15" in exit_in_words(-15)
    assert "exit code 3" in exit_in_words(3)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed child of a killed parent may wait for its new parent to collect it.
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
