"""Tabs that edit the same cut at the same time: no edit is lost, whoever comes second."""

from __future__ import annotations

import threading

from storage import history
from storage.database import Library
from storage.errors import Conflict
from storage.records import Project
from tests.storage import scene

TABS, EDITS = 4, 15


def edit_until_taken(library: Library, project: Project, shot_id: str) -> int:
    """Edit as a tab does, on the revision it has seen; return how often it was refused."""
    refused = 0
    while True:
        with library.read() as tx:
            seen, cut = history.head(tx, project.id)
        try:
            with library.write() as tx:
                history.append(
                    tx,
                    project_id=project.id,
                    branch="main",
                    expected_rev=seen.rev,
                    op_kind="add",
                    op={},
                    label="Add",
                    cut=scene.with_shots(cut, *cut.shots, scene.shot(shot_id)),
                )
        except Conflict as conflict:
            assert conflict.branch.rev > seen.rev
            refused += 1
            continue
        return refused


def test_no_edit_of_four_tabs_is_lost(library: Library, project: Project) -> None:
    refused: list[int] = []

    def tab(number: int) -> None:
        for edit in range(EDITS):
            refused.append(edit_until_taken(library, project, f"{number}.{edit}"))

    threads = [threading.Thread(target=tab, args=(number,)) for number in range(TABS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == TABS * EDITS
    with library.read() as tx:
        branch, cut = history.head(tx, project.id)
        assert branch.rev == TABS * EDITS
        assert len({s.shot_id for s in cut.shots}) == TABS * EDITS
        assert len(history.nodes(tx, project.id)) == TABS * EDITS + 1
