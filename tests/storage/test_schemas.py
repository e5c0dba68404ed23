"""Every released schema: a library of it opens, is migrated, and says what it said."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from storage import history, projects, takes
from storage.check import check
from storage.migrations import upgrade
from tests.fixtures.make_library import content
from tests.storage import scene

FIXTURES = Path(__file__).parent.parent / "fixtures"
RELEASED = sorted(path.stem.removeprefix("library-") for path in FIXTURES.glob("library-*.zip"))


def unpack(migration: str, folder: Path) -> Path:
    with zipfile.ZipFile(FIXTURES / f"library-{migration}.zip") as file:
        file.extractall(folder)
    return folder


def expected(migration: str) -> dict[str, list[dict[str, object]]]:
    text = (FIXTURES / f"library-{migration}.json").read_text()
    tables: dict[str, list[dict[str, object]]] = json.loads(text)
    return tables


def test_there_is_a_library_of_every_released_schema() -> None:
    assert upgrade.known() == RELEASED


@pytest.mark.parametrize("migration", RELEASED)
def test_a_library_of_a_released_schema_keeps_every_row(migration: str, tmp_path: Path) -> None:
    folder = unpack(migration, tmp_path)
    with scene.open_library(folder) as library:
        assert check(library, read_data=True).problems == []
        with library.read() as tx:
            project = projects.list_all(tx)[-1]
            branch, cut = history.head(tx, project.id)
            assert [s.prompt for s in cut.shots] == ["snow"]
            assert branch.rev == 6
            assert [t.number for t in takes.of_shot(tx, "s1")] == [1, 2]
    found = content(folder / "library.sqlite3")
    for table, rows in expected(migration).items():
        if table in ("schema_meta", "blob_pin"):
            continue  # what is about the running program, not about the films
        kept = [{k: row[k] for k in rows[0]} for row in found[table]] if rows else found[table]
        assert sorted(map(str, kept)) == sorted(map(str, rows)), table


@pytest.mark.parametrize("migration", RELEASED)
def test_migrating_a_released_schema_again_changes_nothing(migration: str, tmp_path: Path) -> None:
    folder = unpack(migration, tmp_path)
    scene.open_library(folder).close()
    once = content(folder / "library.sqlite3")
    scene.open_library(folder).close()
    assert content(folder / "library.sqlite3") == once


@pytest.mark.parametrize("migration", RELEASED[:-1])
def test_an_older_schema_is_backed_up_before_it_is_migrated(migration: str, tmp_path: Path) -> None:
    folder = unpack(migration, tmp_path)
    before = content(folder / "library.sqlite3")
    scene.open_library(folder).close()
    (made,) = (folder / "backups").glob(f"before-migrating-from-{migration}-*")
    assert content(made) == before
