"""A job goes on from where it stood: after a crash, a pause, a failure, a closed studio."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest

from engine.protocol import Crashed
from engine.specs import GenerateSpec
from storage import checkpoints, jobs, references
from storage import settings as settings_rows
from storage.database import Library
from storage.errors import Fenced
from studio.settings import Settings
from studio.supervisor.crash_report import MOST_KEPT, write_report
from tests.conftest import Studio, running_studio
from tests.fake_engine import FakeEngine


def queued(studio: Studio, project_id: str) -> list[str]:
    ids: list[str] = studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
    return ids


def resumed_at(engine: FakeEngine) -> list[int]:
    """Return the step that each run of a shot began after."""
    shots = [spec for spec in engine.submitted if isinstance(spec, GenerateSpec)]
    return [0 if spec.resume is None else spec.resume.step for spec in shots]


def files(studio: Studio) -> set[str]:
    return set(studio.session.library.blobs.list())


def stands(studio: Studio, job_id: str) -> Any:
    with studio.session.library.read() as tx:
        return checkpoints.find(tx, job_id)


def until(studio: Studio, job_id: str, state: str) -> Any:
    while (job := studio.get(f"/api/jobs/{job_id}"))["state"] != state:
        assert job["state"] not in ("done", "cancelled"), job
    return job


def test_a_crash_after_a_step_goes_on_from_it_and_leaves_no_file(studio: Studio) -> None:
    engine = studio.engine
    engine.is_saving = True

    def die(job_id: str, step: int) -> None:
        if step == 3 and resumed_at(engine) == [0]:
            raise _Died(job_id)

    engine.after_step = die
    studio.session.executor = _Crashing(engine)
    project_id = studio.project("0:00 a red ball")
    (job_id,) = queued(studio, project_id)
    done = studio.wait(job_id)
    assert (done["state"], done["attempts"]) == ("done", 1)
    assert resumed_at(engine) == [0, 3]
    assert stands(studio, job_id) is None
    shot = studio.document(project_id)["shots"][0]
    with studio.session.library.read() as tx:
        assert references.pinned(tx) == set()
        named = references.reachable(tx)
    assert shot["take"]["number"] == 1
    assert files(studio) <= named


def test_a_paused_shot_frees_the_queue_and_goes_on_from_its_step(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    first, second = queued(studio, project_id)
    until(studio, first, "running")
    assert studio.post(f"/api/jobs/{first}/pause")["state"] == "running"
    studio.engine.steps.release(100)
    paused = until(studio, first, "paused")
    assert paused["attempts"] == 0
    assert studio.wait(second)["state"] == "done"
    with studio.session.library.read() as tx:
        saved = checkpoints.find(tx, first)
        assert saved is not None
        assert saved["digest"] in references.reachable(tx)
    listed = studio.get(f"/api/projects/{project_id}/queue")["jobs"]
    assert [(j["id"], "Resume" in j["waits"]) for j in listed] == [(first, True)]
    assert studio.post(f"/api/jobs/{first}/resume")["state"] == "queued"
    assert studio.wait(first)["state"] == "done"
    assert resumed_at(studio.engine) == [0, 0, saved["step"]]


def test_a_shot_whose_engine_is_closed_goes_on_with_the_next_engine(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball")
    (job_id,) = queued(studio, project_id)
    until(studio, job_id, "running")
    studio.engine.pause(job_id)  # as an executor does that is closed for another model
    studio.engine.steps.release(100)
    done = studio.wait(job_id)
    assert (done["state"], done["attempts"]) == ("done", 0)
    assert resumed_at(studio.engine)[0] == 0
    assert resumed_at(studio.engine)[1] > 0


def test_only_a_running_shot_is_paused_and_only_a_paused_one_goes_on(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    first, second = queued(studio, project_id)
    until(studio, first, "running")
    for path in (f"/api/jobs/{second}/pause", f"/api/jobs/{first}/resume"):
        answer = studio.client.post(path, json={})
        assert answer.status_code == 422
        assert "Only" in answer.json()["message"]
    studio.engine.steps.release(100)


def test_a_paused_shot_that_is_cancelled_leaves_nothing_to_go_on_from(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball")
    (job_id,) = queued(studio, project_id)
    until(studio, job_id, "running")
    studio.post(f"/api/jobs/{job_id}/pause")
    studio.engine.steps.release(100)
    until(studio, job_id, "paused")
    assert studio.post(f"/api/jobs/{job_id}/cancel")["state"] == "cancelled"
    assert stands(studio, job_id) is None


def test_a_closed_studio_keeps_where_a_job_stood_for_the_next_start(settings: Settings) -> None:
    with running_studio(settings) as studio:
        studio.engine.is_saving = True
        studio.engine.steps = Semaphore(2)
        project_id = studio.project("0:00 a red ball")
        (job_id,) = queued(studio, project_id)
        while stands(studio, job_id) is None:
            pass
    with running_studio(settings) as studio:
        done = studio.wait(job_id)
        assert (done["state"], done["attempts"]) == ("done", 0)
        assert resumed_at(studio.engine)[0] in (1, 2)


def test_a_stale_run_cannot_say_where_a_job_stands(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball")
    (job_id,) = queued(studio, project_id)
    until(studio, job_id, "running")
    saved = {"digest": "a" * 64, "is_clean": False}
    library = studio.session.library
    with pytest.raises(Fenced), library.write() as tx:
        checkpoints.keep(tx, job_id, jobs.get(tx, job_id).fence - 1, saved)
    assert stands(studio, job_id) is None
    studio.engine.steps.release(100)


def test_old_checkpoints_are_swept_and_those_of_waiting_jobs_stay(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball")
    (job_id,) = queued(studio, project_id)
    until(studio, job_id, "running")
    library: Library = studio.session.library
    with library.write() as tx:
        fence = jobs.get(tx, job_id).fence
        checkpoints.keep(tx, job_id, fence, {"digest": "a" * 64, "is_clean": False})
        gone = {"digest": "b" * 64, "is_clean": False}
        settings_rows.put(tx, f"{checkpoints.PREFIX}a job that was removed", gone)
        assert checkpoints.sweep(tx) == ["b" * 64]
        assert checkpoints.find(tx, job_id) is not None
    studio.engine.steps.release(100)


def test_a_late_cancel_of_an_earlier_run_does_not_meet_the_next(studio: Studio) -> None:
    project_id = studio.project("0:00 fail")
    (job_id,) = queued(studio, project_id)
    assert studio.wait(job_id)["state"] == "failed"
    studio.engine.cancel(job_id)
    shot = studio.document(project_id)["shots"][0]["shot_id"]
    op = {"kind": "set", "shot_id": shot, "fields": {"prompt": "a red ball"}}
    studio.post(f"/api/projects/{project_id}/edits", op=op)
    assert studio.post(f"/api/jobs/{job_id}/retry")["state"] == "queued"
    assert studio.wait(job_id)["state"] != "cancelled"


def test_free_memory_ends_the_engine_until_a_job_waits(studio: Studio) -> None:
    studio.post("/api/engine/free")
    while studio.get("/api/engine")["state"] != "resting":
        pass
    assert (studio.engine.rests, studio.engine.starts) == (1, 1)
    project_id = studio.project("0:00 a red ball")
    assert studio.wait(queued(studio, project_id)[0])["state"] == "done"
    assert studio.engine.starts == 2
    assert studio.get("/api/engine")["state"] == "ready"


def test_memory_is_not_freed_while_a_shot_is_made(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    first, second = queued(studio, project_id)
    until(studio, first, "running")
    answer = studio.client.post("/api/engine/free", json={})
    assert (answer.status_code, "at work" in answer.json()["message"]) == (422, True)
    listed = {j["id"]: j["waits"] for j in studio.get(f"/api/projects/{project_id}/queue")["jobs"]}
    assert listed == {first: "", second: "1 job is before it: the engine does one after the other."}
    studio.engine.steps.release(100)


def test_a_worn_engine_is_started_afresh_between_two_jobs_and_says_why(studio: Studio) -> None:
    told: list[str] = []
    studio.session.listen(lambda _, m: told.append(m["message"]) if m["kind"] == "engine" else None)
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    studio.engine.before_finish = lambda _: setattr(studio.engine, "worn", "It has grown.")
    for job_id in queued(studio, project_id):
        done = studio.wait(job_id)
        assert (done["state"], done["attempts"]) == ("done", 0)
    while "It has grown." not in told:
        pass
    assert studio.engine.starts >= 2


def test_a_crash_report_tells_enough_and_no_secret(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(studio.session.settings.data_folder).parent
    monkeypatch.setattr(Path, "home", lambda: home)
    project_id = studio.project("0:00 a secret prompt")
    job_id = queued(studio, project_id)[0]
    studio.wait(job_id)
    with studio.session.library.read() as tx:
        job = jobs.get(tx, job_id)
    crash = Crashed(
        job_id=job_id,
        message=f"The engine was stopped while it read {home}/library.",
        exit_code=-9,
        last_events=("progress denoising 3",),
        rss_mib=512,
    )
    for number in range(MOST_KEPT + 2):
        path = write_report(studio.session, job, crash, now=f"2026-01-01T00:00:{number:02}.000")
    text = path.read_text()
    report = json.loads(text)
    assert report["exit_code"] == -9
    assert report["memory"]["engine_mib"] == 512
    assert report["last_events"] == ["progress denoising 3"]
    assert {"python", "torch"} <= set(report["versions"])
    for secret in (studio.session.settings.token, "secret prompt", str(home)):
        assert secret not in text
    assert "~/library" in report["message"]
    assert len(list(path.parent.glob("*.json"))) == MOST_KEPT


class _Died(Exception):
    """The fake engine's process is gone."""


class _Crashing:
    """An executor whose engine dies where the fake one raises `_Died`."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def submit(self, job_id: str, spec: Any) -> Any:
        try:
            yield from self._engine.submit(job_id, spec)
        except _Died:
            yield Crashed(job_id=job_id, message="The engine was stopped.", exit_code=-9)
