"""Fixtures of the storage tests: an open library with a project in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Library
from storage.records import Project
from tests.storage import scene


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
def library(tmp_path: Path, clock: scene.Clock) -> Iterator[Library]:
    with scene.open_library(tmp_path / "library", clock) as opened:
        yield opened


@pytest.fixture
def project(library: Library) -> Project:
    return scene.make_project(library)
