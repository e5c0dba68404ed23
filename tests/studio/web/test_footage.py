"""Footage comes in over the API and becomes shots; films go out."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from engine.specs import EncodeSpec
from studio.supervisor.media_loop import piece_lengths
from tests.conftest import Studio
from tests.engine.facts import INFO
from tests.patience import patience_ends
from tests.studio.media import made


def upload(studio: Studio, project_id: str, path: Path, name: str = "") -> Any:
    url = f"/api/projects/{project_id}/footage"
    return studio.client.post(url, params={"name": name or path.name}, content=path.read_bytes())


def test_footage_becomes_shots_of_the_cut_and_entries_of_its_memory(
    studio: Studio, tmp_path: Path
) -> None:
    project_id = studio.project("0:00 a red ball")
    clip = made.take(tmp_path / "hike <b>.mp4", range(70))
    read = studio.wait(upload(studio, project_id, clip).json()["job"])
    assert read["result"]["num_frames"] == 70
    assert studio.wait(read["result"]["encode_job"])["state"] == "done"
    document = studio.document(project_id)
    assert document["label"] == "Import hike <b>.mp4 (3 shots)"
    footage = document["shots"][1:]
    assert [s["take"]["num_frames"] for s in footage] == [33, 33, 4]
    assert [s["title"] for s in footage] == ["hike <b> 1", "hike <b> 2", "hike <b> 3"]
    assert all(s["take"]["kind"] == "footage" for s in footage)
    assert document["memory"]["tokens"] == (5 + 5 + 2) * 10  # steps of 8 frames, rows x columns
    (spec,) = [s for s in studio.engine.submitted if isinstance(s, EncodeSpec)]
    assert sum(spec.lengths) == 70
    first = studio.session.library.blobs.path(_digest(footage[1]["take"]["media"]))
    assert [made.number_of(f) for f in made.read(first)] == list(range(33, 66))


def _digest(address: str) -> str:
    return Path(address).stem


@pytest.mark.parametrize("num_frames", [1, 5, 32, 33, 34, 65, 66, 400])
def test_pieces_hold_every_frame_and_are_whole_for_the_memory(num_frames: int) -> None:
    lengths = piece_lengths(num_frames, INFO)
    assert sum(lengths) == num_frames
    assert all(n == 33 for n in lengths[:-1])
    assert 1 <= lengths[-1] <= 33


def test_what_is_no_video_fails_with_words_and_changes_nothing(
    shared_studio: Studio, tmp_path: Path
) -> None:
    project_id = shared_studio.project()
    path = tmp_path / "notes.mp4"
    path.write_text("dear diary")
    job = shared_studio.wait(upload(shared_studio, project_id, path).json()["job"])
    assert job["state"] == "failed"
    assert "notes.mp4 cannot be read as a video" in job["error"]["message"]
    assert len(shared_studio.document(project_id)["shots"]) == 3
    empty = tmp_path / "empty.mp4"
    empty.touch()
    got = upload(shared_studio, project_id, empty)
    assert (got.status_code, "empty file" in got.json()["message"]) == (422, True)
    assert upload(shared_studio, "none", path).status_code == 404


def test_an_upload_above_the_limit_is_refused_before_and_while_it_streams(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    small = dataclasses.replace(studio.session.settings, max_upload_mib=1)
    monkeypatch.setattr(studio.session, "settings", small)
    project_id = studio.project()
    url = f"/api/projects/{project_id}/footage?name=x.mp4"
    assert studio.client.post(url, content=b"x" * (2 << 20)).status_code == 413
    pieces = (b"x" * 65536 for _ in range(40))
    got = studio.client.post(url, content=pieces)
    assert (got.status_code, "Expected at most" in got.json()["message"]) == (413, True)


def test_an_upload_that_does_not_fit_the_disk_is_refused_at_once(
    shared_studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=10 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    project_id = shared_studio.project()
    got = shared_studio.client.post(f"/api/projects/{project_id}/footage?name=x.mp4", content=b"x")
    assert got.status_code == 503
    assert "10 MB are free" in got.json()["message"]


def test_the_film_has_every_frame_of_the_cut_and_a_card(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    document = shared_studio.generated(project_id)
    shot = document["shots"][1]["shot_id"]
    op = {"kind": "trim", "shot_id": shot, "in": 2, "out": 9}
    shared_studio.post(f"/api/projects/{project_id}/edits", op=op)
    muted = {"kind": "set", "shot_id": document["shots"][2]["shot_id"], "fields": {"muted": True}}
    shared_studio.post(f"/api/projects/{project_id}/edits", op=muted)
    job = shared_studio.wait(
        shared_studio.post(f"/api/projects/{project_id}/export", title_card="Hi")["job"]
    )
    assert job["result"]["num_frames"] == 16 + 17 + 7
    assert job["result"]["name"] == "Film.mp4"
    film = shared_studio.session.library.blobs.path(_digest(job["result"]["media"]))
    assert len(made.read(film)) == 40
    assert shared_studio.client.get(job["result"]["media"]).status_code == 200
    scratch = shared_studio.session.settings.scratch_folder
    deadline = patience_ends(10)
    while list(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)  # the folder goes right after the job is committed
    assert list(scratch.iterdir()) == []


def test_an_export_names_the_shots_that_have_no_take(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    got = shared_studio.client.post(f"/api/projects/{project_id}/export", json={})
    assert got.status_code == 422
    assert "Shots 1, 2, 3 without a take" in got.json()["message"]
