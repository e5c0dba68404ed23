"""Fixtures of the storage tests: an open library with a project in it, on each database."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.bundle import export_project
from storage.database import Library
from storage.records import Job, Project
from tests.storage import films, postgresql, scene
from tests.storage.films import Members

ON_BOTH = frozenset(
    {
        "test_bundle",
        "test_collect",
        "test_concurrency",
        "test_ended_jobs",
        "test_history",
        "test_jobs",
        "test_marks_and_settings",
        "test_states",
        "test_takes_and_memory",
    }
)
"""Files whose tests run on SQLite and on PostgreSQL; the others are about one of them."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    programs = postgresql.binaries()
    if programs is None:
        pytest.skip("No PostgreSQL server is installed: apt-get install postgresql")
    with postgresql.running(programs) as made:
        yield made


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where `scene.open_library` keeps its rows: a file, or a database of the server."""
    kind = str(getattr(request, "param", "sqlite"))
    if kind == "postgresql":
        cluster: postgresql.Cluster = request.getfixturevalue("cluster")
        urls: dict[Path, str] = {}

        def url_of(folder: Path) -> str:
            if folder not in urls:
                urls[folder] = cluster.fresh()
            return urls[folder]

        monkeypatch.setattr(scene, "url_of", url_of)
    return kind


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: these tests are about order, not disks."""
    if not scene.MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="mnemoreel-", dir=scene.MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def clock() -> scene.Clock:
    return scene.Clock()


@pytest.fixture
def library(tmp_path: Path, clock: scene.Clock, database: str) -> Iterator[Library]:
    with scene.open_library(tmp_path / "library", clock) as opened:
        yield opened


@pytest.fixture
def project(library: Library) -> Project:
    return scene.make_project(library)


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Members, Library]]:
    """A bundle, and a library with a film of its own that no bundle of this file may change."""
    where = scene.MEMORY if scene.MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="mnemoreel-", dir=where) as name:
        folder = Path(name)
        with scene.open_library(folder / "sender") as sender:
            path = folder / "good.mnemoreel"
            export_project(sender, films.make(sender).id, path)
        with scene.open_library(folder / "victim") as victim:
            films.make(victim, "Mine", num_takes=1)
            yield films.members(path), victim


@pytest.fixture
def good(made: tuple[Members, Library]) -> Members:
    return dict(made[0])


@pytest.fixture
def victim(made: tuple[Members, Library]) -> Library:
    return made[1]


@pytest.fixture
def shot_job(library: Library, project: Project) -> Job:
    """A waiting job for the one shot of the project."""
    scene.add_shots(library, project, "s1")
    return scene.queue(library, project, "s1")
