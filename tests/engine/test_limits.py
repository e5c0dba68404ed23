"""The client holds its child to limits: memory, jobs, growth; and a late cancel meets nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.client import Limits, LocalExecutor
from engine.protocol import CancelledMessage, Crashed, Finished, FromEngine, PausedMessage
from engine.watch import default_limit_mib, machine_mib, resident_mib
from tests.engine.facts import generate_spec
from tests.engine.test_client import LIMITS, WORKER, messages


def executor(**limits: float) -> Iterator[LocalExecutor]:
    base = {name: getattr(LIMITS, name) for name in ("cancel_grace", "close_grace")}
    made = LocalExecutor({}, worker=WORKER, limits=Limits(**base, first_backoff=0.05, **limits))  # type: ignore[arg-type]
    yield made
    made.close()


def test_an_engine_that_holds_too_much_is_ended_in_words_and_the_next_job_runs() -> None:
    for made in executor(memory_mib=300):
        last = messages(made, "allocate")[-1]
        assert isinstance(last, Crashed)
        assert "more than the 300 MiB" in last.message
        assert "progress denoising 1" in last.last_events
        assert isinstance(messages(made, "render")[-1], Finished)


def test_an_engine_is_started_afresh_after_so_many_jobs_and_no_job_is_lost() -> None:
    for made in executor(recycle_jobs=2):
        pids = []
        for number in range(4):
            assert isinstance(messages(made, "render", f"job {number}")[-1], Finished)
            pids.append(made.pid)
        assert "2 jobs" in made.worn
        assert (pids[0] == pids[1], pids[1] == pids[2], pids[2] == pids[3]) == (True, False, True)


def test_an_engine_that_has_grown_is_started_afresh() -> None:
    for made in executor(memory_mib=100_000, growth_share=0.001):
        assert isinstance(messages(made, "render")[-1], Finished)
        assert made.worn == ""
        assert isinstance(messages(made, "grow")[-1], Finished)
        assert "has grown by" in made.worn
        before = made.pid
        assert isinstance(messages(made, "render")[-1], Finished)
        assert (made.pid == before, made.worn) == (False, "")


def test_a_rested_engine_is_gone_and_comes_back() -> None:
    for made in executor():
        messages(made, "render")
        made.rest()
        assert made.pid is None
        assert made.info is not None
        assert isinstance(messages(made, "render")[-1], Finished)


def test_a_cancel_that_came_too_late_does_not_meet_the_next_run() -> None:
    for made in executor():
        messages(made, "render")
        made.cancel("j")
        made.forget("j")
        assert isinstance(messages(made, "render")[-1], Finished)


def test_a_cancel_that_came_before_the_run_is_told_to_it() -> None:
    for made in executor():
        made.start()
        made.cancel("j")
        assert isinstance(messages(made, "slow")[-1], CancelledMessage)


def test_what_is_asked_between_two_runs_of_a_job_is_forgotten_with_it() -> None:
    for made in executor():
        messages(made, "render")
        made.pause("j")
        made.forget("j")
        assert isinstance(messages(made, "slow")[-1], Finished)


def test_a_paused_job_ends_with_that_word() -> None:
    for made in executor():
        made.start()
        seen: list[FromEngine] = []
        for message in made.submit("j", generate_spec("slow")):
            if not seen:
                made.pause("j")
            seen.append(message)
        assert isinstance(seen[-1], PausedMessage)


def test_this_process_and_machine_have_a_size() -> None:
    if not machine_mib():
        pytest.skip("This system does not tell.")
    assert 0 < resident_mib() < machine_mib()
    assert 0 < default_limit_mib() < machine_mib()
    assert resident_mib(2**22 - 1) == 0


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
def test_the_engine_begins_without_secrets_and_the_server_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = {
        "MNEMOREEL_DATABASE": "postgresql://me:hunter2@host/film",
        "HF_TOKEN": "hunter2",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "SOME_API_KEY": "hunter2",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    for made in executor():
        made.start()
        began_with = Path(f"/proc/{made.pid}/environ").read_bytes()
        assert b"hunter2" not in began_with
        assert b"PATH=" in began_with
    assert {name: os.environ[name] for name in secrets} == secrets
