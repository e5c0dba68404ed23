"""A studio in a process of its own, whose engine says the time of every step it takes.

Run by the benchmark as `python -m benchmarks.studio.serving --port N --data DIR`: the server must
not share an interpreter with what measures it.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import uvicorn

from benchmarks.studio.scene import LONG, NumberedEngine
from engine.protocol import FromEngine, Progress
from engine.specs import Spec
from storage.database import Library
from studio.server import build_app
from studio.settings import Settings
from tests.engine.facts import INFO

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "benchmark"
STEP_SECONDS = 0.25
_START_SECONDS = 300


class TellingEngine(NumberedEngine):
    """Prints when it hands each step over, as one line of JSON."""

    def submit(self, job_id: str, spec: Spec) -> Iterator[FromEngine]:
        """Run a job as the fake engine does."""
        for message in super().submit(job_id, spec):
            if isinstance(message, Progress):
                said = {"step": message.step, "job": job_id, "at": time.time() * 1000}
                print(json.dumps(said), flush=True)
            yield message


@dataclass(kw_only=True)
class Server:
    """A running studio and what its engine has said."""

    url: str
    port: int
    steps: dict[tuple[str, int], float] = field(default_factory=dict)
    """Wall time in milliseconds of each step, by job and step."""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a JSON request and return the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def listen(self, lines: IO[str]) -> None:
        """Note the steps that the engine prints, until it ends."""
        for line in lines:
            if line.startswith("{"):
                said = json.loads(line)
                self.steps[said["job"], said["step"]] = said["at"]


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """Run the studio on a library that nobody else has open."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.studio.serving"]
    command += ["--port", str(port), "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not re.match("ready", line):
            raise RuntimeError(f"The server did not start; it said {line!r}.")
        server = Server(url=f"http://127.0.0.1:{port}", port=port)
        threading.Thread(target=server.listen, args=(process.stdout,), daemon=True).start()
        try:
            yield server
        finally:
            process.terminate()
            process.wait(20)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    settings = Settings(data_folder=given.data.absolute(), port=given.port, token=TOKEN)
    info = replace(INFO, width=LONG.width, height=LONG.height, max_frames=81)
    with Library.open(settings.data_folder, address=settings.url) as library:
        engine = TellingEngine(library.blobs.root, info=info, step_seconds=STEP_SECONDS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what gradio warns of at its import is not ours
            app = build_app(settings, library, engine)
        config = uvicorn.Config(app, host="127.0.0.1", port=given.port, log_level="error")
        server = uvicorn.Server(config)

        def tell() -> None:
            until = time.monotonic() + _START_SECONDS
            while not server.started and time.monotonic() < until:
                time.sleep(0.02)
            print("ready", flush=True)

        threading.Thread(target=tell, daemon=True).start()
        server.run()


if __name__ == "__main__":
    main()
