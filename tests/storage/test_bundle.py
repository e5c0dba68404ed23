"""A project in one file: what is written comes back, and nothing else comes in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from storage import events, history, projects
from storage.bundle import Bundle, export_project, import_bundle
from storage.check import check
from storage.database import Library
from storage.errors import BlobCorrupt, NotFound
from storage.records import Project
from tests.storage import films, scene


@pytest.fixture
def film(library: Library) -> Project:
    return films.make(library)


@pytest.fixture
def file(library: Library, film: Project, tmp_path: Path) -> Path:
    path = tmp_path / "rain.mnemoreel"
    export_project(library, film.id, path)
    return path


def imported(path: Path, folder: Path) -> tuple[Library, Bundle]:
    library = scene.open_library(folder)
    return library, import_bundle(library, path)


def test_a_project_comes_back_as_it_was(
    library: Library, film: Project, file: Path, tmp_path: Path
) -> None:
    other, told = imported(file, tmp_path / "other")
    with other:
        assert (told.project_id, told.name, told.is_copy) == (film.id, "Rain", False)
        assert films.content(other, film.id) == films.content(library, film.id)
        assert check(other, read_data=True).problems == []
        again = export_project(other, film.id, tmp_path / "again.mnemoreel")
    assert again.digest == told.digest
    assert (tmp_path / "again.mnemoreel").read_bytes() == file.read_bytes()


def test_the_same_project_is_written_the_same(
    library: Library, film: Project, file: Path, tmp_path: Path, clock: scene.Clock
) -> None:
    clock.at += scene.DAY
    export_project(library, film.id, tmp_path / "later.mnemoreel")
    assert (tmp_path / "later.mnemoreel").read_bytes() == file.read_bytes()


def test_an_imported_project_can_be_edited_undone_and_rendered(file: Path, tmp_path: Path) -> None:
    other, told = imported(file, tmp_path / "other")
    with other, other.write() as tx:
        project = projects.get(tx, told.project_id)
        _, cut = history.head(tx, project.id)
        scene.append(tx, project, dataclasses.replace(cut, shots=()), "Clear")
        assert history.undo(tx, project.id) is not None
        assert history.undo(tx, project.id) is not None


def test_a_project_the_library_has_comes_back_under_ids_of_its_own(
    library: Library, film: Project, file: Path
) -> None:
    before = films.content(library, film.id)
    told = import_bundle(library, file)
    assert told.is_copy
    assert told.name == "Rain (imported)"
    assert films.content(library, film.id) == before
    copy = films.content(library, told.project_id)
    assert check(library, read_data=True).problems == []
    for part in ("nodes", "takes", "shots"):
        ids = {row["id"] for row in before[part]}
        assert len(copy[part]) == len(ids)
        assert not ids & {row["id"] for row in copy[part]}
    assert [n["label"] for n in copy["nodes"]] == [n["label"] for n in before["nodes"]]
    assert copy["entries"] == before["entries"]


def test_a_copy_shows_the_takes_of_its_own(library: Library, film: Project, file: Path) -> None:
    told = import_bundle(library, file)
    with library.read() as tx:
        _, mine = history.head(tx, film.id)
        _, copy = history.head(tx, told.project_id)
    assert [s.prompt for s in mine.shots] == [s.prompt for s in copy.shots]
    ids = {row["id"] for row in films.content(library, told.project_id)["takes"]}
    assert {s.take_id for s in copy.shots if s.take_id} <= ids


def test_a_deleted_project_comes_back_as_a_copy_that_is_not(
    library: Library, film: Project, file: Path
) -> None:
    with library.write() as tx:
        projects.delete(tx, film.id)
    told = import_bundle(library, file)
    assert told.is_copy
    with library.read() as tx:
        assert [p.id for p in projects.list_all(tx)] == [told.project_id]


def test_a_long_cut_travels_in_its_pieces(library: Library, tmp_path: Path) -> None:
    project = films.make_long(library, 450)
    path = tmp_path / "long.mnemoreel"
    export_project(library, project.id, path)
    other, told = imported(path, tmp_path / "other")
    with other:
        assert films.content(other, project.id) == films.content(library, project.id)
        assert check(other, read_data=True).problems == []
        copy = import_bundle(other, path)
        assert check(other, read_data=True).problems == []
        with other.read() as tx:
            assert len(history.head(tx, copy.project_id)[1].shots) == 450
    assert told.num_nodes == 2


def test_an_import_is_one_event(file: Path, tmp_path: Path) -> None:
    other, told = imported(file, tmp_path / "other")
    with other, other.read() as tx:
        assert [e.kind for e in events.since(tx, told.project_id, 0)] == ["imported"]


def test_a_project_that_is_not_there_is_not_written(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        export_project(library, "none", tmp_path / "x.mnemoreel")
    assert list(tmp_path.glob("*.mnemoreel*")) == []


def test_a_folder_that_is_not_there_is_named(
    library: Library, film: Project, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="no folder"):
        export_project(library, film.id, tmp_path / "none" / "x.mnemoreel")


def test_a_damaged_project_is_not_written(library: Library, film: Project, tmp_path: Path) -> None:
    media = films.content(library, film.id)["takes"][0]["media_digest"]
    path = library.blobs.path(media)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(BlobCorrupt):
        export_project(library, film.id, tmp_path / "x.mnemoreel")
    assert list(tmp_path.glob("*.mnemoreel*")) == []
