"""A whole film with the real engine and the shipped model: headless, and through two murders."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import httpx
import psutil
import pytest
import torch
from diffusers import WanPipeline

from engine.context import FrameRef, MemoryState
from engine.device.probe import choose_device
from engine.recipes import embedded, load_model
from engine.render import shot_latents
from engine.retrieve import recall_frame
from engine.train.world.draw import draw_shot
from engine.train.world.story import tell
from engine.video import vae as video_vae
from engine.video.picture import psnr
from studio.settings import EMBEDDED_CHECKPOINT
from tests.patience import patience_ends

ROOT = Path(__file__).resolve().parents[1]
STORYBOARD = """\
00:00:00:00 Ivy jumps in the snow, wide shot. Ivy wears a blue dotted shirt, pink trousers and \
a yellow crown, and has tan skin and short ginger hair.
00:00:02:00 Ivy waves on the beach, close shot.
00:00:04:00 At night, Ivy stands. Medium shot, the camera pans right.
00:00:06:00 Ivy walks right in the room, wide shot.
00:00:08:00 Ivy dances in the snow, medium shot.
"""


def app(*arguments: str, check: bool = True) -> Any:
    """Run `python app.py ... --json` and return its one JSON object."""
    done = subprocess.run(
        [sys.executable, "app.py", *arguments, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.fixture(scope="module")
def storyboard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("story") / "film.txt"
    path.write_text(STORYBOARD)
    return path


@pytest.fixture(scope="module")
def film(storyboard: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("film")
    out = folder / "film.mp4"
    said = app("render", str(storyboard), "--out", str(out), "--data", str(folder / "data"))
    return {**said, "data": str(folder / "data"), "file": out}


def test_a_storyboard_becomes_a_film_of_exactly_the_planned_frames(film: dict[str, Any]) -> None:
    assert (film["shots"], film["frames"]) == (5, 85)
    assert film["memory_tokens"] == [0, 45, 90, 135, 180]
    assert count_frames(film["file"]) == 85
    assert app("check", "--all", "--read-data", "--data", film["data"])["problems"] == []


def test_a_frame_is_recalled_from_memory_with_all_latents_removed(
    film: dict[str, Any], tmp_path: Path
) -> None:
    arguments = ["recall", film["project"], "--at", "00:00:02:05", "--data", film["data"]]
    before = app(*arguments, "--out", str(tmp_path / "before.png"))
    removed = 0
    for blob in (Path(film["data"]) / "blobs").rglob("*"):
        if blob.is_file() and blob.read_bytes()[8:400].find(b'"latents"') >= 0:
            blob.unlink()
            removed += 1
    assert removed == 5
    after = app(*arguments, "--out", str(tmp_path / "after.png"))
    assert before["source"] == after["source"] == "memory"
    assert after["tokens"] == 225
    assert after["psnr"] == pytest.approx(before["psnr"])
    assert (tmp_path / "after.png").read_bytes() == (tmp_path / "before.png").read_bytes()


def test_the_shipped_model_remembers_better_than_it_guesses() -> None:
    model = load_model(embedded(), choose_device(threads=1))
    memory = model.memories["frame_preservation"]
    clips = [torch.from_numpy(draw_shot(shot).frames_FHW3) for shot in tell(1_000_003).shots[:4]]
    state: MemoryState = ()
    for index, clip in enumerate(clips):
        with model.device.autocast():
            latents = video_vae.encode(model.parts.vae, clip)
        shot = shot_latents(model, memory, latents, clip, digest=str(index))
        state = (*state, memory.remember(state, shot))
    right, wrong = [], []
    for index, clip in enumerate(clips):
        frame = FrameRef(entry_index=index, frame=9)
        recalled = recall_frame(model, "frame_preservation", state, frame).frame_1HW3
        assert recalled is not None
        right.append(psnr(recalled, clip[9:10]))
        wrong.append(psnr(recalled, clips[index - 1][9:10]))
    assert sum(right) / len(right) > sum(wrong) / len(wrong) + 4


class Studio:
    """The real studio as a process, talked to over HTTP."""

    def __init__(self, process: subprocess.Popen[str], url: str, token: str) -> None:
        self.process = process
        self.client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def wait(self, path: str, is_so: Any, seconds: float = 60) -> Any:
        deadline = patience_ends(seconds)
        while time.monotonic() < deadline:
            document = self.get(path)
            if is_so(document):
                return document
            time.sleep(0.02)
        raise AssertionError(f"{path} did not get there: {json.dumps(document)[:2000]}")

    def engine_pid(self) -> int:
        """Return the pid of the engine: the child that has torch in memory."""
        children = psutil.Process(self.process.pid).children()
        return int(max(children, key=lambda child: child.memory_info().rss).pid)


@contextmanager
def open_studio(data: Path) -> Iterator[Studio]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--port", str(port), "--no-browser", "--data", str(data)]
    with subprocess.Popen(
        [sys.executable, "app.py", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = None
        while found is None:
            line = process.stdout.readline()
            assert line, "The studio ended before it said its address."
            found = re.search(r"(http://\S+)/\?token=(\S+)", line)
        studio = Studio(process, found[1], found[2])
        try:
            studio.wait("/api/engine", lambda engine: engine["state"] == "ready")
            yield studio
        finally:
            studio.client.close()
            process.kill()


def takes(document: Any) -> int:
    return sum(shot["take"] is not None for shot in document["shots"])


def is_denoising(document: Any) -> bool:
    return any(job.get("phase") == "denoising" for job in document["jobs"])


def test_killing_the_engine_and_the_server_in_a_shot_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with open_studio(data) as studio:
        project = studio.post("/api/projects", name="Two murders")["id"]
        path = f"/api/projects/{project}"
        rev = studio.get(path)["rev"]
        studio.post(f"{path}/storyboard", text=STORYBOARD, mode="append", base_rev=rev)
        studio.post(f"{path}/generate", shot_ids=None, new_seed=False)
        studio.wait(path, is_denoising)
        os.kill(studio.engine_pid(), signal.SIGKILL)
        studio.wait(path, lambda d: takes(d) >= 2)
        document = studio.wait(path, is_denoising)
        kept = [shot["take"]["take_id"] for shot in document["shots"] if shot["take"]]
        os.kill(studio.process.pid, signal.SIGKILL)
        studio.process.wait()
    with open_studio(data) as studio:
        done = studio.wait(path, lambda d: takes(d) == 5 and not d["jobs"])
        assert [s["take"]["take_id"] for s in done["shots"]][: len(kept)] == kept
        assert all(shot["num_takes"] == 1 for shot in done["shots"])
    assert app("check", "--all", "--read-data", "--data", str(data))["problems"] == []


@pytest.mark.skipif(
    "MNEMOREEL_TEST_CLIPS" not in os.environ,
    reason="MNEMOREEL_TEST_CLIPS names the folder with the three real clips",
)
def test_real_footage_is_imported_remembered_and_continued(tmp_path: Path) -> None:
    clip = Path(os.environ["MNEMOREEL_TEST_CLIPS"]) / "bottle-detection.mp4"
    data = str(tmp_path / "data")
    first = tmp_path / "first.txt"
    first.write_text("00:00:00:00 Bob waves in the room.\n")
    said = app("render", str(first), "--out", str(tmp_path / "a.mp4"), "--data", data)
    imported = app("import", said["project"], str(clip), "--data", data)
    assert imported["frames"] >= 300
    recalled = app(
        "recall", said["project"], "--at", "00:00:10:00", "--out", str(tmp_path / "frame.png"),
        "--data", data,
    )  # fmt: skip
    assert recalled["source"] == "memory"
    assert recalled["psnr"] > 8


def test_the_stock_pipeline_loads_and_runs_the_shipped_folder() -> None:
    pipeline = WanPipeline.from_pretrained(EMBEDDED_CHECKPOINT, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    frames = pipeline(
        prompt="Mia waves in the park.",
        height=96,
        width=160,
        num_frames=9,
        num_inference_steps=2,
        guidance_scale=1.0,
        max_sequence_length=64,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    ).frames
    assert frames.shape == (1, 9, 96, 160, 3)
    assert frames.std() > 0.05


ANOTHER_RATE = "frame_preservation_"


def test_the_shipped_weights_stay_within_their_size() -> None:
    sizes = {path: path.stat().st_size for path in EMBEDDED_CHECKPOINT.rglob("*") if path.is_file()}
    extra = sum(size for path, size in sizes.items() if path.parent.name.startswith(ANOTHER_RATE))
    assert 0 < extra <= 3 * 2**20
    assert sum(sizes.values()) - extra <= 28 * 2**20
