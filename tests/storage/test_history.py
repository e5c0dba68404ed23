"""The history: every edit is kept, and moving over it changes nothing but a head."""

from __future__ import annotations

import dataclasses
import json

import pytest
from sqlalchemy import func, select

from storage import events, history, projects, references, tree
from storage.canonical import canonical
from storage.database import Library
from storage.errors import Conflict, NotFound, Refused
from storage.records import Cut, Project, cut_from_json, cut_to_json
from tests.storage import scene


def labelled(library: Library, project: Project, *labels: str) -> list[str]:
    """Append one edit per label and return the ids of the nodes."""
    ids = []
    for label in labels:
        with library.write() as tx:
            _, cut = history.head(tx, project.id)
            grown = scene.with_shots(cut, *cut.shots, scene.shot(f"{project.id} {label}"))
            ids.append(scene.append(tx, project, grown, label).id)
    return ids


def names_of(library: Library, project: Project) -> list[str]:
    with library.read() as tx:
        return [b.name for b in history.branches(tx, project.id)]


def test_a_new_project_stands_at_an_empty_cut(library: Library, project: Project) -> None:
    with library.read() as tx:
        branch, cut = history.head(tx, project.id)
        assert cut == Cut(rate=(24, 1), width=96, height=64)
        assert (branch.name, branch.rev) == ("main", 0)
        assert not history.can_undo(tx, project.id)
        assert not history.can_redo(tx, project.id)


def test_an_edit_becomes_a_node_with_its_operation(
    library: Library, project: Project, clock: scene.Clock
) -> None:
    clock.at += 5
    (node_id,) = labelled(library, project, "Add a shot")
    with library.read() as tx:
        node = tree.get(tx, node_id)
        branch, cut = history.head(tx, project.id)
        assert (node.label, node.op_kind, node.op) == (
            "Add a shot",
            "test",
            {"label": "Add a shot"},
        )
        assert (node.author, node.created_at, node.depth) == ("editor", clock.at, 1)
        assert (branch.head_node, branch.tip_node, branch.rev) == (node_id, node_id, 1)
        assert [s.shot_id for s in cut.shots] == [f"{project.id} Add a shot"]
        assert references.read(tx, node.state_digest) == canonical(cut_to_json(cut))


def test_an_edit_on_an_older_revision_is_a_conflict_that_carries_the_newer_cut(
    library: Library, project: Project
) -> None:
    labelled(library, project, "one")
    with library.read() as tx:
        _, cut = history.head(tx, project.id)
    words = "revision 1, the edit was made on 0"
    with pytest.raises(Conflict, match=words) as caught, library.write() as tx:
        history.append(
            tx,
            project_id=project.id,
            branch="main",
            expected_rev=0,
            op_kind="late",
            op={},
            label="Late",
            cut=Cut(rate=(24, 1), width=96, height=64),
        )
    assert caught.value.branch.rev == 1
    assert caught.value.cut == cut
    with library.read() as tx:
        assert len(history.nodes(tx, project.id)) == 2


@pytest.mark.parametrize("move", [history.undo, history.redo])
def test_a_move_on_an_older_revision_is_a_conflict(
    library: Library, project: Project, move: object
) -> None:
    labelled(library, project, "one")
    with pytest.raises(Conflict), library.write() as tx:
        move(tx, project.id, expected_rev=0)  # type: ignore[operator]


def test_undo_and_redo_walk_to_the_root_and_back(library: Library, project: Project) -> None:
    labelled(library, project, "one", "two")
    with library.write() as tx:
        steps = [history.undo(tx, project.id) for _ in range(3)]
        assert [s.label if s else None for s in steps] == ["one", "New project", None]
        steps = [history.redo(tx, project.id) for _ in range(3)]
        assert [s.label if s else None for s in steps] == ["one", "two", None]
        branch, _ = history.head(tx, project.id)
        assert branch.rev == 6, "a move that moves nothing is no move"


def test_an_edit_after_undo_keeps_the_old_future_as_a_branch(
    library: Library, project: Project
) -> None:
    *_, two = labelled(library, project, "one", "two")
    with library.write() as tx:
        history.undo(tx, project.id)
    labelled(library, project, "other")
    assert names_of(library, project) == ["main", "before-rewind-20270115T080000.000000Z"]
    with library.read() as tx:
        kept, _ = history.head(tx, project.id, "before-rewind-20270115T080000.000000Z")
        assert (kept.head_node, kept.tip_node, kept.rev) == (two, two, 0)
        assert not history.can_redo(tx, project.id)


def test_two_futures_kept_at_the_same_microsecond_have_two_names(
    library: Library, project: Project
) -> None:
    for label in ("one", "two", "three"):
        labelled(library, project, label)
        with library.write() as tx:
            history.undo(tx, project.id)
    labelled(library, project, "four")
    base = "before-rewind-20270115T080000.000000Z"
    assert names_of(library, project) == ["main", base, f"{base}-2", f"{base}-3"]


def test_rewinding_along_the_path_keeps_the_way_forward(library: Library, project: Project) -> None:
    ids = labelled(library, project, *"abcdefghij")
    with library.write() as tx:
        assert history.rewind(tx, project.id, "main", ids[2]).label == "c"
        assert names_of(library, project) == ["main"]
        seen = []
        while (node := history.redo(tx, project.id)) is not None:
            seen.append(node.label)
    assert seen == list("defghij")


def test_jumping_to_another_future_keeps_the_one_that_is_left(
    library: Library, project: Project
) -> None:
    _, two = labelled(library, project, "one", "two")
    with library.write() as tx:
        history.undo(tx, project.id)
    (other,) = labelled(library, project, "other")
    with library.write() as tx:
        history.rewind(tx, project.id, "main", two)
        assert not history.can_redo(tx, project.id)
        tips = {b.tip_node for b in history.branches(tx, project.id)}
        assert tips == {two, other}
        undone = history.undo(tx, project.id)
        assert undone is not None and undone.label == "one"
        again = history.redo(tx, project.id)
        assert again is not None and again.id == two


def test_a_future_that_has_a_name_is_not_named_again(library: Library, project: Project) -> None:
    _, two = labelled(library, project, "one", "two")
    with library.write() as tx:
        history.create_branch(tx, project.id, "my ending", two)
        history.undo(tx, project.id)
    labelled(library, project, "other")
    assert names_of(library, project) == ["main", "my ending"]


def test_rewinding_to_where_one_stands_is_no_move(library: Library, project: Project) -> None:
    (one,) = labelled(library, project, "one")
    with library.write() as tx:
        history.rewind(tx, project.id, "main", one)
        assert len(history.reflog(tx, project.id)) == 1


def test_every_move_is_one_line_of_the_reflog_and_one_event(
    library: Library, project: Project
) -> None:
    one, two = labelled(library, project, "one", "two")
    with library.write() as tx:
        root = history.undo(tx, project.id)
        assert root is not None
        history.redo(tx, project.id)
        history.rewind(tx, project.id, "main", one)
        history.create_branch(tx, project.id, "alt", two)
    labelled(library, project, "three")
    expected = ["edit", "edit", "undo", "redo", "rewind", "branch", "edit"]
    with library.read() as tx:
        rows = history.reflog(tx, project.id)[::-1]
        assert [r.reason for r in rows] == expected
        assert [r.branch for r in rows] == ["main"] * 5 + ["alt", "main"]
        main = [r for r in rows if r.branch == "main"]
        assert [r.old_node for r in main[1:]] == [r.new_node for r in main[:-1]]
        told = events.since(tx, project.id, 0)
        assert [e.kind for e in told] == expected
        assert [e.payload["node_id"] for e in told] == [r.new_node for r in rows]
        assert [e.payload["rev"] for e in told] == [1, 2, 3, 4, 5, 1, 6]
        assert len(history.reflog(tx, project.id, limit=2)) == 2


def test_branches_share_nodes_and_move_alone(library: Library, project: Project) -> None:
    one, two = labelled(library, project, "one", "two")
    with library.write() as tx:
        history.create_branch(tx, project.id, "alt", one)
        branch, cut = history.head(tx, project.id, "alt")
        history.append(
            tx,
            project_id=project.id,
            branch="alt",
            expected_rev=branch.rev,
            op_kind="test",
            op={},
            label="on alt",
            cut=cut,
        )
        assert history.head(tx, project.id)[0].head_node == two
        alt, _ = history.head(tx, project.id, "alt")
        assert tree.get(tx, alt.head_node).parent_id == one
        assert history.undo(tx, project.id, "alt") is not None
        assert history.can_redo(tx, project.id, "alt")
        assert not history.can_redo(tx, project.id)


def test_a_branch_needs_a_new_name_and_a_node_of_the_project(
    library: Library, project: Project
) -> None:
    other = scene.make_project(library, "Other")
    with library.write() as tx:
        root = history.nodes(tx, project.id)[0].id
        with pytest.raises(Refused, match="exists already"):
            history.create_branch(tx, project.id, "main", root)
        with pytest.raises(Refused, match="without a name"):
            history.create_branch(tx, project.id, "  ", root)
        with pytest.raises(NotFound, match="another project"):
            history.create_branch(tx, other.id, "alt", root)
        with pytest.raises(NotFound, match="another project"):
            history.rewind(tx, other.id, "main", root)


def test_what_is_not_there_is_named(library: Library, project: Project) -> None:
    with library.write() as tx:
        with pytest.raises(NotFound, match="no branch 'alt'"):
            history.head(tx, project.id, "alt")
        with pytest.raises(NotFound, match="'nowhere'"):
            history.rewind(tx, project.id, "main", "nowhere")
        with pytest.raises(NotFound, match="'nothing'"):
            history.undo(tx, "nothing")


def test_a_shot_of_another_project_is_refused(library: Library, project: Project) -> None:
    scene.add_shots(library, project, "s1")
    other = scene.make_project(library, "Other")
    with pytest.raises(Refused, match="belongs to another project"):
        scene.add_shots(library, other, "s1")


def test_a_large_cut_is_kept_in_a_file_and_read_back(library: Library, project: Project) -> None:
    with library.write() as tx:
        _, cut = history.head(tx, project.id)
        large = scene.with_shots(
            cut, *(scene.shot(f"s{n}", prompt="rain " * 100) for n in range(200))
        )
        node = scene.append(tx, project, large)
        row = references.find(tx, node.state_digest)
        assert row is not None and row.inline is None and row.size > references.INLINE_BYTES
        assert history.cut_at(tx, node.id) == large
    assert library.blobs.exists(node.state_digest)


def test_equal_cuts_share_one_state(library: Library, project: Project) -> None:
    with library.write() as tx:
        _, cut = history.head(tx, project.id)
        first = scene.append(tx, project, cut, "nothing")
        second = scene.append(tx, project, cut, "nothing again")
        assert first.state_digest == second.state_digest
        assert first.chain_digest != second.chain_digest


def test_nodes_come_oldest_first(library: Library, project: Project, clock: scene.Clock) -> None:
    labels = list("abcdef")
    for label in labels:
        clock.at += 1
        labelled(library, project, label)
    with library.read() as tx:
        assert [n.label for n in history.nodes(tx, project.id)] == ["New project", *labels]


def test_finding_an_ancestor_reads_few_rows_at_any_depth(
    library: Library, project: Project
) -> None:
    with library.write() as tx:
        _, cut = history.head(tx, project.id)
        for number in range(80):
            scene.append(tx, project, cut, str(number))
        branch, _ = history.head(tx, project.id)
        tip = tree.get(tx, branch.tip_node)
        for node in history.nodes(tx, project.id):
            assert tree.ancestor_at(tx, tip, node.depth) == node
            rows = select(func.count()).select_from(tree.way_to(tip, node.depth).subquery())
            assert tx.execute(rows).scalar_one() <= 14, f"for depth {node.depth} of 80"


def test_fields_this_version_does_not_know_never_fail_a_load() -> None:
    cut = Cut(rate=(24, 1), width=96, height=64, shots=(scene.shot("s1"),))
    value = json.loads(canonical(cut_to_json(cut)))
    value["future"] = {"x": 1}
    value["shots"][0]["grade"] = "warm"
    value["shots"][0]["params"]["camera"] = 3
    del value["shots"][0]["memory"]
    del value["markers"]
    assert cut_from_json(value) == cut


def test_deleted_projects_keep_their_history(library: Library, project: Project) -> None:
    labelled(library, project, "one")
    with library.write() as tx:
        projects.delete(tx, project.id)
        assert [p.id for p in projects.list_all(tx)] == []
        assert len(history.nodes(tx, project.id)) == 2
        projects.restore(tx, project.id)
        assert projects.list_all(tx) == [project]


def test_projects_are_renamed_and_listed_newest_first(
    library: Library, project: Project, clock: scene.Clock
) -> None:
    clock.at += 1
    other = scene.make_project(library, "Snow")
    with library.write() as tx:
        projects.rename(tx, project.id, " Storm ")
        projects.change_settings(tx, project.id, {"snap": True})
        changed = dataclasses.replace(project, name="Storm", settings={"snap": True})
        assert projects.list_all(tx) == [other, changed]
        with pytest.raises(Refused, match="without a name"):
            projects.rename(tx, project.id, " ")
        with pytest.raises(NotFound):
            projects.rename(tx, "nothing", "x")
        with pytest.raises(NotFound):
            projects.get(tx, "nothing")


@pytest.mark.parametrize(
    ("name", "rate", "size", "words"),
    [
        ("", (24, 1), (96, 64), "without a name"),
        ("Rain", (0, 1), (96, 64), "rate of 0/1"),
        ("Rain", (24, 0), (96, 64), "rate of 24/0"),
        ("Rain", (24, 1), (0, 64), "0 x 64"),
    ],
)
def test_a_project_that_cannot_be_is_refused(
    library: Library, name: str, rate: tuple[int, int], size: tuple[int, int], words: str
) -> None:
    with library.write() as tx, pytest.raises(Refused, match=words):
        projects.create(tx, name, rate, *size)
