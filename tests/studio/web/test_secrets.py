"""S30: what leaves the machine, and what is written to logs, holds no token and no path of it."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path
from typing import Any

import av
import pytest

from tests.conftest import Studio


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that was logged, down to what is only for developers."""
    caplog.set_level(logging.DEBUG)
    return caplog


def secrets_of(studio: Studio) -> list[str]:
    """What must not leave: the token of this launch, the home, the data folder, this computer."""
    settings = studio.session.settings
    return [settings.token, str(Path.home()), str(settings.data_folder), str(Path.cwd())]


def require_none(data: bytes, secrets: list[str], where: str) -> None:
    assert len(data) > 0, where
    found = [secret for secret in secrets if secret.encode() in data]
    assert found == [], where


def film_of(studio: Studio, project_id: str) -> Any:
    job = studio.post(f"/api/projects/{project_id}/export", title_card="Hi")["job"]
    return studio.wait(job, 120)


def test_a_film_and_its_metadata_name_nothing_of_this_machine(shared_studio: Studio) -> None:
    project_id = shared_studio.project("0:00 a red ball")
    shared_studio.generated(project_id)
    media = film_of(shared_studio, project_id)["result"]["media"]
    secrets = secrets_of(shared_studio)
    require_none(shared_studio.client.get(media).content, secrets, "the film")
    path = shared_studio.session.library.blobs.path(Path(media).stem)
    with av.open(str(path)) as film:
        described = str({**film.metadata, **film.streams.video[0].metadata})
    require_none(described.encode(), secrets, "its metadata")


def test_a_take_that_is_downloaded_names_nothing_of_this_machine(shared_studio: Studio) -> None:
    document = shared_studio.generated(shared_studio.project("0:00 a red ball"))
    take = document["shots"][0]["take"]["media"]
    require_none(shared_studio.client.get(take).content, secrets_of(shared_studio), "the take")


def test_a_bundle_names_nothing_of_this_machine(shared_studio: Studio, tmp_path: Path) -> None:
    project_id = shared_studio.project("0:00 a red ball")
    shared_studio.generated(project_id)
    path = tmp_path / "film.mnemoreel"
    path.write_bytes(shared_studio.client.get(f"/api/projects/{project_id}/bundle").content)
    secrets = secrets_of(shared_studio)
    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            require_none(name.encode() + bundle.read(name), secrets, name)


def test_logs_and_answers_never_hold_the_token(
    studio: Studio, told: pytest.LogCaptureFixture
) -> None:
    project_id = studio.project("0:00 a red ball")
    studio.generated(project_id)
    token = studio.session.settings.token
    answers = [
        studio.client.get("/api/projects/unknown").text,
        studio.client.post(f"/api/projects/{project_id}/edits", json={"op": {}}).text,
        studio.client.get("/api/engine").text,
        studio.client.get(f"/api/projects/{project_id}").text,
    ]
    logging.getLogger("studio").info("the log is heard")
    assert "the log is heard" in told.text
    require_none("\n".join([told.text, *answers]).encode(), [token], "log and answers")
