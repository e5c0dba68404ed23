"""A film on a disk that fills up: clear words, no hanging, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STORYBOARD = "\n".join(f"00:00:{2 * n:02}:00 Mia waves in the park" for n in range(5))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(folder)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("A small disk cannot be mounted here: it needs root on Linux.")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def app(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", *arguments, "--json"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def test_a_full_disk_ends_the_film_in_words_and_keeps_the_finished_shots(
    small_disk: Path, tmp_path: Path
) -> None:
    storyboard, out = tmp_path / "film.txt", tmp_path / "film.mp4"
    storyboard.write_text(STORYBOARD)
    data = str(small_disk / "data")
    done = app("render", str(storyboard), "--out", str(out), "--data", data)
    assert done.returncode == 1, done.stderr
    message = json.loads(done.stdout)["error"]["message"]
    assert "is full" in message
    assert "finished shots are kept" in message
    assert "Traceback" not in done.stderr
    assert not out.exists()
    grow = ["mount", "-o", "remount,size=16m", str(small_disk)]
    subprocess.run(grow, check=True)
    report = json.loads(app("check", "--all", "--read-data", "--data", data).stdout)
    assert report["problems"] == []
    assert report["counts"]["takes"] >= 1
