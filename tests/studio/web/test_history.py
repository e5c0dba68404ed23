"""The history over the API: lines by name, two points compared, shots brought back."""

from __future__ import annotations

from typing import Any

from tests.conftest import Studio


def tree(studio: Studio, project_id: str) -> Any:
    return studio.get(f"/api/projects/{project_id}/history")


def lines(studio: Studio, project_id: str) -> dict[str, bool]:
    return {b["name"]: b["is_current"] for b in tree(studio, project_id)["branches"]}


def edit(studio: Studio, project_id: str, **op: Any) -> Any:
    return studio.post(f"/api/projects/{project_id}/edits", op=op)


def refused(studio: Studio, path: str, **body: Any) -> str:
    answer = studio.client.post(path, json=body)
    assert answer.status_code == 422, answer.text
    return str(answer.json()["message"])


def test_a_branch_is_begun_left_taken_up_and_renamed(shared_studio: Studio) -> None:
    studio = shared_studio
    project_id = studio.project()
    path = f"/api/projects/{project_id}/branches"
    before = studio.document(project_id)
    ids = [shot["shot_id"] for shot in before["shots"]]
    edit(studio, project_id, kind="delete", shot_ids=ids[:1])
    short = studio.document(project_id)
    done = studio.post(path, name="With all", node_id=before["node_id"])
    assert done["node_id"] == before["node_id"]
    assert lines(studio, project_id) == {"With all": True, "Main": False}
    assert [s["shot_id"] for s in studio.document(project_id)["shots"]] == ids
    edit(studio, project_id, kind="delete", shot_ids=ids[2:])
    studio.post(f"{path}/switch", name="Main")
    assert studio.document(project_id)["node_id"] == short["node_id"]
    assert lines(studio, project_id) == {"Main": True, "With all": False}
    studio.post(f"{path}/rename", name="With all", new_name="Two shots")
    studio.post(f"{path}/rename", name="Main", new_name="Director's cut")
    assert lines(studio, project_id) == {"Director's cut": True, "Two shots": False}
    studio.post(f"{path}/switch", name="Two shots")
    assert [s["shot_id"] for s in studio.document(project_id)["shots"]] == ids[:2]
    assert "already" in refused(studio, path, name="Two shots", node_id=before["node_id"])


def test_a_named_point_does_not_move_the_editor(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    root = tree(shared_studio, project_id)["nodes"][0]["id"]
    before = shared_studio.document(project_id)
    path = f"/api/projects/{project_id}/branches"
    shared_studio.post(path, name="Empty", node_id=root, go=False)
    assert shared_studio.document(project_id)["rev"] == before["rev"]
    assert lines(shared_studio, project_id) == {"Main": True, "Empty": False}
    assert "studio's own" in refused(shared_studio, path, name="main", node_id=root)


def test_two_points_are_compared_with_their_pictures(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    planned = shared_studio.document(project_id)
    made = shared_studio.generated(project_id)
    ids = [shot["shot_id"] for shot in made["shots"]]
    edit(shared_studio, project_id, kind="delete", shot_ids=ids[:1])
    now = shared_studio.document(project_id)
    told = shared_studio.get(
        f"/api/projects/{project_id}/compare?a={planned['node_id']}&b={now['node_id']}"
    )
    assert told["difference"] == {
        "added": [],
        "removed": ids[:1],
        "changed": [{"shot_id": i, "fields": ["take"]} for i in ids[1:]],
        "moved": [],
    }
    assert [s["start"] for s in told["b"]["shots"]] == [0, 17]
    assert told["a"]["shots"][0]["take"] is None
    assert told["b"]["shots"][0]["take"]["strip"].startswith("/media/")
    assert told["a"]["label"] == planned["label"]
    other = shared_studio.project()
    answer = shared_studio.client.get(
        f"/api/projects/{other}/compare?a={planned['node_id']}&b={now['node_id']}"
    )
    assert answer.status_code == 404


def test_a_shot_grafted_from_another_point_brings_its_take(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    made = shared_studio.generated(project_id)
    first = made["shots"][0]
    body = {"shot_ids": [first["shot_id"]], "new_seed": True}
    (job,) = shared_studio.post(f"/api/projects/{project_id}/generate", **body)["jobs"]
    shared_studio.wait(job)
    rev = shared_studio.document(project_id)["rev"]
    path = f"/api/projects/{project_id}/graft"
    body = {"node_id": made["node_id"], "shot_id": first["shot_id"]}
    done = shared_studio.post(path, **body, base_rev=rev)
    assert done["label"] == "Graft Shot 1 from “Generate Shot 3”"
    assert done["rev"] == rev + 1
    shown = shared_studio.document(project_id)["shots"][0]
    assert shown["take_id"] == first["take_id"]
    assert "same in both" in refused(shared_studio, path, **body)
    shared_studio.post(f"/api/projects/{project_id}/undo")
    assert shared_studio.document(project_id)["shots"][0]["take_id"] != first["take_id"]


def test_deleted_shots_are_listed_and_restored_with_their_takes(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    made = shared_studio.generated(project_id)
    ids = [shot["shot_id"] for shot in made["shots"]]
    assert shared_studio.get(f"/api/projects/{project_id}/deleted") == {"shots": []}
    edit(shared_studio, project_id, kind="delete", shot_ids=ids[1:2])
    edit(shared_studio, project_id, kind="delete", shot_ids=ids[:1])
    listed = shared_studio.get(f"/api/projects/{project_id}/deleted")["shots"]
    assert [shot["shot_id"] for shot in listed] == [ids[0], ids[1]]
    for shot in listed:
        body = {"node_id": shot["node_id"], "shot_id": shot["shot_id"], "verb": "restore"}
        label = shared_studio.post(f"/api/projects/{project_id}/graft", **body)["label"]
        assert label.startswith("Restore Shot")
    shots = shared_studio.document(project_id)["shots"]
    assert [(s["shot_id"], s["take_id"]) for s in shots] == [
        (s["shot_id"], s["take_id"]) for s in made["shots"]
    ]
    assert shared_studio.get(f"/api/projects/{project_id}/deleted") == {"shots": []}


def test_every_step_about_a_shot_shows_what_the_shot_showed_then(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    made = shared_studio.generated(project_id)
    shot = made["shots"][0]
    edit(shared_studio, project_id, kind="set", shot_id=shot["shot_id"], fields={"title": "A"})
    nodes = tree(shared_studio, project_id)["nodes"]
    assert nodes[0]["strip"] is None
    assert nodes[-1]["strip"] == shot["take"]["strip"]
    assert nodes[-1]["strip"] != nodes[-2]["strip"] == made["shots"][2]["take"]["strip"]
