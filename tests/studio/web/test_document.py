"""The document: told whole once, then only what differs from the version that a page names."""

from __future__ import annotations

from typing import Any

from tests.conftest import Studio


def edit(studio: Studio, project: str, **op: Any) -> None:
    studio.post(f"/api/projects/{project}/edits", op=op)


def since(studio: Studio, project: str, version: str) -> Any:
    return studio.get(f"/api/projects/{project}?known={version}")


def merged(told: Any, before: Any) -> Any:
    """The document as a page puts it together."""
    known = {shot["shot_id"]: shot for shot in before["shots"]}
    shots, start = [], 0
    for one in told["shots"]:
        shot = {**(known[one] if isinstance(one, str) else one), "start": start}
        start += shot["out"] - shot["in"]
        shots.append(shot)
    return {**told, "shots": shots}


def test_a_page_is_told_only_the_shots_that_differ(shared_studio: Studio) -> None:
    project = shared_studio.project()
    before = shared_studio.document(project)
    first, second, third = (shot["shot_id"] for shot in before["shots"])
    edit(shared_studio, project, kind="set", shot_id=second, fields={"title": "Dawn"})
    told = since(shared_studio, project, before["version"])
    assert [told["shots"][0], told["shots"][2]] == [first, third]
    assert told["shots"][1]["title"] == "Dawn"
    whole = shared_studio.document(project)
    assert all(isinstance(shot, dict) for shot in whole["shots"])
    assert merged(told, before) == whole


def test_moving_a_shot_tells_no_shot_again_but_every_start_follows(shared_studio: Studio) -> None:
    project = shared_studio.project()
    before = shared_studio.document(project)
    ids = [shot["shot_id"] for shot in before["shots"]]
    edit(shared_studio, project, kind="move", shot_ids=[ids[2]], before=ids[0])
    told = since(shared_studio, project, before["version"])
    assert told["shots"] == [ids[2], ids[0], ids[1]]
    assert merged(told, before) == shared_studio.document(project)


def test_a_take_changes_its_shot_and_what_the_later_ones_read(shared_studio: Studio) -> None:
    project = shared_studio.project()
    before = shared_studio.document(project)
    after = shared_studio.generated(project)
    told = since(shared_studio, project, before["version"])
    assert merged(told, before) == after
    assert all(shot["take"] for shot in told["shots"])
    first = after["shots"][0]["shot_id"]
    edit(shared_studio, project, kind="set", shot_id=first, fields={"muted": True})
    told = since(shared_studio, project, after["version"])
    assert [shot["stale"] for shot in told["shots"]] == [False, True, True]


def test_the_trash_the_threshold_and_an_undo_reach_a_page_that_knows_another_version(
    shared_studio: Studio,
) -> None:
    project = shared_studio.project()
    before = shared_studio.generated(project)
    shot = before["shots"][0]["shot_id"]
    (job,) = shared_studio.post(
        f"/api/projects/{project}/generate", shot_ids=[shot], new_seed=True
    )["jobs"]
    shared_studio.wait(job)
    two = since(shared_studio, project, before["version"])
    assert two["shots"][0]["num_takes"] == 2
    listed = shared_studio.get(f"/api/projects/{project}/shots/{shot}/takes")["takes"]
    unpicked = next(take["take_id"] for take in listed if not take["picked"])
    shared_studio.post(f"/api/projects/{project}/takes/{unpicked}/trash")
    assert since(shared_studio, project, two["version"])["shots"][0]["num_takes"] == 1
    shared_studio.post(f"/api/projects/{project}/undo")
    undone = since(shared_studio, project, two["version"])
    assert not any(one["stale"] for one in merged(undone, two)["shots"])


def test_a_version_that_nobody_knows_gets_everything(shared_studio: Studio) -> None:
    project = shared_studio.project()
    told = since(shared_studio, project, "of-another-launch")
    assert [shot["prompt"] for shot in told["shots"]] == ["a red ball", "a blue ball", "a red box"]


def test_asking_twice_gives_one_version_and_no_shot_again(shared_studio: Studio) -> None:
    project = shared_studio.project()
    before = shared_studio.document(project)
    told = since(shared_studio, project, before["version"])
    assert told["version"] == before["version"]
    assert told["shots"] == [shot["shot_id"] for shot in before["shots"]]


def test_a_conflict_carries_the_whole_newer_document(shared_studio: Studio) -> None:
    project = shared_studio.project()
    shot = shared_studio.document(project)["shots"][0]["shot_id"]
    op = {"kind": "delete", "shot_ids": [shot]}
    answer = shared_studio.client.post(
        f"/api/projects/{project}/edits", json={"op": op, "base_rev": 0}
    )
    assert answer.status_code == 409
    assert answer.json()["document"] == shared_studio.document(project)
    assert "changed meanwhile" in answer.json()["message"]
