"""The queue survives crashes, late cancels and lost memory entries; nothing is committed twice."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from engine.specs import LATER_SHARE, GenerateSpec
from storage import jobs, references, workers
from storage.database import Library
from storage.errors import DiskFull
from studio.actions.job_control import cancel_job
from studio.session import Session
from studio.settings import Settings
from studio.supervisor.supervisor import Supervisor
from tests.conftest import Studio
from tests.fake_engine import FakeEngine
from tests.patience import patience_ends


def generate(studio: Studio, project_id: str) -> list[str]:
    queued: list[str] = studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
    return queued


def test_a_crash_puts_the_job_back_and_the_next_run_finishes_it(studio: Studio) -> None:
    studio.engine.crashes = 2
    project_id = studio.project("0:00 crash\n0:02 a red ball")
    first, second = (studio.wait(j) for j in generate(studio, project_id))
    assert (first["state"], first["attempts"], first["error"]) == ("done", 2, None)
    assert second["state"] == "done"
    takes = [s["take"] for s in studio.document(project_id)["shots"]]
    assert [t["number"] for t in takes] == [1, 1]


def test_a_job_that_always_crashes_is_set_aside_with_advice_and_the_queue_goes_on(
    studio: Studio,
) -> None:
    studio.engine.crashes = 100
    project_id = studio.project("0:00 crash\n0:02 a red ball")
    bad, good = generate(studio, project_id)
    told = studio.wait(bad)
    assert told["state"] == "failed"
    assert "memory ran out" in told["error"]["message"]
    assert "3 times" in told["error"]["message"]
    assert "Retry" in told["error"]["message"]
    assert studio.wait(good)["state"] == "done"
    studio.engine.crashes = 0
    studio.post(f"/api/jobs/{bad}/retry")
    assert studio.wait(bad)["state"] == "done"


def test_a_cancel_that_comes_before_the_commit_wins_and_leaves_no_take(studio: Studio) -> None:
    studio.engine.before_finish = lambda job_id: void(cancel_job(studio.session, job_id))
    project_id = studio.project("0:00 a red ball")
    (job,) = generate(studio, project_id)
    assert studio.wait(job)["state"] == "cancelled"
    shot = studio.document(project_id)["shots"][0]
    assert (shot["take"], shot["num_takes"]) == (None, 0)
    with studio.session.library.read() as tx:
        assert references.pinned(tx) == set()


def void(_: object) -> None:
    """Drop a value."""


def test_a_full_disk_fails_the_job_with_its_words_and_frees_the_queue(
    studio: Studio, monkeypatch: Any
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DiskFull("3 MB are free, 20 MB are needed. Free some disk space.")

    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "finish_with_takes", full)
        first, second = generate(studio, project_id)
        told = studio.wait(first)
        assert told["error"]["message"].startswith("3 MB are free")
        studio.wait(second)
    assert studio.document(project_id)["shots"][0]["take"] is None


def test_an_error_that_nobody_foresaw_fails_its_job_and_the_queue_goes_on(studio: Studio) -> None:
    def surprise(_: str) -> None:
        studio.engine.before_finish = None
        raise ZeroDivisionError("division by zero")

    studio.engine.before_finish = surprise
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    first, second = (studio.wait(j) for j in generate(studio, project_id))
    assert (first["state"], first["error"]["error"]) == ("failed", "ZeroDivisionError")
    assert second["state"] == "done"


def test_a_shot_deleted_while_it_waits_is_not_made(studio: Studio) -> None:
    from threading import Semaphore

    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    _, second = generate(studio, project_id)
    shot = studio.document(project_id)["shots"][1]["shot_id"]
    studio.post(f"/api/projects/{project_id}/edits", op={"kind": "delete", "shot_ids": [shot]})
    studio.engine.steps.release(100)
    told = studio.wait(second)
    assert (told["state"], "deleted before its turn" in told["error"]["message"]) == (
        "failed",
        True,
    )


def test_the_first_shot_of_who_is_asked_for_reads_the_prompt_most(studio: Studio) -> None:
    told = "0:00 Mia waves\n0:02 Leo waves\n0:04 a red box\n0:06 Mia and Leo wave\n0:08 Mia's box"
    project_id = studio.project(told)
    for shot in studio.document(project_id)["shots"]:
        queued = studio.post(f"/api/projects/{project_id}/generate", shot_ids=[shot["shot_id"]])
        studio.wait(queued["jobs"][0])
    made = [spec for spec in studio.engine.submitted if isinstance(spec, GenerateSpec)]
    shares = [[entry.prompt_share for entry in spec.entries] for spec in made]
    assert shares == [
        [],
        [0],
        [1, 1],
        [1, 1, 1],
        [1, 0, 1, LATER_SHARE],
    ]


def test_muted_and_forgotten_shots_are_not_read_and_no_memory_reads_nothing(studio: Studio) -> None:
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball\n0:04 a red box\n0:06 a box")
    shots = studio.document(project_id)["shots"]
    for shot in shots[:2]:
        queued = studio.post(f"/api/projects/{project_id}/generate", shot_ids=[shot["shot_id"]])
        studio.wait(queued["jobs"][0])
    path = f"/api/projects/{project_id}/edits"
    ids = [s["shot_id"] for s in shots]
    muted = {"kind": "set", "shot_id": ids[0], "fields": {"muted": True}}
    studio.post(path, op=muted)
    without = {"kind": "set", "shot_id": ids[3], "fields": {"memory_system": "none"}}
    studio.post(path, op=without)
    for job in generate(studio, project_id):
        studio.wait(job)
    third, fourth = (s for s in studio.engine.submitted[2:] if isinstance(s, GenerateSpec))
    taken = studio.document(project_id)["shots"]
    assert [e.take_id for e in third.entries] == [taken[1]["take_id"]]
    assert fourth.entries == ()
    assert not taken[3]["stale"]
    unmuted = {"kind": "set", "shot_id": ids[0], "fields": {"muted": False}}
    studio.post(path, op=unmuted)
    assert [s["stale"] for s in studio.document(project_id)["shots"]] == [
        False, False, True, False,
    ]  # fmt: skip


def test_what_a_dead_process_left_claimed_is_put_back_at_the_start(data_folder: Path) -> None:
    settings = Settings(data_folder=data_folder)
    with Library.open(data_folder) as library:
        engine = FakeEngine(library.blobs.root)
        engine.start()
        session = Session(settings=settings, library=library, executor=engine)
        from studio.actions.generate import generate as queue
        from studio.actions.manage_projects import create_project
        from studio.actions.storyboards import import_storyboard

        project = create_project(session, "Film").id
        import_storyboard(session, project, "0:00 a red ball", mode="append")
        (job_id,) = queue(session, project, None)
        with library.write() as tx:
            assert jobs.claim(tx, "a worker of a dead process", ["generate"]) is not None
        supervisor = Supervisor(session)
        assert [j.id for j in supervisor.requeued] == [job_id]
        supervisor.start()
        deadline = patience_ends(20)
        while time.monotonic() < deadline:
            with library.read() as tx:
                job = jobs.get(tx, job_id)
            if job.state == "done":
                break
            time.sleep(0.02)
        supervisor.stop()
        with library.read() as tx:
            assert not workers.is_alive(tx, "a worker of a dead process")
        assert (job.state, job.attempts, job.fence) == ("done", 1, 2)
