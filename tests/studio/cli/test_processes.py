"""The studio as a process: it starts without torch, and a kill in mid-shot loses nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.patience import patience_ends

TOKEN = "test-token"


def test_the_server_and_the_command_line_never_load_torch() -> None:
    code = (
        "import sys, studio.cli.main, studio.server, studio.media.export, studio.media.ingest\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'gradio', 'moviepy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr


def test_app_py_tells_every_library_to_stay_quiet() -> None:
    names = "'GRADIO_ANALYTICS_ENABLED', 'HF_HUB_OFFLINE'"
    code = f"import app, os; print(*(os.environ[name] for name in ({names})))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert ended.stdout.split() == ["False", "1"]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A studio in a process of its own."""

    def __init__(self, data: Path, port: int, *, step_seconds: float) -> None:
        command = [
            sys.executable, "-m", "tests.fake_studio", "--port", str(port), "--data", str(data),
            "--no-page", "--token", TOKEN, "--step-seconds", str(step_seconds),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {TOKEN}"}
        )
        deadline = patience_ends(90)
        while time.monotonic() < deadline:
            try:
                if self.client.get("/api/engine").json()["state"] == "ready":
                    return
            except httpx.TransportError:
                assert self.process.poll() is None, "the server ended"
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    def end(self, how: int) -> int:
        self.client.close()
        self.process.send_signal(how)
        return self.process.wait(20)

    def until(self, project_id: str, is_so: Any) -> Any:
        deadline = patience_ends(90)
        while time.monotonic() < deadline:
            document = self.client.get(f"/api/projects/{project_id}").json()
            if is_so(document):
                return document
            time.sleep(0.05)
        raise AssertionError(json.dumps(document["jobs"]))


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_studio_that_ends_in_mid_shot_finishes_the_film_at_its_next_start(
    servers: list[Server], data_folder: Path, port: int, how: int
) -> None:
    servers.append(Server(data_folder, port, step_seconds=0.2))
    first = servers[-1]
    project_id = first.client.post("/api/projects", json={"name": "Film"}).json()["id"]
    board = {"text": "0:00 a red ball\n0:02 a blue ball\n0:04 a red box"}
    first.client.post(f"/api/projects/{project_id}/storyboard", json=board)
    first.client.post(f"/api/projects/{project_id}/generate", json={"shot_ids": None})
    first.until(project_id, lambda d: d["shots"][0]["take"] and d["jobs"][0]["step"] >= 1)
    first.end(how)
    servers.append(Server(data_folder, port, step_seconds=0))
    document = servers[-1].until(project_id, lambda d: not d["jobs"])
    takes = [s["take"] for s in document["shots"]]
    assert [t["number"] for t in takes] == [1, 1, 1]
    assert [t["memory_tokens"] for t in takes] == [0, 30, 60]
    assert servers[-1].end(signal.SIGTERM) in (0, -signal.SIGTERM)


def test_a_killed_render_leaves_no_half_film_and_the_library_opens(
    data_folder: Path, tmp_path: Path
) -> None:
    board, out = tmp_path / "b.txt", tmp_path / "film.mp4"
    board.write_text("0:00 a red ball\n0:02 a blue ball")
    command = [sys.executable, "-m", "tests.fake_cli", "--data", str(data_folder)]
    slow = {**os.environ, "MNEMOREEL_FAKE_STEP_SECONDS": "0.15"}
    process = subprocess.Popen(
        [*command, "render", str(board), "--out", str(out)],
        env=slow,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Shot 2" in line:
            break
    process.kill()
    process.wait()
    process.stderr.close()
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["b.txt"]
    ended = subprocess.run(
        [*command, "projects", "--json"], capture_output=True, text=True, timeout=120
    )
    (project,) = json.loads(ended.stdout)["projects"]
    assert project["shots"] == 2
