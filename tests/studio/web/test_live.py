"""The push: what happens reaches every open page in order; a page that returns misses nothing."""

from __future__ import annotations

from threading import Semaphore
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from studio.web import live
from tests.conftest import Studio


def connect(studio: Studio, project_id: str, since: int) -> Any:
    url = f"ws://127.0.0.1:7860/api/projects/{project_id}/live?since={since}"
    return studio.client.websocket_connect(url, headers=dict(studio.client.headers))


def until(socket: WebSocketTestSession, kind: str, **fields: Any) -> Any:
    for _ in range(200):
        message = socket.receive_json()
        if message["kind"] == kind and all(message.get(k) == v for k, v in fields.items()):
            return message
    raise AssertionError(f"No message {kind} {fields}")


def test_a_page_is_greeted_with_where_the_project_stands(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    document = shared_studio.document(project_id)
    with connect(shared_studio, project_id, document["seq"]) as socket:
        hello = socket.receive_json()
    assert hello == {"kind": "hello", "boot": document["boot"], "rev": 1, "seq": document["seq"]}


def test_an_edit_in_one_page_is_told_to_the_others(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    document = shared_studio.document(project_id)
    with (
        connect(shared_studio, project_id, document["seq"]) as one,
        connect(shared_studio, project_id, 0) as two,
    ):
        op = {"kind": "insert", "before": None, "prompt": "x"}
        shared_studio.post(f"/api/projects/{project_id}/edits", op=op)
        for socket in (one, two):
            told = until(socket, "op", rev=2)
            assert told["label"] == "Add Shot 4"
            assert told["seq"] > document["seq"]


def test_a_page_that_returns_hears_what_it_missed_in_order(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    seq = shared_studio.document(project_id)["seq"]
    for _ in range(3):
        shared_studio.post(f"/api/projects/{project_id}/undo")
        shared_studio.post(f"/api/projects/{project_id}/redo")
    with connect(shared_studio, project_id, seq) as socket:
        assert socket.receive_json()["kind"] == "hello"
        told = [socket.receive_json() for _ in range(6)]
    assert [t["rev"] for t in told] == [2, 3, 4, 5, 6, 7]
    assert [t["seq"] for t in told] == sorted(t["seq"] for t in told)


def test_a_generation_is_told_step_by_step_with_pictures(studio: Studio) -> None:
    project_id = studio.project("0:00 a red ball")
    studio.engine.steps = Semaphore(0)
    seq = studio.document(project_id)["seq"]
    with connect(studio, project_id, seq) as socket:
        (job,) = studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
        studio.engine.steps.release(1)
        shown = until(socket, "preview")
        assert shown["jpeg"].startswith("data:image/jpeg;base64,")
        assert (shown["job"], shown["step"]) == (job, 1)
        (row,) = studio.document(project_id)["jobs"]
        assert (row["state"], row["step"], row["num_steps"]) == ("running", 1, 4)
        studio.engine.steps.release(100)
        progress = until(socket, "progress")
        assert progress["jobs"][0]["phase"] == "denoising"
        assert until(socket, "op")["label"] == "Generate Shot 1"
        assert until(socket, "event", what="job_done")["label"] == "A take is ready"


def test_the_engine_and_failures_are_told(shared_studio: Studio) -> None:
    project_id = shared_studio.project("0:00 fail")
    with connect(shared_studio, project_id, 0) as socket:
        (job,) = shared_studio.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]
        while True:
            (row,) = until(socket, "progress")["jobs"]
            if row["state"] == "failed":
                break
        assert (row["id"], row["message"]) == (job, "It could not be rendered.")


def test_an_unknown_project_closes_the_connection(shared_studio: Studio) -> None:
    with connect(shared_studio, "none", 0) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 4404


def test_a_quiet_connection_is_pinged(
    shared_studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PING_SECONDS", 0.05)
    project_id = shared_studio.project()
    with connect(shared_studio, project_id, shared_studio.document(project_id)["seq"]) as socket:
        assert socket.receive_json()["kind"] == "hello"
        assert socket.receive_json() == {"kind": "ping"}


def test_a_page_that_does_not_read_is_told_to_come_back(
    shared_studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUEUE_LENGTH", 3)
    hub = shared_studio.app.state.hub
    with hub.listen("p") as queue:
        for number in range(5):
            hub._deliver("p", {"kind": "x", "number": number})
        rest = [queue.get_nowait() for _ in range(queue.qsize())]
    assert None in rest
    assert len(rest) <= 3
