"""The queue as an editor meets it: its list, its order, its pause, and a shot kept half-way."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Semaphore
from typing import Any

from studio.settings import Settings
from tests.conftest import Studio, running_studio
from tests.patience import patience_ends


def queue(studio: Studio, project_id: str) -> Any:
    return studio.get(f"/api/projects/{project_id}/queue")


def until(is_so: Callable[[], bool]) -> None:
    deadline = patience_ends(20)
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about in 20 s"
        time.sleep(0.01)


def ask(studio: Studio, project_id: str, **body: Any) -> list[str]:
    wanted = {"shot_ids": None, **body}
    made: list[str] = studio.post(f"/api/projects/{project_id}/generate", **wanted)["jobs"]
    return made


def states(studio: Studio, project_id: str) -> list[tuple[str, str]]:
    return [(job["id"], job["state"]) for job in queue(studio, project_id)["jobs"]]


def test_a_paused_queue_finishes_what_runs_and_survives_a_restart(settings: Settings) -> None:
    with running_studio(settings) as studio:
        studio.engine.steps = Semaphore(0)
        project_id = studio.project()
        first, second, third = ask(studio, project_id)
        until(lambda: states(studio, project_id)[0] == (first, "running"))
        studio.post("/api/queue/pause", paused=True)
        studio.post(f"/api/jobs/{third}/move", index=0)
        studio.engine.steps.release(4)
        assert studio.wait(first)["state"] == "done"
        assert states(studio, project_id) == [(third, "queued"), (second, "queued")]
    with running_studio(settings) as studio:
        told = queue(studio, project_id)
        assert told["paused"]
        assert [job["id"] for job in told["jobs"]] == [third, second]
        assert [job["id"] for job in told["done"]] == [first]
        assert told["done"][0]["seconds"] > 0
        studio.post("/api/queue/pause", paused=False)
        assert studio.wait(second)["state"] == studio.wait(third)["state"] == "done"
        done = [job["id"] for job in queue(studio, project_id)["done"]]
        assert done == [second, third, first]
        studio.post(f"/api/projects/{project_id}/queue/clear-done")
        assert queue(studio, project_id)["done"] == []


def test_a_waiting_job_follows_its_shot_but_keeps_a_seed_of_its_own(studio: Studio) -> None:
    studio.post("/api/queue/pause", paused=True)
    project_id = studio.project()
    shots = studio.document(project_id)["shots"]
    (own,) = ask(studio, project_id, shot_ids=[shots[0]["shot_id"]])
    (new,) = ask(studio, project_id, shot_ids=[shots[1]["shot_id"]], new_seed=True)
    seed = {job["id"]: job["about"]["seed"] for job in queue(studio, project_id)["jobs"]}
    for shot in shots[:2]:
        fields = {"prompt": "a blue box", "seed": 5, "num_steps": 3}
        op = {"kind": "set", "shot_id": shot["shot_id"], "fields": fields}
        studio.post(f"/api/projects/{project_id}/edits", op=op)
    about = {job["id"]: job["about"] for job in queue(studio, project_id)["jobs"]}
    assert [about[own][n] for n in ("prompt", "seed", "num_steps")] == ["a blue box", 5, 3]
    assert [about[new][n] for n in ("prompt", "seed", "num_steps")] == [
        "a blue box", seed[new], 3,
    ]  # fmt: skip
    studio.post(f"/api/projects/{project_id}/undo")
    about = {job["id"]: job["about"] for job in queue(studio, project_id)["jobs"]}
    assert about[new]["prompt"] == shots[1]["prompt"]
    assert about[own]["prompt"] == "a blue box"


def test_a_duplicate_waits_behind_its_job_with_another_seed(studio: Studio) -> None:
    studio.post("/api/queue/pause", paused=True)
    project_id = studio.project()
    first, second, third = ask(studio, project_id)
    copy = studio.post(f"/api/jobs/{first}/duplicate")["job"]
    told = queue(studio, project_id)["jobs"]
    assert [job["id"] for job in told] == [first, copy, second, third]
    assert told[0]["about"]["seed"] != told[1]["about"]["seed"]
    assert told[0]["about"]["prompt"] == told[1]["about"]["prompt"]
    studio.post("/api/queue/pause", paused=False)
    assert studio.wait(third)["state"] == "done"
    shot = studio.document(project_id)["shots"][0]
    assert (shot["num_takes"], shot["take"]["number"]) == (2, 1)


def test_a_shot_cancelled_with_keep_leaves_a_take_that_says_where(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project()
    shot_id = studio.document(project_id)["shots"][0]["shot_id"]
    (job,) = ask(studio, project_id, shot_ids=[shot_id])
    studio.engine.steps.release(1)
    until(lambda: studio.get(f"/api/jobs/{job}")["step"] == 1)
    assert studio.post(f"/api/jobs/{job}/cancel", keep=True) == {"state": "cancelling"}
    assert studio.get(f"/api/jobs/{job}")["is_kept"]
    studio.engine.steps.release(1)
    assert studio.wait(job)["state"] == "done"
    document = studio.document(project_id)
    assert document["shots"][0]["take"]["note"] == "Cancelled at step 2 of 4"
    assert document["label"] == "Keep Shot 1, cancelled at step 2 of 4"
    (again,) = ask(studio, project_id, shot_ids=[shot_id], new_seed=True)
    studio.engine.steps.release(1)
    until(lambda: studio.get(f"/api/jobs/{again}")["step"] == 1)
    studio.post(f"/api/jobs/{again}/cancel", keep=True)
    studio.engine.steps.release(1)
    assert studio.wait(again)["state"] == "done"
    shot = studio.document(project_id)["shots"][0]
    assert (shot["num_takes"], shot["take"]["number"]) == (2, 1), "half a take is only offered"


def test_what_was_to_be_kept_can_still_be_discarded(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project()
    job = ask(studio, project_id)[0]
    until(lambda: states(studio, project_id)[0] == (job, "running"))
    studio.post(f"/api/jobs/{job}/cancel", keep=True)
    assert studio.post(f"/api/jobs/{job}/cancel", keep=False) == {"state": "cancelling"}
    studio.engine.steps.release(100)
    assert studio.wait(job)["state"] == "cancelled"
    answer = studio.client.post(f"/api/jobs/{job}/cancel", json={"keep": True})
    assert answer.status_code == 200
    assert studio.document(project_id)["shots"][0]["take"] is None


def test_failed_jobs_stay_listed_over_a_restart_until_they_are_dismissed(
    settings: Settings,
) -> None:
    with running_studio(settings) as studio:
        project_id = studio.project("0:00 fail\n0:02 fail\n0:04 a box")
        for job in ask(studio, project_id):
            studio.wait(job)
        bad = [job["id"] for job in studio.document(project_id)["jobs"]]
        assert len(bad) == 2
    with running_studio(settings) as studio:
        assert states(studio, project_id) == [(job, "failed") for job in bad]
        studio.post(f"/api/jobs/{bad[0]}/dismiss")
        assert [job["id"] for job in studio.document(project_id)["jobs"]] == bad[1:]
        again = studio.post(f"/api/projects/{project_id}/queue/retry-failed")["jobs"]
        assert again == bad[1:]
        assert studio.wait(bad[1])["state"] == "failed"


def test_times_come_from_measured_steps_and_add_up_along_the_queue(studio: Studio) -> None:
    project_id = studio.project()
    studio.generated(project_id)
    studio.post("/api/queue/pause", paused=True)
    shots = [shot["shot_id"] for shot in studio.document(project_id)["shots"]]
    ask(studio, project_id, shot_ids=shots)
    told = queue(studio, project_id)
    first, second, third = told["jobs"]
    assert first["starts_in"] == 0
    assert first["seconds"] == second["seconds"] > 0
    assert third["starts_in"] == second["ends_in"] == first["seconds"] + second["seconds"]
    assert told["eta_seconds"] == third["ends_in"]
    assert first["strip"].startswith("/media/")
    fields = {"num_steps": 8}
    op = {"kind": "set", "shot_id": shots[0], "fields": fields}
    studio.post(f"/api/projects/{project_id}/edits", op=op)
    assert queue(studio, project_id)["jobs"][0]["seconds"] > first["seconds"]


def test_only_a_running_shot_has_something_to_keep(studio: Studio) -> None:
    studio.post("/api/queue/pause", paused=True)
    project_id = studio.project()
    job = ask(studio, project_id)[0]
    answer = studio.client.post(f"/api/jobs/{job}/cancel", json={"keep": True})
    assert answer.status_code == 422
    assert "nothing to keep" in answer.json()["message"]
