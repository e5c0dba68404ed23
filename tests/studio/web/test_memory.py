"""The routes about memory: grades, accepting, updating, fidelity, budget, two systems."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.specs import CurveSpec, GenerateSpec, MeasureSpec, RecallSpec
from storage import jobs
from studio.actions.fidelity import MOST_MOMENTS, moments_of
from tests.conftest import Studio
from tests.patience import patience_ends


def edit(studio: Studio, project_id: str, **op: Any) -> Any:
    return studio.post(f"/api/projects/{project_id}/edits", op=op)


def film(studio: Studio) -> tuple[str, list[str]]:
    project_id = studio.project()
    document = studio.generated(project_id)
    return project_id, [shot["shot_id"] for shot in document["shots"]]


def grades(studio: Studio, project_id: str) -> list[float]:
    return [shot["grade"] for shot in studio.document(project_id)["shots"]]


def until(found: Callable[[], Any]) -> Any:
    end = patience_ends(30)
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.02)
    raise AssertionError("It did not happen within 30 s.")


def test_an_update_makes_changed_shots_again_in_order_and_leaves_nothing_stale(
    shared_studio: Studio,
) -> None:
    studio = shared_studio
    project_id, ids = film(studio)
    edit(studio, project_id, kind="set", shot_id=ids[0], fields={"prompt": "a blue box"})
    document = studio.document(project_id)
    assert grades(studio, project_id) == [1.0, 0, 0]
    assert document["shots"][0]["changes"] == ["Its prompt was changed"]
    # The later shots are not stale yet, but will be as soon as the first one is made again.
    assert [s["shot_id"] for s in document["update"]["shots"]] == ids
    for job in studio.post(f"/api/projects/{project_id}/update")["jobs"]:
        assert studio.wait(job)["state"] == "done"
    assert grades(studio, project_id) == [0, 0, 0]
    assert [s["take"]["number"] for s in studio.document(project_id)["shots"]] == [2, 2, 2]


def test_a_shot_that_is_accepted_is_fresh_until_undone(shared_studio: Studio) -> None:
    studio = shared_studio
    project_id, ids = film(studio)
    edit(studio, project_id, kind="set", shot_id=ids[0], fields={"muted": True})
    stale = grades(studio, project_id)
    assert stale[1:] == [1.0, 0.5]
    done = edit(studio, project_id, kind="accept", shot_ids=[ids[2]])
    assert done["label"] == "Accept Shot 3 as is"
    assert grades(studio, project_id)[2] == 0
    studio.post(f"/api/projects/{project_id}/undo")
    assert grades(studio, project_id) == stale


def test_the_threshold_is_stored_and_decides_what_is_updated(shared_studio: Studio) -> None:
    studio = shared_studio
    project_id, ids = film(studio)
    edit(studio, project_id, kind="set", shot_id=ids[0], fields={"muted": True})
    path = f"/api/projects/{project_id}/update/threshold"
    assert studio.post(path, threshold=0.9) == {"threshold": 0.9}
    update = studio.document(project_id)["update"]
    # The third shot reads the second one, which is made again: nothing of what it read is left.
    assert [s["shot_id"] for s in update["shots"]] == [ids[1], ids[2]]
    assert update["threshold"] == 0.9
    answer = studio.client.post(path, json={"threshold": 1.5})
    assert answer.status_code == 422
    studio.post(path, threshold=0.1)


def test_forgetting_frames_reaches_the_engine_and_changes_no_other_shot(studio: Studio) -> None:
    project_id, ids = film(studio)
    part = {"shot_id": ids[0], "start": 3, "after": 6}
    done = edit(studio, project_id, kind="forget_frames", shot_id=ids[2], parts=[part])
    assert done["label"] == "Forget frames 3 to 5 of Shot 1 in Shot 3"
    assert [g > 0 for g in grades(studio, project_id)] == [False, False, True]
    (job,) = studio.post(f"/api/projects/{project_id}/generate", shot_ids=[ids[2]])["jobs"]
    assert studio.wait(job)["state"] == "done"
    spec = studio.engine.submitted[-1]
    assert isinstance(spec, GenerateSpec)
    assert [entry.hidden for entry in spec.entries] == [((3, 6),), ()]
    assert grades(studio, project_id) == [0, 0, 0]
    recall = studio.post(f"/api/projects/{project_id}/recall", frame=4, reader=ids[2])["job"]
    assert studio.wait(recall)["state"] == "done"
    asked = studio.engine.submitted[-1]
    assert isinstance(asked, RecallSpec)
    assert [entry.hidden for entry in asked.entries] == [((3, 6),), ()]


def test_a_forgotten_shot_is_recalled_as_hidden_at_its_own_place(studio: Studio) -> None:
    project_id, ids = film(studio)
    edit(studio, project_id, kind="set_memory", shot_id=ids[2], pins=[], forgotten=[ids[0]])
    recall = studio.post(f"/api/projects/{project_id}/recall", frame=4, reader=ids[2])["job"]
    assert studio.wait(recall)["state"] == "done"
    asked = studio.engine.submitted[-1]
    assert isinstance(asked, RecallSpec)
    assert [entry.hidden for entry in asked.entries] == [((0, 17),), ()]
    answer = studio.client.post(
        f"/api/projects/{project_id}/recall", json={"frame": 40, "reader": ids[1]}
    )
    assert answer.status_code == 422


def test_the_budget_limits_what_is_read_and_is_undone_like_an_edit(studio: Studio) -> None:
    project_id, ids = film(studio)
    edit(studio, project_id, kind="set_budget", tokens=1000)
    assert studio.document(project_id)["memory"]["budget"] == 1000
    # 30 tokens a shot: 40 more shots do not fit in 1,000 tokens.
    for _ in range(4):
        edit(studio, project_id, kind="duplicate", shot_ids=ids)
    assert studio.document(project_id)["memory"]["tokens"] == 90
    studio.post(f"/api/projects/{project_id}/undo")
    answer = studio.client.post(
        f"/api/projects/{project_id}/edits", json={"op": {"kind": "set_budget", "tokens": 5}}
    )
    assert answer.status_code == 422
    assert "1,000 to 20,000" in answer.json()["message"]


def test_fidelity_is_measured_once_while_nothing_waits(studio: Studio) -> None:
    project_id, ids = film(studio)
    path = f"/api/projects/{project_id}/fidelity"
    first = studio.post(path)
    assert first == {"shots": {}, "missing": 3}

    def complete() -> Any:
        found = studio.post(path)
        return found if not found["missing"] else None

    found = until(complete)
    assert set(found["shots"]) == set(ids)
    moments = found["shots"][ids[0]]["moments"]
    assert [m["frame"] for m in moments] == [0, 2, 6, 10, 14]
    assert moments[0]["psnr"] == 30.0
    asked = [s for s in studio.engine.submitted if isinstance(s, MeasureSpec)]
    assert len(asked) == 3
    studio.post(path)
    with studio.session.library.read() as tx:
        assert jobs.active(tx) == []


def test_a_measurement_that_fails_is_not_tried_again_at_once(studio: Studio) -> None:
    project_id, _ = film(studio)
    path = f"/api/projects/{project_id}/fidelity"
    studio.engine.cannot_measure = True
    assert studio.post(path)["missing"] == 3
    until(lambda: studio.post(path)["missing"] == 0)
    assert studio.post(path)["shots"] == {}
    assert studio.document(project_id)["jobs"] == []


def test_moments_cover_a_take_of_any_length() -> None:
    assert moments_of(1) == [0]
    assert moments_of(5) == [0, 2]
    assert moments_of(18) == [0, 2, 6, 10, 14, 17]
    long = moments_of(1001)
    assert len(long) == MOST_MOMENTS
    assert (long[0], long[-1]) == (0, 998)


def test_the_curve_is_kept_for_the_model_and_says_what_was_not_measured(studio: Studio) -> None:
    project_id, _ = film(studio)
    path = f"/api/projects/{project_id}/curve"
    assert studio.get(path) == {"points": [], "system": "frame_preservation"}
    assert studio.wait(studio.post(path)["job"])["state"] == "done"
    points = studio.get(path)["points"]
    assert [p["tokens"] for p in points if p["step_seconds"] is None] == [20_000, 90]
    assert [p["psnr"] for p in points if p["tokens"] == 90] == [20.0]
    asked = studio.engine.submitted[-1]
    assert isinstance(asked, CurveSpec)
    assert len(asked.media) == len(asked.entries) == 3


def test_two_systems_give_two_takes_and_the_pick_stays(studio: Studio) -> None:
    project_id, ids = film(studio)
    before = studio.document(project_id)["shots"][2]["take_id"]
    reply = studio.post(
        f"/api/projects/{project_id}/systems",
        shot_id=ids[2], systems=["frame_preservation", "none"],
    )  # fmt: skip
    done = [studio.wait(job) for job in reply["jobs"]]
    shot = studio.document(project_id)["shots"][2]
    assert shot["take_id"] == before
    # The take with its own system is there already; only the other one is made.
    assert shot["num_takes"] == 2
    assert not any(one["result"]["picked"] for one in done)
    made = [one["result"].get("reused") or one["result"]["take_ids"][0] for one in done]
    assert made[0] == before
    path = f"/api/projects/{project_id}/shots/{ids[2]}/takes"
    graded = [studio.get(f"{path}/{take_id}/grade") for take_id in made]
    assert [one["take"]["memory_tokens"] for one in graded] == [60, 0]
    assert [one["take"]["seed"] for one in graded] == [graded[0]["take"]["seed"]] * 2
    assert [one["grade"] for one in graded] == [0, 0]


@pytest.mark.parametrize("systems", [["none", "none"], ["none", "telepathy"]])
def test_a_comparison_needs_two_known_systems(shared_studio: Studio, systems: list[str]) -> None:
    project_id, ids = film(shared_studio)
    answer = shared_studio.client.post(
        f"/api/projects/{project_id}/systems", json={"shot_id": ids[0], "systems": systems}
    )
    assert answer.status_code == 422


def test_new_shots_use_the_memory_system_of_the_model(shared_studio: Studio) -> None:
    project_id = shared_studio.project()
    edit(shared_studio, project_id, kind="insert", before=None, prompt="a ball")
    systems = {s["memory"]["system"] for s in shared_studio.document(project_id)["shots"]}
    assert systems == {shared_studio.session.info().memory_system}
