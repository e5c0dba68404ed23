"""Fixtures of the fault tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage import scene


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where the system has one: a killed process loses no page cache."""
    where = scene.MEMORY if scene.MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="mnemoreel-", dir=where) as name:
        yield Path(name)
