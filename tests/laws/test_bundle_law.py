"""Any project, through a file and back: the same bytes, states and digests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from storage import history
from storage.bundle import export_project, import_bundle
from storage.canonical import new_id
from storage.check import check
from storage.database import Library
from storage.records import Project
from tests.storage import films, scene

VERBS = st.lists(
    st.tuples(
        st.sampled_from(["add", "take", "undo", "redo", "rewind", "branch", "delete"]),
        st.integers(0, 9),
        st.text(max_size=8),
    ),
    max_size=10,
)


def apply(library: Library, project: Project, verb: str, number: int, text: str) -> None:
    with library.read() as tx:
        _, cut = history.head(tx, project.id)
        nodes = history.nodes(tx, project.id)
    if verb == "take" and cut.shots:
        scene.queue(library, project, cut.shots[number % len(cut.shots)].shot_id)
        films.finish(library, scene.claim(library), f"{number} {len(nodes)}")
        return
    with library.write() as tx:
        if verb == "add":
            shots = (*cut.shots, scene.shot(new_id(), text))
            scene.append(tx, project, scene.with_shots(cut, *shots), f"Add {text}")
        elif verb == "delete":
            scene.append(tx, project, scene.with_shots(cut, *cut.shots[1:]), "Delete")
        elif verb == "rewind":
            history.rewind(tx, project.id, "main", nodes[number % len(nodes)].id)
        elif verb == "branch":
            name = f"{text.strip()} {len(nodes)} {new_id()}"
            history.create_branch(tx, project.id, name, nodes[number % len(nodes)].id)
        elif verb == "undo":
            history.undo(tx, project.id)
        else:
            history.redo(tx, project.id)


def require_round_trip(verbs: list[tuple[str, int, str]]) -> None:
    where = scene.MEMORY if scene.MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as name:
        folder = Path(name)
        with scene.open_library(folder / "one") as library:
            project = scene.make_project(library)
            for verb in verbs:
                apply(library, project, *verb)
            told = export_project(library, project.id, folder / "a.mnemoreel")
            wanted = films.content(library, project.id)
        with scene.open_library(folder / "two") as other:
            import_bundle(other, folder / "a.mnemoreel")
            assert films.content(other, project.id) == wanted
            again = export_project(other, project.id, folder / "b.mnemoreel")
            assert again.digest == told.digest
            copy = import_bundle(other, folder / "b.mnemoreel")
            assert copy.is_copy
            assert check(other, read_data=True).problems == []
        first, second = ((folder / f"{n}.mnemoreel").read_bytes() for n in "ab")
        assert first == second


def _settings(**more: Any) -> settings:
    return settings(deadline=None, suppress_health_check=list(HealthCheck), **more)


@given(VERBS)
@_settings(max_examples=6, derandomize=True, phases=(Phase.generate,))
def test_a_project_goes_through_a_file_unchanged(verbs: list[tuple[str, int, str]]) -> None:
    require_round_trip(verbs)


@pytest.mark.faults
@given(VERBS)
@_settings(max_examples=200)
def test_any_project_goes_through_a_file_unchanged(verbs: list[tuple[str, int, str]]) -> None:
    require_round_trip(verbs)
