"""What tests share: a studio with the fake engine, served in this process."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck
from starlette.testclient import TestClient

from storage.database import Library
from studio.server import build_app
from studio.session import Session
from studio.settings import Settings
from tests.fake_engine import FakeEngine
from tests.patience import patience_ends

# Laws are about results, not about how busy the machine is.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    max_examples=60,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")

OVER = frozenset({"done", "failed", "cancelled"})
STORYBOARD = "0:00 a red ball\n0:02 a blue ball\n0:04 a red box"


@dataclass(kw_only=True)
class Studio:
    """A running studio, as a page or a command line would talk to it."""

    client: TestClient
    app: FastAPI
    session: Session
    engine: FakeEngine

    def get(self, path: str) -> Any:
        """Return the JSON of an address that must answer."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        """Return the JSON answer of a request that must be accepted."""
        answer = self.client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def project(self, storyboard: str = STORYBOARD) -> str:
        """Return a new project with the shots of a storyboard."""
        project_id: str = self.post("/api/projects", name="Film")["id"]
        self.post(f"/api/projects/{project_id}/storyboard", text=storyboard, base_rev=0)
        return project_id

    def document(self, project_id: str) -> Any:
        """Return a project's document."""
        return self.get(f"/api/projects/{project_id}")

    def wait(self, job_id: str, seconds: float = 20) -> Any:
        """Return a job once it is over."""
        deadline = patience_ends(seconds)
        while time.monotonic() < deadline:
            job = self.get(f"/api/jobs/{job_id}")
            if job["state"] in OVER:
                return job
            time.sleep(0.01)
        raise AssertionError(f"Job {job_id} is still {job['state']} after {seconds} s.")

    def generated(self, project_id: str) -> Any:
        """Generate what has no take yet and return the document after that."""
        for job_id in self.post(f"/api/projects/{project_id}/generate", shot_ids=None)["jobs"]:
            assert self.wait(job_id)["state"] == "done"
        return self.document(project_id)


@contextlib.contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder in memory where there is one: tests of the page's ways need no real fsync."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place, prefix="mnemoreel-test-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def running_studio(settings: Settings) -> Iterator[Studio]:
    """A studio with the fake engine and without the page."""
    with Library.open(settings.data_folder) as library:
        engine = FakeEngine(library.blobs.root)
        app = build_app(settings, library, engine, has_page=False)
        headers = {"authorization": f"Bearer {settings.token}"}
        with TestClient(app, base_url=settings.url, headers=headers) as client:
            made = Studio(client=client, app=app, session=app.state.session, engine=engine)
            while made.get("/api/engine")["state"] != "ready":
                time.sleep(0.01)
            yield made


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A data folder that nothing was written to yet."""
    with folder_in_memory() as folder:
        yield folder / "data"


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    """Settings of a launch with a folder of its own."""
    return Settings(data_folder=data_folder, port=7860)


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    """A studio of the test's own."""
    with running_studio(settings) as made:
        yield made


@pytest.fixture(scope="module")
def shared_studio() -> Iterator[Studio]:
    """A studio for many small questions: make a project of your own, leave the engine alone."""
    with folder_in_memory() as folder:
        settings = Settings(data_folder=folder / "data", port=7860)
        with running_studio(settings) as made:
            yield made
