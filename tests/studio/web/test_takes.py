"""Takes over the API: batches, ranges, variations, pins, reuse, stars, the trash, presets."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.specs import BaseTake, GenerateSpec, PinnedFrame
from tests.conftest import Studio


def make(studio: Studio, project_id: str, index: int = 0, **body: Any) -> list[Any]:
    """Queue takes of one shot and return their jobs once they are over."""
    shot = studio.document(project_id)["shots"][index]["shot_id"]
    path = f"/api/projects/{project_id}/generate"
    queued = studio.post(path, shot_ids=[shot], **body)["jobs"]
    return [studio.wait(job) for job in queued]


def refused(studio: Studio, path: str, **body: Any) -> str:
    answer = studio.client.post(path, json=body)
    assert answer.status_code == 422, answer.text
    return str(answer.json()["message"])


def takes_of(studio: Studio, project_id: str, index: int = 0) -> list[Any]:
    shot = studio.document(project_id)["shots"][index]["shot_id"]
    found: list[Any] = studio.get(f"/api/projects/{project_id}/shots/{shot}/takes")["takes"]
    return found


def last_spec(studio: Studio) -> GenerateSpec:
    return [s for s in studio.engine.submitted if isinstance(s, GenerateSpec)][-1]


def edit(studio: Studio, project_id: str, **op: Any) -> Any:
    return studio.post(f"/api/projects/{project_id}/edits", op=op)


@pytest.fixture
def film(studio: Studio) -> str:
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    studio.generated(project_id)
    return project_id


def test_a_batch_makes_takes_with_other_seeds_and_picks_the_first(studio: Studio) -> None:
    project_id = studio.project("0:00 a red ball")
    seed = studio.document(project_id)["shots"][0]["params"]["seed"]
    done = make(studio, project_id, num_takes=3)
    found = takes_of(studio, project_id)
    assert [t["picked"] for t in found] == [True, False, False]
    assert [job["result"]["picked"] for job in done] == [True, False, False]
    assert found[0]["seed"] == seed
    assert len({t["seed"] for t in found}) == 3


def test_an_equal_spec_shows_the_take_that_is_there(studio: Studio, film: str) -> None:
    first = takes_of(studio, film)[0]
    make(studio, film, new_seed=True)
    before = len(studio.engine.submitted)
    (job,) = make(studio, film, seed=first["seed"])
    assert job["result"]["reused"] == first["take_id"]
    assert len(studio.engine.submitted) == before
    document = studio.document(film)
    assert document["shots"][0]["take_id"] == first["take_id"]
    assert document["label"] == "Pick take 1 of Shot 1, made before with the same settings"
    (again,) = make(studio, film)
    assert (again["result"]["reused"], again["result"]["picked"]) == (first["take_id"], False)
    (new,) = make(studio, film, new_seed=True)
    assert "reused" not in new["result"]


def test_other_memory_or_another_model_is_no_equal_spec(studio: Studio, film: str) -> None:
    make(studio, film, new_seed=True)
    (job,) = make(studio, film, index=1)
    assert "reused" not in job["result"]
    studio.post(f"/api/projects/{film}/undo")
    studio.post(f"/api/projects/{film}/undo")
    (job,) = make(studio, film, index=1)
    assert job["result"]["reused"] == studio.document(film)["shots"][1]["take_id"]


def test_a_take_in_the_trash_comes_back_for_an_equal_spec(studio: Studio, film: str) -> None:
    first = takes_of(studio, film)[0]
    make(studio, film, new_seed=True)
    studio.post(f"/api/projects/{film}/takes/{first['take_id']}/trash")
    (job,) = make(studio, film, seed=first["seed"])
    assert job["result"]["reused"] == first["take_id"]
    assert [t["trashed"] for t in takes_of(studio, film)] == [False, False]


def test_a_range_of_a_take_is_made_anew(studio: Studio, film: str) -> None:
    first = takes_of(studio, film)[0]
    base = {"take_id": first["take_id"], "in": 6, "out": 10}
    make(studio, film, base=base, new_seed=True)
    spec = last_spec(studio)
    assert isinstance(spec.base, BaseTake)
    assert (spec.base.redo, spec.base.strength, spec.num_frames) == ((2, 4), 1.0, 17)
    new = takes_of(studio, film)[1]
    assert new["made"]["base"] == {"number": 1, "in": 5, "out": 13, "strength": 1.0}
    assert new["picked"]
    assert studio.document(film)["label"] == "Make frames 5 to 12 of Shot 1 anew"


def test_a_variation_with_another_prompt_leaves_the_shot_as_it_is(
    studio: Studio, film: str
) -> None:
    first = takes_of(studio, film)[0]
    base = {"take_id": first["take_id"], "strength": 0.4}
    make(studio, film, base=base, prompt="a red box", seed=5)
    spec = last_spec(studio)
    assert (spec.prompt, spec.seed) == ("a red box", 5)
    assert spec.base is not None
    assert (spec.base.redo, spec.base.strength) == ((0, 5), 0.4)
    assert studio.document(film)["shots"][0]["prompt"] == "a red ball"
    assert takes_of(studio, film)[1]["prompt"] == "a red box"


def test_wishes_that_do_not_fit_are_refused(studio: Studio, film: str) -> None:
    path = f"/api/projects/{film}/generate"
    ids = [s["shot_id"] for s in studio.document(film)["shots"]]
    take = takes_of(studio, film)[0]["take_id"]
    assert "num_takes" in refused(studio, path, shot_ids=ids, num_takes=17)
    assert "is empty" in refused(studio, path, shot_ids=ids, prompt=" ")
    assert "one of this project" in refused(studio, path, shot_ids=ids[:1], base={"take_id": "x"})
    assert "Expected one shot" in refused(studio, path, shot_ids=ids, base={"take_id": take})
    reversed_range = {"take_id": take, "in": 9, "out": 3}
    assert "a part of the take" in refused(studio, path, shot_ids=ids[:1], base=reversed_range)


def test_a_shot_continues_from_the_one_before_it(studio: Studio, film: str) -> None:
    shots = studio.document(film)["shots"]
    pin = {"source": "neighbour"}
    edit(studio, film, kind="set", shot_id=shots[1]["shot_id"], fields={"start": pin})
    edit(studio, film, kind="trim", shot_id=shots[0]["shot_id"], **{"in": 0, "out": 12})
    make(studio, film, index=1)
    spec = last_spec(studio)
    assert isinstance(spec.start, PinnedFrame)
    assert (spec.start.source, spec.start.frame, spec.end) == ("take", 11, None)
    assert takes_of(studio, film, 1)[1]["made"]["start"]["frame"] == 11
    first = {"source": "neighbour"}
    edit(studio, film, kind="set", shot_id=shots[0]["shot_id"], fields={"start": first})
    (job,) = make(studio, film)
    assert "Generate that shot first" in job["error"]["message"]


def test_a_pin_never_changes_frames_that_are_held(studio: Studio, film: str) -> None:
    shot = studio.document(film)["shots"][0]
    pin = {"source": "take", "take_id": shot["take_id"], "frame": 3}
    fields = {"start": pin, "end": pin}
    edit(studio, film, kind="set", shot_id=shot["shot_id"], fields=fields)
    make(studio, film, base={"take_id": shot["take_id"], "in": 13, "out": 17})
    spec = last_spec(studio)
    assert spec.start is None
    assert spec.end is not None
    assert spec.end.frame == 3


def picture(size: tuple[int, int] = (200, 100)) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_of_ones_own_becomes_a_still_that_a_shot_can_start_from(
    studio: Studio, film: str
) -> None:
    path = f"/api/projects/{film}/stills"
    told = studio.client.post(path, params={"name": "a.png"}, content=picture()).json()
    with Image.open(io.BytesIO(studio.client.get(told["media"]).content)) as still:
        assert (still.size, still.format) == ((96, 64), "PNG")
    shot = studio.document(film)["shots"][0]["shot_id"]
    pin = {"source": "still", "digest": told["digest"]}
    edit(studio, film, kind="set", shot_id=shot, fields={"end": pin})
    make(studio, film)
    assert last_spec(studio).end == PinnedFrame(digest=told["digest"], source="still")
    bad = studio.client.post(path, params={"name": "a.png"}, content=b"no picture")
    assert (bad.status_code, "cannot be read as a picture" in bad.json()["message"]) == (422, True)


def test_stars_and_the_trash_change_no_take(studio: Studio, film: str) -> None:
    make(studio, film, new_seed=True)
    first, second = takes_of(studio, film)
    path = f"/api/projects/{film}/takes"
    studio.post(f"{path}/{first['take_id']}/rating", stars=4)
    studio.post(f"{path}/{first['take_id']}/trash")
    found = takes_of(studio, film)
    assert [(t["rating"], t["trashed"]) for t in found] == [(4, True), (0, False)]
    assert studio.document(film)["shots"][0]["num_takes"] == 1
    studio.post(f"{path}/{first['take_id']}/restore")
    assert [t["trashed"] for t in takes_of(studio, film)] == [False, False]
    assert takes_of(studio, film)[1] == second
    assert studio.client.post(f"{path}/{first['take_id']}/rating", json={"stars": 6}).is_error
    assert studio.client.post(f"{path}/nothing/trash", json={}).status_code == 404


def test_the_trash_asks_what_a_shot_shows_instead(studio: Studio, film: str) -> None:
    make(studio, film, new_seed=True)
    first, second = takes_of(studio, film)
    path = f"/api/projects/{film}/takes/{second['take_id']}/trash"
    assert "Pick another take" in refused(studio, path)
    done = studio.post(path, instead=first["take_id"])
    assert done["label"] == "Trash take 2 of Shot 1"
    assert studio.document(film)["shots"][0]["take_id"] == first["take_id"]
    assert [t["trashed"] for t in takes_of(studio, film)] == [False, True]
    path = f"/api/projects/{film}/takes/{first['take_id']}/trash"
    studio.post(path, may_leave_empty=True)
    shot = studio.document(film)["shots"][0]
    assert (shot["take"], shot["num_takes"]) == (None, 0)
    studio.post(f"/api/projects/{film}/undo")
    assert studio.document(film)["shots"][0]["take_id"] == first["take_id"]
    assert [t["trashed"] for t in takes_of(studio, film)] == [False, True]


def test_presets_are_kept_for_every_project(studio: Studio) -> None:
    fields = {"num_steps": 12, "guidance": 1.5, "strength": None}
    body = fields | {"memory_system": "frame_preservation"}
    assert studio.client.put("/api/presets/Draft", json=body).status_code == 200
    studio.client.put("/api/presets/best", json=body | {"num_steps": 30})
    studio.client.put("/api/presets/Draft", json=body | {"num_steps": 4})
    kept = studio.get("/api/presets")["presets"]
    assert [(p["name"], p["num_steps"]) for p in kept] == [("best", 30), ("Draft", 4)]
    assert studio.client.put("/api/presets/x", json=body | {"num_steps": -1}).status_code == 422
    assert studio.client.put("/api/presets/%20", json=body).status_code == 422
    removed = studio.client.request("DELETE", "/api/presets/best", json={})
    assert removed.json()["presets"] == kept[1:]
    assert studio.client.request("DELETE", "/api/presets/best", json={}).status_code == 404
