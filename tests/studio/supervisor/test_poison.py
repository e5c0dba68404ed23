"""Jobs that kill the engine, by the real executor and queue: three times, then set aside."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from engine.client import Limits, LocalExecutor
from storage.database import Library
from studio.server import build_app
from studio.settings import Settings
from tests.patience import patience_ends

WORKER = "tests.engine.fake_worker:main"
LIMITS = Limits(silence=10.0, cancel_grace=1.0, close_grace=2.0, first_backoff=0.01, memory_mib=300)


@contextmanager
def served(settings: Settings) -> Iterator[TestClient]:
    with Library.open(settings.data_folder) as library:
        executor = LocalExecutor({}, worker=WORKER, limits=LIMITS)
        app = build_app(settings, library, executor, has_page=False)
        headers = {"authorization": f"Bearer {settings.token}"}
        with TestClient(app, base_url=settings.url, headers=headers) as client:
            yield client


def over(client: TestClient, job_id: str) -> dict[str, object]:
    deadline = patience_ends(120)
    while time.monotonic() < deadline:
        job: dict[str, object] = client.get(f"/api/jobs/{job_id}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"Job {job_id} is not over.")


@pytest.mark.parametrize(
    ("kind", "words"),
    [("137", "memory ran out"), ("segfault", "native code"), ("allocate", "more than the 300 MiB")],
)
def test_a_poisonous_job_is_set_aside_after_three_crashes_and_the_queue_goes_on(
    settings: Settings, kind: str, words: str
) -> None:
    with served(settings) as client:
        project_id = client.post("/api/projects", json={"name": "Film"}).json()["id"]
        text = f"0:00 {kind}\n0:02 fail"
        client.post(f"/api/projects/{project_id}/storyboard", json={"text": text, "base_rev": 0})
        asked = client.post(f"/api/projects/{project_id}/generate", json={"shot_ids": None})
        poison, healthy = asked.json()["jobs"]
        told = over(client, poison)
        assert (told["state"], told["attempts"]) == ("failed", 3)
        message = str(told["message"])
        assert words in message
        assert "3 times" in message
        assert over(client, healthy)["message"] == "It could not be read."
        reports = sorted((settings.data_folder / "crashes").glob("*.json"))
    assert [json.loads(r.read_text())["job"]["attempt"] for r in reports] == [1, 2, 3]
