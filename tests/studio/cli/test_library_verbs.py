"""bundle, check, backup and collect at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import projects
from storage.database import Library
from storage.records import Take
from studio.cli import main as cli
from tests.fake_cli import fake_executor
from tests.storage import films, scene

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(data_folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, Any]:
        given = ["--data", str(data_folder), "--json", *map(str, arguments)]
        code = cli.main(given, make_executor=fake_executor)
        out = capsys.readouterr().out
        return code, json.loads(out) if out.strip() else None

    return call


@pytest.fixture
def film(data_folder: Path) -> Take:
    with Library.open(data_folder) as library:
        project = scene.make_project(library)
        scene.add_shots(library, project, "s1")
        scene.queue(library, project, "s1")
        return films.finish(library, scene.claim(library), "take")


def test_a_bundle_goes_out_and_comes_in(run: Run, film: Take, tmp_path: Path) -> None:
    out = tmp_path / "rain.mnemoreel"
    code, told = run("bundle", "export", "Rain", "--out", out)
    assert (code, told["num_takes"], told["is_copy"]) == (0, 1, False)
    code, back = run("bundle", "import", out)
    assert (code, back["name"], back["is_copy"]) == (0, "Rain (imported)", True)
    assert back["digest"] == told["digest"]


def test_a_bundle_that_is_none_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.mnemoreel").write_bytes(b"hello")
    assert run("bundle", "import", tmp_path / "x.mnemoreel")[0] == 1
    assert run("bundle", "import", tmp_path / "none.mnemoreel")[0] == 1
    assert run("bundle", "export", "Rain", "--out", tmp_path / "x.zip")[0] == 2


@pytest.mark.parametrize("level", ["--quick", "--read-data", None])
def test_a_sound_library_is_checked_at_every_level(run: Run, film: Take, level: str | None) -> None:
    code, told = run("check", "--all", *([level] if level else []))
    assert (code, told["is_clean"], told["problems"]) == (0, True, [])


def test_a_lost_take_is_queued_again_from_its_recipe(
    run: Run, film: Take, data_folder: Path
) -> None:
    with Library.open(data_folder) as library:
        library.blobs.path(film.media_digest).unlink()
    code, told = run("check", "--all")
    (problem,) = told["problems"]
    assert (code, problem["kind"], problem["repair"]) == (1, "blob_missing", "regenerate")
    assert problem["command"].endswith("--repair")
    code, told = run("check", "--all", "--repair")
    assert code == 1
    assert "1 takes queued again" in told["repaired"]
    with Library.open(data_folder) as library, library.read() as tx:
        from storage import jobs

        (project,) = projects.list_all(tx)
        (job,) = jobs.active(tx, project.id)
        assert (job.kind, job.shot_id, job.spec["prompt"]) == ("generate", "s1", "rain")
        assert job.spec["take_before"] == film.id


def test_backups_are_taken_listed_and_put_back(run: Run, film: Take, data_folder: Path) -> None:
    code, told = run("backup")
    assert code == 0
    name = Path(told["backup"]).name
    assert name in run("backup", "--list")[1]["backups"]
    with Library.open(data_folder) as library:
        scene.make_project(library, "Later")
    code, told = run("backup", "--restore", name)
    assert code == 0
    with Library.open(data_folder) as library, library.read() as tx:
        assert [p.name for p in projects.list_all(tx)] == ["Rain"]
    assert run("backup", "--restore", "none")[0] == 1


def test_nothing_is_collected_without_being_asked_to(
    run: Run, film: Take, data_folder: Path
) -> None:
    with Library.open(data_folder, clock=lambda: 1_000_000) as library, library.write() as tx:
        from storage import references

        stored = library.blobs.put(b"garbage" * 10_000)
        references.add(tx, stored.digest, stored.size, "video/mp4")
    code, told = run("collect", "--dry-run")
    assert (code, told["digests"], told["removed"]) == (0, [stored.digest], False)
    assert run("collect")[1]["removed"] is False
    code, told = run("collect", "--remove")
    assert (code, told["digests"], told["removed"]) == (0, [stored.digest], True)
    assert run("collect")[1]["digests"] == []
    assert run("collect", "--grace", 0)[0] == 2
