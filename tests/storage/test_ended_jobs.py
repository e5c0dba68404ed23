"""How jobs end: cancelled, failed, with a dead worker, and tried again."""

from __future__ import annotations

import dataclasses

import pytest

from storage import (
    events,
    jobs,
    processes,
    references,
    workers,
)
from storage.database import Library
from storage.errors import Fenced, Refused
from storage.records import Job, Project
from tests.storage import scene


def test_cancelling_a_waiting_job_ends_it(library: Library, shot_job: Job) -> None:
    with library.write() as tx:
        assert jobs.cancel(tx, shot_job.id).state == "cancelled"
        assert jobs.claim(tx, "w", jobs.KINDS) is None
        assert jobs.cancel(tx, shot_job.id).state == "cancelled"


def test_cancelling_a_running_job_waits_for_its_run(library: Library, shot_job: Job) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        asked = jobs.cancel(tx, shot_job.id)
        assert (asked.state, asked.cancel_requested) == ("cancelling", True)
        jobs.heartbeat(tx, claimed.id, claimed.fence)
    with pytest.raises(Fenced, match="cancelling"):
        scene.finish(library, claimed, "too late")
    with library.write() as tx:
        assert jobs.cancelled(tx, claimed.id, claimed.fence).state == "cancelled"


def test_a_finish_that_came_first_wins_over_the_cancel(library: Library, shot_job: Job) -> None:
    scene.finish(library, scene.claim(library), "first")
    with library.write() as tx:
        assert jobs.cancel(tx, shot_job.id).state == "done"


@pytest.mark.parametrize("end", ["fail", "release"])
def test_a_cancelling_job_that_fails_or_dies_is_cancelled(
    library: Library, shot_job: Job, end: str
) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        jobs.cancel(tx, claimed.id)
        ended = getattr(jobs, end)(tx, claimed.id, claimed.fence, {"message": "gone"})
    assert ended.state == "cancelled"


def test_a_failed_job_keeps_its_error_and_can_be_tried_again(
    library: Library, project: Project, shot_job: Job
) -> None:
    other = scene.queue(library, project)
    claimed = scene.claim(library)
    with library.write() as tx:
        failed = jobs.fail(tx, claimed.id, claimed.fence, {"message": "no memory left"})
        assert failed.error == {"message": "no memory left"}
        told = events.since(tx, project.id, 0)[-1]
        assert (told.kind, told.payload["message"]) == ("job_failed", "no memory left")
        again = jobs.retry(tx, claimed.id)
        assert (again.state, again.attempts, again.error) == ("queued", 0, None)
    assert [scene.claim(library).id for _ in range(2)] == [other.id, shot_job.id]


def test_only_a_job_that_ended_badly_is_tried_again(library: Library, shot_job: Job) -> None:
    with library.write() as tx, pytest.raises(Refused, match="is queued"):
        jobs.retry(tx, shot_job.id)
    scene.finish(library, scene.claim(library), "first")
    with library.write() as tx, pytest.raises(Refused, match="is done"):
        jobs.retry(tx, shot_job.id)


def test_trying_again_what_waits_already_gives_the_waiting_job(
    library: Library, project: Project
) -> None:
    first = scene.queue(library, project, queueing_key="k")
    with library.write() as tx:
        jobs.cancel(tx, first.id)
    second = scene.queue(library, project, queueing_key="k")
    with library.write() as tx:
        assert jobs.retry(tx, first.id).id == second.id


def test_a_job_that_kills_its_worker_three_times_is_quarantined_and_the_queue_goes_on(
    library: Library, project: Project, shot_job: Job
) -> None:
    other = scene.queue(library, project)
    states = []
    for _ in range(3):
        claimed = scene.claim(library)
        assert claimed.id == shot_job.id
        with library.write() as tx:
            error = {"message": "The engine was stopped by the system."}
            states.append(jobs.release(tx, claimed.id, claimed.fence, error).state)
    assert states == ["queued", "queued", "quarantined"]
    with library.read() as tx:
        job = jobs.get(tx, shot_job.id)
        assert job.attempts == 3
        assert job.error == {"message": "The engine was stopped by the system."}
    assert scene.claim(library).id == other.id


def test_a_run_that_is_ended_on_purpose_counts_as_none_and_keeps_its_place(
    library: Library, project: Project, shot_job: Job
) -> None:
    scene.queue(library, project)
    for _ in range(4):
        claimed = scene.claim(library)
        assert claimed.id == shot_job.id
        with library.write() as tx:
            back = jobs.release(tx, claimed.id, claimed.fence, is_attempt=False)
            assert (back.state, back.attempts) == ("queued", 0)


def test_a_dead_run_gives_way_to_a_newer_request(library: Library, project: Project) -> None:
    scene.queue(library, project, queueing_key="k")
    claimed = scene.claim(library)
    newer = scene.queue(library, project, queueing_key="k")
    with library.write() as tx:
        gone = jobs.release(tx, claimed.id, claimed.fence)
        assert gone.state == "cancelled"
        assert gone.error is not None and gone.error["job_id"] == newer.id
    assert scene.claim(library).id == newer.id


def test_jobs_of_dead_workers_go_back_once_and_those_of_living_ones_stay(
    library: Library, project: Project
) -> None:
    for _ in range(3):
        scene.queue(library, project)
    with library.write() as tx:
        alive = workers.register(tx, kind="engine")
    lost, kept, asked = scene.claim(library, "dead"), scene.claim(library, alive), None
    asked = scene.claim(library, "dead")
    with library.write() as tx:
        jobs.cancel(tx, asked.id)
        back = jobs.requeue_lost(tx, lambda worker: workers.is_alive(tx, worker))
        assert [(j.id, j.state, j.attempts) for j in back] == [
            (lost.id, "queued", 1),
            (asked.id, "cancelled", 0),
        ]
        assert jobs.get(tx, kept.id).state == "running"
        assert jobs.requeue_lost(tx, lambda worker: worker == alive) == []


def test_workers_whose_process_is_gone_are_forgotten(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with library.write() as tx:
        here = workers.register(tx, kind="engine", device="cpu")
        me = processes.this_process()
        monkeypatch.setattr(
            workers, "this_process", lambda: dataclasses.replace(me, start_time="1")
        )
        gone = workers.register(tx, kind="engine")
        assert (workers.is_alive(tx, here), workers.is_alive(tx, gone)) == (True, False)
        workers.forget_dead(tx)
        assert workers.is_alive(tx, here)
        assert not workers.is_alive(tx, "never registered")


@pytest.mark.parametrize("end", ["finish", "fail", "cancelled", "release"])
def test_the_pins_of_a_job_end_with_its_run(library: Library, shot_job: Job, end: str) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        references.pin(tx, "a" * 64, claimed.id)
        references.pin(tx, "a" * 64, claimed.id)
        references.pin(tx, "b" * 64, "another job")
        arguments = () if end in ("cancelled", "release") else ({"message": "x"},)
        getattr(jobs, end)(tx, claimed.id, claimed.fence, *arguments)
        assert references.pinned(tx) == {"b" * 64}
