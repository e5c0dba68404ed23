"""Markers and flags over HTTP: what the page sends, each one step of the history."""

from __future__ import annotations

from typing import Any

from tests.conftest import Studio


def do(studio: Studio, project_id: str, **op: Any) -> Any:
    return studio.post(f"/api/projects/{project_id}/edits", op=op)


def test_markers_are_in_the_document_and_each_edit_is_undone_alone(shared_studio: Studio) -> None:
    project = shared_studio.project()
    do(shared_studio, project, kind="add_marker", frame=20, label="door")
    done = do(shared_studio, project, kind="move_marker", frame=20, to=40)
    assert done["label"] == "Move marker “door”"
    assert shared_studio.document(project)["markers"] == [{"frame": 40, "label": "door"}]
    shared_studio.post(f"/api/projects/{project}/undo")
    assert shared_studio.document(project)["markers"] == [{"frame": 20, "label": "door"}]


def test_a_muted_or_emptied_shot_is_absent_from_what_later_shots_read(studio: Studio) -> None:
    project = studio.project()
    first, second, third = (s["shot_id"] for s in studio.generated(project)["shots"])
    do(studio, project, kind="solo", shot_ids=[second, third])
    assert [s["stale"] for s in studio.document(project)["shots"]] == [False, True, True]
    do(studio, project, kind="solo", shot_ids=[])
    assert not any(s["stale"] for s in studio.document(project)["shots"])
    do(studio, project, kind="clear", shot_ids=[first])
    document = studio.document(project)
    assert document["shots"][0]["take"] is None
    assert document["shots"][0]["num_takes"] == 1
    assert [s["stale"] for s in document["shots"]] == [False, True, True]


def test_a_new_take_of_another_length_leaves_markers_on_their_pictures(studio: Studio) -> None:
    project = studio.project()
    first, *_ = studio.generated(project)["shots"]
    do(studio, project, kind="trim", shot_id=first["shot_id"], **{"in": 0, "out": 9})
    do(studio, project, kind="add_marker", frame=12, label="in the second shot")
    (job,) = studio.post(
        f"/api/projects/{project}/generate", shot_ids=[first["shot_id"]], new_seed=True
    )["jobs"]
    assert studio.wait(job)["state"] == "done"
    document = studio.document(project)
    assert [s["start"] for s in document["shots"]] == [0, 17, 34]
    assert [m["frame"] for m in document["markers"]] == [20]
