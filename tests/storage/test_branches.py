"""Lines of the history: begun anywhere, left and taken up again, renamed; nothing is lost."""

from __future__ import annotations

import pytest

from storage import history
from storage.database import Library
from storage.errors import NotFound, Refused
from storage.records import Branch, Project
from tests.storage import scene


def line(library: Library, project: Project, *labels: str) -> list[str]:
    """Edit once for each label and return the nodes' ids."""
    found = []
    for label in labels:
        with library.write() as tx:
            _, cut = history.head(tx, project.id)
            shots = (*cut.shots, scene.shot(f"{label}-{len(cut.shots)}"))
            found.append(scene.append(tx, project, scene.with_shots(cut, *shots), label).id)
    return found


def places(library: Library, project: Project) -> dict[str, tuple[str, str]]:
    with library.read() as tx:
        return {b.name: (b.head_node, b.tip_node) for b in history.branches(tx, project.id)}


def moves(library: Library, project: Project) -> int:
    with library.read() as tx:
        return len(history.reflog(tx, project.id, 1000))


def test_a_line_begun_in_the_middle_keeps_the_one_before(
    library: Library, project: Project
) -> None:
    one, two, three = line(library, project, "one", "two", "three")
    before = moves(library, project)
    with library.write() as tx:
        assert history.start_branch(tx, project.id, one, leave_as="First try").id == one
    assert moves(library, project) == before + 1
    assert places(library, project) == {"main": (one, one), "First try": (three, three)}
    (other,) = line(library, project, "other")
    assert places(library, project)["main"] == (other, other)
    assert len(places(library, project)) == 2, "the line that was left has a name already"
    assert two


def test_going_to_another_line_and_back_is_as_if_one_had_never_gone(
    library: Library, project: Project
) -> None:
    one, two, three = line(library, project, "one", "two", "three")
    with library.write() as tx:
        history.undo(tx, project.id)
        history.create_branch(tx, project.id, "Bookmark", one)
    before = places(library, project)
    assert before["main"] == (two, three)
    with library.write() as tx:
        assert history.switch(tx, project.id, "Bookmark", leave_as="Here").id == one
    assert places(library, project) == {"main": (one, one), "Here": (two, three)}
    with library.write() as tx:
        assert history.switch(tx, project.id, "Here", leave_as="Bookmark").id == two
        assert history.can_redo(tx, project.id)
    assert places(library, project) == before
    with library.write() as tx:
        redone = history.redo(tx, project.id)
        assert redone is not None and redone.id == three


def test_a_branch_is_renamed_but_not_to_a_name_that_is_taken(
    library: Library, project: Project
) -> None:
    (one,) = line(library, project, "one")
    with library.write() as tx:
        for name in ("a", "b"):
            history.create_branch(tx, project.id, name, one)
        renamed = history.rename_branch(tx, project.id, "a", "The long way")
        assert renamed == Branch(
            project_id=project.id, name="The long way", head_node=one, tip_node=one, rev=1
        )
    for wrong in ("b", "  "):
        with library.write() as tx, pytest.raises(Refused):
            history.rename_branch(tx, project.id, "The long way", wrong)
    assert set(places(library, project)) == {"main", "b", "The long way"}


def test_what_is_not_there_cannot_be_switched_to(library: Library, project: Project) -> None:
    (one,) = line(library, project, "one")
    other = scene.make_project(library, "Other")
    with library.write() as tx, pytest.raises(NotFound, match="no branch 'gone'"):
        history.switch(tx, project.id, "gone", leave_as="x")
    with library.write() as tx, pytest.raises(Refused, match="line you are on"):
        history.switch(tx, project.id, "main", leave_as="x")
    with library.write() as tx, pytest.raises(NotFound, match="another project"):
        history.start_branch(tx, other.id, one, leave_as="x")
    with library.write() as tx, pytest.raises(Refused, match="without a name"):
        history.start_branch(tx, project.id, one, leave_as=" ")
