"""The library over the API: films as files, backups that fail, what is damaged."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from storage import collect as collecting
from storage.database import Library
from studio.session import Running
from studio.settings import Settings
from studio.supervisor import upkeep
from studio.supervisor.upkeep import Upkeep
from tests.conftest import Studio, running_studio
from tests.patience import patience_ends


def save(studio: Studio, project_id: str) -> bytes:
    answer = studio.client.get(f"/api/projects/{project_id}/bundle")
    assert answer.status_code == 200, answer.text
    assert "Film.mnemoreel" in answer.headers["content-disposition"]
    return answer.content


def send(studio: Studio, data: bytes) -> Any:
    return studio.client.post("/api/bundles", content=data)


def test_a_film_is_saved_as_a_file_and_opened_beside_itself(studio: Studio) -> None:
    project_id = studio.project()
    before = studio.generated(project_id)
    data = save(studio, project_id)
    assert list(studio.session.settings.scratch_folder.glob("*.mnemoreel")) == []
    answer = send(studio, data)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["is_copy"] and told["name"] == "Film (imported)"
    after = studio.document(told["project_id"])
    assert [s["prompt"] for s in after["shots"]] == [s["prompt"] for s in before["shots"]]
    assert [s["take"]["media"] for s in after["shots"]] == [
        s["take"]["media"] for s in before["shots"]
    ]
    assert not any(s["stale"] for s in after["shots"])
    assert studio.post(f"/api/projects/{told['project_id']}/undo")["label"]


def test_a_film_opens_in_another_library(studio: Studio, tmp_path: Path) -> None:
    project_id = studio.project()
    data = save(studio, project_id)
    with running_studio(Settings(data_folder=tmp_path / "other", port=7860)) as other:
        assert send(other, data).json()["project_id"] == project_id
        assert save(other, project_id) == data


def test_a_file_that_is_no_film_is_refused_in_words(shared_studio: Studio) -> None:
    count = len(shared_studio.get("/api/projects")["projects"])
    answer = send(shared_studio, b"not a bundle")
    assert answer.status_code == 422
    assert "no bundle" in answer.json()["message"]
    assert len(shared_studio.get("/api/projects")["projects"]) == count


def test_a_project_that_is_not_there_cannot_be_saved(shared_studio: Studio) -> None:
    assert shared_studio.client.get("/api/projects/none/bundle").status_code == 404


def test_a_sound_library_says_nothing(shared_studio: Studio) -> None:
    told = shared_studio.get("/api/library")
    assert told["problems"] == []
    assert told["backup"]["problem"] == ""


def test_a_damaged_project_is_said_with_what_to_do(settings: Settings) -> None:
    with running_studio(settings) as studio:
        project_id = studio.project()
    with Library.open(settings.data_folder) as library, library.write() as tx:
        tx.exec_driver_sql("UPDATE blob SET inline = x'00' WHERE inline IS NOT NULL")
    with running_studio(settings) as studio:
        deadline = patience_ends(20)
        while not studio.get("/api/library")["problems"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        (problem,) = studio.get("/api/library")["problems"]
        assert (problem["kind"], problem["subject"]) == ("project", project_id)
        assert problem["command"] == "python app.py backup --list"
        assert studio.get("/api/projects")["projects"][0]["damaged"]


def test_a_backup_that_fails_is_said_and_taken_back_once_one_succeeds(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, Any]] = []
    studio.session.listen(lambda _, message: heard.append(message))
    studio.project()
    keeper = Upkeep(studio.session)
    folder = studio.session.library.backup_folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_bytes(b"a file where the folder should be")
    keeper.look()
    assert studio.get("/api/library")["backup"]["problem"]
    assert {"kind": "library"} in heard
    folder.unlink()
    keeper.look()
    told = studio.get("/api/library")["backup"]
    assert (told["problem"], told["count"]) == ("", 1)


def test_collection_waits_until_nothing_has_run_for_a_while(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[bool] = []

    def collect(_library: Library, *, dry_run: bool) -> collecting.Collected:
        done.append(dry_run)
        return collecting.Collected(digests=(), num_bytes=0, num_purged=0)

    monkeypatch.setattr(upkeep, "collect", collect)
    keeper = Upkeep(studio.session)
    for _ in range(upkeep.IDLE_LOOKS - 1):
        keeper.look()
    studio.session.running["job"] = Running(project_id="p", shot_id=None, kind="generate")
    keeper.look()
    del studio.session.running["job"]
    for _ in range(upkeep.IDLE_LOOKS - 1):
        keeper.look()
    assert done == []
    for _ in range(upkeep.IDLE_LOOKS):
        keeper.look()
    assert done == [False], "once, and then not for a day"
