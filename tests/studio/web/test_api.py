"""The JSON routes: the way of a film, and what is refused with which words."""

from __future__ import annotations

import dataclasses
import json
from threading import Event, Semaphore
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.errors import CheckpointError
from engine.specs import GenerateSpec
from storage.database import Library
from storage.records import Take
from studio.actions.take_document import take_to_json
from studio.server import build_app
from studio.settings import Settings
from tests.conftest import Studio
from tests.engine.facts import INFO
from tests.fake_engine import FakeEngine


def edit(studio: Studio, project_id: str, rev: int | None = None, **op: Any) -> Any:
    body = {"op": op} if rev is None else {"op": op, "base_rev": rev}
    return studio.client.post(f"/api/projects/{project_id}/edits", json=body)


def test_a_storyboard_becomes_a_film_whose_shots_read_those_before(studio: Studio) -> None:
    project_id = studio.project()
    document = studio.generated(project_id)
    takes = [s["take"] for s in document["shots"]]
    assert [t["memory_tokens"] for t in takes] == [0, 30, 60]
    assert [s["start"] for s in document["shots"]] == [0, 17, 34]
    assert document["total_frames"] == 51
    assert document["label"] == "Generate Shot 3"
    assert document["memory"] == {
        "system": "frame_preservation", "tokens": 90, "budget": 5000,
        "budget_range": [1000, 20_000],
    }  # fmt: skip
    specs = [s for s in studio.engine.submitted if isinstance(s, GenerateSpec)]
    assert [len(s.entries) for s in specs] == [0, 1, 2]
    assert all(e.blob_digest and e.key for e in specs[2].entries)
    assert takes[1]["sources"] == [{"take_id": takes[0]["take_id"], "weight": 1.0}]
    assert not any(s["stale"] for s in document["shots"])


def test_the_document_has_exactly_the_agreed_fields(shared_studio: Studio) -> None:
    document = shared_studio.generated(shared_studio.project())
    assert set(document) == {
        "project", "rev", "seq", "boot", "node_id", "label", "can_undo", "can_redo",
        "total_frames", "shots", "markers", "jobs", "memory", "update", "version",
    }  # fmt: skip
    assert set(document["shots"][0]) == {
        "shot_id", "title", "prompt", "num_frames", "in", "out", "start", "locked", "muted",
        "params", "memory", "take", "take_id", "num_takes", "stale", "unknown_words", "grade",
        "changes", "reads", "names",
    }  # fmt: skip
    assert document["project"] == {
        "id": document["project"]["id"], "name": "Film", "rate": [8, 1], "width": 96, "height": 64,
    }  # fmt: skip


def test_a_document_names_the_strongest_sources_and_the_list_of_takes_all_of_them() -> None:
    weights = (0.1, 0.5, 0.3, 0.1)
    sources = tuple({"take_id": f"t{i}", "weight": weight} for i, weight in enumerate(weights))
    take = Take(
        id="t", shot_id="s", spec={}, spec_digest="", media_digest="", latents_digest=None,
        strip_digest="", strip_tiles=1, num_frames=1, rate=(8, 1), width=96, height=64,
        sources=sources,
    )  # fmt: skip
    named = [source["take_id"] for source in take_to_json(take, num_sources=2)["sources"]]
    assert named == ["t1", "t2"]
    assert len(take_to_json(take)["sources"]) == 4


def test_the_engine_says_what_the_model_can_do(shared_studio: Studio) -> None:
    told = shared_studio.get("/api/engine")
    assert told["state"] == "ready"
    assert told["info"]["words"] == list(INFO.words)


def test_regenerating_an_early_shot_makes_the_later_ones_stale_until_undone(
    shared_studio: Studio,
) -> None:
    project_id = shared_studio.project()
    first = shared_studio.generated(project_id)["shots"][0]
    body = {"shot_ids": [first["shot_id"]], "new_seed": True}
    (job,) = shared_studio.post(f"/api/projects/{project_id}/generate", **body)["jobs"]
    assert shared_studio.wait(job)["state"] == "done"
    document = shared_studio.document(project_id)
    assert document["label"] == "Regenerate Shot 1"
    assert [s["stale"] for s in document["shots"]] == [False, True, True]
    assert document["shots"][0]["num_takes"] == 2
    assert document["shots"][0]["params"]["seed"] == first["params"]["seed"]
    shared_studio.post(f"/api/projects/{project_id}/undo")
    assert not any(s["stale"] for s in shared_studio.document(project_id)["shots"])


def test_takes_are_kept_and_any_of_them_can_be_picked(shared_studio: Studio) -> None:
    project_id = shared_studio.project("0:00 a red ball")
    shot = shared_studio.generated(project_id)["shots"][0]
    (job,) = shared_studio.post(
        f"/api/projects/{project_id}/generate", shot_ids=[shot["shot_id"]], new_seed=True
    )["jobs"]
    shared_studio.wait(job)
    path = f"/api/projects/{project_id}/shots/{shot['shot_id']}/takes"
    takes = shared_studio.get(path)["takes"]
    assert [(t["number"], t["picked"]) for t in takes] == [(1, False), (2, True)]
    done = edit(
        shared_studio,
        project_id,
        kind="pick_take",
        shot_id=shot["shot_id"],
        take_id=takes[0]["take_id"],
    )
    assert done.json()["label"] == "Pick take 1 of Shot 1"
    assert [t["picked"] for t in shared_studio.get(path)["takes"]] == [True, False]


def test_a_take_of_a_shot_that_was_locked_meanwhile_is_offered_not_picked(studio: Studio) -> None:
    project_id = studio.project("0:00 a red ball")
    studio.engine.steps = Semaphore(0)
    (job,) = studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
    shot = studio.document(project_id)["shots"][0]
    edit(studio, project_id, kind="set", shot_id=shot["shot_id"], fields={"locked": True})
    studio.engine.steps.release(100)
    assert studio.wait(job)["result"]["picked"] is False
    after = studio.document(project_id)["shots"][0]
    assert after["take"] is None
    assert after["num_takes"] == 1


def test_an_edit_of_an_old_revision_answers_with_the_newer_document(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    ids = [s["shot_id"] for s in shared_studio.document(project_id)["shots"]]
    assert edit(shared_studio, project_id, 1, kind="delete", shot_ids=[ids[0]]).status_code == 200
    got = edit(shared_studio, project_id, 1, kind="delete", shot_ids=[ids[1]])
    assert got.status_code == 409
    assert len(got.json()["document"]["shots"]) == 2
    assert "changed meanwhile" in got.json()["message"]


def test_undo_redo_and_rewind_move_over_the_history(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    ids = [s["shot_id"] for s in shared_studio.document(project_id)["shots"]]
    edit(shared_studio, project_id, kind="move", shot_ids=[ids[2]], before=ids[0])
    assert shared_studio.post(f"/api/projects/{project_id}/undo", base_rev=2)["rev"] == 3
    assert [s["shot_id"] for s in shared_studio.document(project_id)["shots"]] == ids
    assert shared_studio.post(f"/api/projects/{project_id}/redo")["label"] == "Move Shot 3"
    told = shared_studio.get(f"/api/projects/{project_id}/history")
    root = next(n for n in told["nodes"] if n["parent_id"] is None)
    shared_studio.post(f"/api/projects/{project_id}/rewind", node_id=root["id"])
    assert shared_studio.document(project_id)["shots"] == []
    got = shared_studio.client.post(f"/api/projects/{project_id}/undo", json={})
    assert got.status_code == 422
    assert "nothing to undo" in got.json()["message"]


def test_a_plan_changes_nothing_and_shows_every_line(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    text = "0:00 a red dragon\nwhat is this\n0:02 a blue ball"
    told = shared_studio.post(f"/api/projects/{project_id}/storyboard/plan", text=text)
    assert [p["line"] for p in told["problems"]] == [2]
    assert told["shots"][0]["unknown_words"] == ["dragon"]
    assert told["total_frames"] == 34
    assert len(shared_studio.document(project_id)["shots"]) == 3
    got = shared_studio.client.post(f"/api/projects/{project_id}/storyboard", json={"text": text})
    assert got.status_code == 422
    assert "line 2 ('what is this')" in got.json()["message"]


def test_a_frame_is_recalled_and_its_pictures_are_served(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    shared_studio.generated(project_id)
    job = shared_studio.wait(
        shared_studio.post(f"/api/projects/{project_id}/recall", frame=20)["job"]
    )
    assert job["result"]["source"] == "memory"
    for name in ("recalled", "real"):
        got = shared_studio.client.get(job["result"][name])
        assert got.headers["content-type"] == "image/png"
    for frame, words in ((51, "outside of the cut. Expected 0 to 50"), (-1, "outside")):
        got = shared_studio.client.post(f"/api/projects/{project_id}/recall", json={"frame": frame})
        assert (got.status_code, words in got.json()["message"]) == (422, True)


def test_a_failed_job_says_why_and_can_be_tried_again(studio: Studio) -> None:
    project_id = studio.project("0:00 fail\n0:02 a red ball")
    jobs = studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
    failed, fine = (studio.wait(j) for j in jobs)
    assert failed["error"]["message"] == "It could not be rendered."
    assert fine["state"] == "done"
    (shown,) = studio.document(project_id)["jobs"]
    assert (shown["state"], shown["message"]) == ("failed", "It could not be rendered.")
    assert studio.post(f"/api/jobs/{jobs[0]}/retry")["state"] == "queued"
    assert studio.wait(jobs[0])["state"] == "failed"
    assert studio.client.post(f"/api/jobs/{jobs[1]}/retry", json={}).status_code == 422


def test_a_running_job_is_cancelled_between_steps_and_a_waiting_one_at_once(studio: Studio) -> None:
    studio.engine.steps = Semaphore(1)
    project_id = studio.project()
    running, waiting, _ = studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
    while studio.get(f"/api/jobs/{running}")["step"] != 1:
        pass
    assert studio.post(f"/api/jobs/{waiting}/cancel")["state"] == "cancelled"
    assert studio.post(f"/api/jobs/{running}/cancel")["state"] == "cancelling"
    studio.engine.steps.release(100)
    assert studio.wait(running)["state"] == "cancelled"
    document = studio.document(project_id)
    assert document["shots"][0]["take"] is None


def test_projects_are_listed_renamed_deleted_and_restored(studio: Studio) -> None:
    project_id = studio.project()
    studio.generated(project_id)
    (listed,) = studio.get("/api/projects")["projects"]
    assert (listed["shots"], listed["frames"], listed["damaged"]) == (3, 51, None)
    assert studio.client.get(listed["strip"]).headers["content-type"] == "image/jpeg"
    path = f"/api/projects/{project_id}"
    assert studio.client.patch(path, json={"name": "<b>Ünïcödé</b>"}).status_code == 200
    assert studio.get("/api/projects")["projects"][0]["name"] == "<b>Ünïcödé</b>"
    assert studio.client.request("DELETE", path, json={}).status_code == 200
    assert studio.get("/api/projects")["projects"] == []
    studio.post(f"{path}/restore")
    assert len(studio.get("/api/projects")["projects"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/projects/none", None, 404),
        ("GET", "/api/jobs/none", None, 404),
        ("GET", "/api/nothing", None, 404),
        ("POST", "/api/projects/none/edits", {"op": {"kind": "move"}}, 404),
        ("POST", "/api/projects", {"name": " "}, 422),
        ("POST", "/api/projects", {"name": "x" * 300}, 422),
        ("POST", "/api/projects", {"name": 7}, 422),
        ("POST", "/api/projects", {"name": "x", "more": 1}, 422),
        ("POST", "/api/projects", [], 422),
    ],
)  # fmt: skip
def test_every_refusal_is_a_message_in_plain_words(
    shared_studio: Studio, method: str, path: str, body: Any, status: int
) -> None:
    got = shared_studio.client.request(method, path, json=body)
    assert got.status_code == status, got.text
    assert set(got.json()) == {"message"}
    assert got.json()["message"].endswith(".")


def test_only_json_changes_anything(studio: Studio) -> None:
    form = studio.client.post("/api/projects", data={"name": "x"})
    assert form.status_code == 415
    plain = studio.client.post(
        "/api/projects", content='{"name":"x"}', headers={"content-type": "text/plain"}
    )
    assert plain.status_code == 415
    long = studio.client.post(
        "/api/projects", content=b" " * (5 << 20), headers={"content-type": "application/json"}
    )
    assert long.status_code == 413
    assert studio.get("/api/projects")["projects"] == []


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "</script>",
        "\u202eevil",
        "a" * 4000,
        "'; DROP TABLE shot; --",
        "🎬 שלום",
    ],
)
def test_any_text_is_carried_as_it_is(shared_studio: Studio, text: str) -> None:
    project_id = shared_studio.project("0:00 a red ball")
    shot = shared_studio.document(project_id)["shots"][0]["shot_id"]
    assert (
        edit(
            shared_studio, project_id, kind="set", shot_id=shot, fields={"prompt": text}
        ).status_code
        == 200
    )
    assert shared_studio.document(project_id)["shots"][0]["prompt"] == text


@pytest.mark.parametrize("text", ["\0", "a" * 4001, "\ud800"])
def test_text_that_cannot_be_stored_is_refused(shared_studio: Studio, text: str) -> None:
    project_id = shared_studio.project("0:00 a red ball")
    shot = shared_studio.document(project_id)["shots"][0]["shot_id"]
    body = json.dumps({"op": {"kind": "set", "shot_id": shot, "fields": {"prompt": text}}})
    got = shared_studio.client.post(
        f"/api/projects/{project_id}/edits",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert got.status_code == 422
    assert shared_studio.document(project_id)["shots"][0]["prompt"] == "a red ball"


def test_generating_a_second_time_updates_the_waiting_job(studio: Studio) -> None:
    studio.engine.steps = Semaphore(0)
    project_id = studio.project()
    first = studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
    while studio.get(f"/api/jobs/{first[0]}")["state"] != "running":
        pass
    ids = [s["shot_id"] for s in studio.document(project_id)["shots"]]
    again = studio.post(f"/api/projects/{project_id}/generate", shot_ids=ids[1:])["jobs"]
    assert again == first[1:]
    studio.engine.steps.release(1000)


def test_without_a_model_nothing_can_be_planned_and_that_is_said(settings: Settings) -> None:
    class Broken(FakeEngine):
        def start(self) -> None:
            raise CheckpointError("There is no config.json in /models/x. Expected a model folder.")

    missing = dataclasses.replace(settings, checkpoint=settings.data_folder / "no-model")
    with Library.open(settings.data_folder) as library:
        app = build_app(missing, library, Broken(library.blobs.root), has_page=False)
        headers = {"authorization": f"Bearer {settings.token}"}
        with TestClient(app, base_url=settings.url, headers=headers) as client:
            while client.get("/api/engine").json()["state"] != "failed":
                pass
            told = client.get("/api/engine").json()
            assert "no config.json" in told["message"]
            assert told["info"] is None
            got = client.post("/api/projects", json={"name": "x"})
            assert got.status_code == 503
            assert "no-model" in got.json()["message"]


def test_a_film_can_be_made_while_the_model_loads(settings: Settings) -> None:
    loaded = Event()

    class Slow(FakeEngine):
        def start(self) -> None:
            loaded.wait(30)
            super().start()

    with Library.open(settings.data_folder) as library:
        app = build_app(settings, library, Slow(library.blobs.root), has_page=False)
        headers = {"authorization": f"Bearer {settings.token}"}
        with TestClient(app, base_url=settings.url, headers=headers) as client:
            assert client.get("/api/engine").json()["state"] == "starting"
            project_id = client.post("/api/projects", json={"name": "x"}).json()["id"]
            board = {"text": "0:00 a red ball"}
            path = f"/api/projects/{project_id}"
            assert client.post(f"{path}/storyboard", json=board).status_code == 200
            assert client.post(f"{path}/generate", json={}).status_code == 200
            assert client.get(path).json()["jobs"][0]["state"] == "queued"
            loaded.set()
