"""What the first film costs: server start, model load, seconds per shot, tokens, bytes.

Run as `python -m benchmarks.first_film --out docs/measurements/first-film.md`. It opens the studio
on a fresh data folder, makes the sample film over the API three times, and writes medians.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
STORYBOARD = ROOT / "assets" / "storyboards" / "mia-travels.txt"


@dataclass
class Run:
    """What one film on a fresh data folder measured."""

    server_seconds: float = 0.0
    ready_seconds: float = 0.0
    film_seconds: float = 0.0
    shots: list[dict[str, Any]] = field(default_factory=list)
    database_bytes: int = 0
    blob_bytes: int = 0


def measure(data: Path) -> Run:
    """Open the studio, make one film, and return what it cost."""
    run = Run()
    start = time.perf_counter()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "app.py", "--port", port, "--no-browser", "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = None
            while found is None:
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError("The studio ended before it said its address.")
                found = re.search(r"(http://\S+)/\?token=(\S+)", line)
            run.server_seconds = time.perf_counter() - start
            headers = {"Authorization": f"Bearer {found[2]}"}
            with httpx.Client(base_url=found[1], headers=headers, timeout=60) as client:
                _film(client, run, start)
        finally:
            process.terminate()
            process.wait()
    run.database_bytes = sum(p.stat().st_size for p in data.glob("*.sqlite*"))
    run.database_bytes = run.database_bytes or sum(p.stat().st_size for p in data.glob("*.db*"))
    run.blob_bytes = sum(p.stat().st_size for p in (data / "blobs").rglob("*") if p.is_file())
    return run


def _film(client: httpx.Client, run: Run, start: float) -> None:
    while client.get("/api/engine").json()["state"] != "ready":
        time.sleep(0.02)
    run.ready_seconds = time.perf_counter() - start
    project = client.post("/api/projects", json={"name": "Measured"}).json()["id"]
    path = f"/api/projects/{project}"
    rev = client.get(path).json()["rev"]
    body = {"text": STORYBOARD.read_text("utf-8"), "mode": "append", "base_rev": rev}
    client.post(f"{path}/storyboard", json=body).raise_for_status()
    began = time.perf_counter()
    client.post(f"{path}/generate", json={"shot_ids": None, "new_seed": False}).raise_for_status()
    while True:
        document = client.get(path).json()
        if not document["jobs"] and all(shot["take"] for shot in document["shots"]):
            break
        time.sleep(0.02)
    run.film_seconds = time.perf_counter() - began
    run.shots = [shot["take"] for shot in document["shots"]]


def table(runs: list[Run]) -> str:
    """Return the page: medians over runs, one row per figure."""

    def median(pick: Any) -> float:
        return float(statistics.median(pick(run) for run in runs))

    shots = len(runs[0].shots)
    rows = [
        ("server start to its address", f"{median(lambda r: r.server_seconds):.2f} s"),
        ("server start to a loaded model", f"{median(lambda r: r.ready_seconds):.2f} s"),
        (f"film of {shots} shots", f"{median(lambda r: r.film_seconds):.2f} s"),
        ("database", f"{median(lambda r: r.database_bytes) / shots / 1024:.0f} KiB a shot"),
        ("blobs", f"{median(lambda r: r.blob_bytes) / shots / 1024:.0f} KiB a shot"),
    ]
    lines = ["| figure | median |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    lines += ["", "| shot | memory tokens read | seconds | step | first preview | decoding |"]
    lines += ["|---|---|---|---|---|---|"]
    for index in range(shots):
        tokens = runs[0].shots[index]["memory_tokens"]
        seconds = {
            name: median(lambda r, i=index, n=name: r.shots[i]["seconds"][n])
            for name in ("total", "step", "first_preview", "decoding")
        }
        lines.append(
            f"| {index + 1} | {tokens} | {seconds['total']:.2f} | {seconds['step']:.3f} | "
            f"{seconds['first_preview']:.2f} | {seconds['decoding']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="Markdown file to write; default: print only")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    runs = []
    for index in range(arguments.runs):
        with tempfile.TemporaryDirectory(prefix="mnemoreel-") as folder:
            runs.append(measure(Path(folder)))
            print(f"run {index + 1}: film in {runs[-1].film_seconds:.1f} s", flush=True)
    page = "\n".join(
        (
            "# The first film",
            "",
            f"`python -m benchmarks.first_film --runs {arguments.runs}` on {time.strftime('%F')}, "
            f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}. "
            f"{STORYBOARD.name}: 17 frames of 160 x 96 a shot, seeds as the studio chose them. "
            "Medians over the runs; wall time.",
            "",
            table(runs),
            "",
        )
    )
    print(page)
    if arguments.out:
        arguments.out.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
