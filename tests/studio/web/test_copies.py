"""A copy of a film has its takes and its memory, and is a film of its own."""

from __future__ import annotations

from typing import Any

from engine.specs import GenerateSpec
from storage import marks
from tests.conftest import Studio


def copy_of(studio: Studio, project: str) -> Any:
    return studio.post(f"/api/projects/{project}/duplicate")


def without_ids(document: Any) -> Any:
    kept = ("prompt", "num_frames", "in", "out", "start", "params", "stale", "title")
    rows = [{name: shot[name] for name in kept} for shot in document["shots"]]
    takes = [shot["take"] for shot in document["shots"]]
    return rows, [(t["number"], t["media"], t["seed"], t["memory_tokens"]) for t in takes]


def test_a_copy_shows_the_same_film_and_no_picture_is_stored_twice(studio: Studio) -> None:
    project = studio.project()
    first = studio.generated(project)
    made = copy_of(studio, project)
    assert made["name"] == "Film copy"
    assert copy_of(studio, project)["name"] == "Film copy 2"
    second = studio.document(made["id"])
    assert without_ids(second) == without_ids(first)
    ids = {shot["shot_id"] for shot in first["shots"]}
    assert not ids & {shot["shot_id"] for shot in second["shots"]}
    assert second["label"] == "Copy “Film”"
    takes = {shot["take_id"] for shot in second["shots"]}
    assert {s["take_id"] for s in second["shots"][2]["take"]["sources"]} < takes


def test_a_new_shot_of_a_copy_reads_the_copied_takes_from_memory(studio: Studio) -> None:
    project = studio.project()
    studio.generated(project)
    copied = copy_of(studio, project)["id"]
    studio.post(f"/api/projects/{copied}/storyboard", text="0:00 a blue box", mode="append")
    document = studio.generated(copied)
    assert document["shots"][3]["take"]["memory_tokens"] == 90
    specs = [spec for spec in studio.engine.submitted if isinstance(spec, GenerateSpec)]
    assert [e.take_id for e in specs[-1].entries] == [s["take_id"] for s in document["shots"][:3]]


def test_changing_a_copy_leaves_the_original_as_it_was(studio: Studio) -> None:
    project = studio.project()
    before = studio.generated(project)
    copied = copy_of(studio, project)["id"]
    shot = studio.document(copied)["shots"][0]["shot_id"]
    studio.post(f"/api/projects/{copied}/edits", op={"kind": "delete", "shot_ids": [shot]})
    assert studio.document(project)["shots"] == before["shots"]


def test_what_an_editor_thinks_of_takes_is_copied_too(studio: Studio) -> None:
    project = studio.project("0:00 a red ball")
    take = studio.generated(project)["shots"][0]["take_id"]
    with studio.session.library.write() as tx:
        marks.rate(tx, take, 4)
    copied = studio.document(copy_of(studio, project)["id"])["shots"][0]["take_id"]
    with studio.session.library.read() as tx:
        assert marks.of_takes(tx, [copied])[copied].rating == 4


def test_a_film_that_is_not_there_cannot_be_copied(studio: Studio) -> None:
    assert studio.client.post("/api/projects/nothing/duplicate", json={}).status_code == 404


def test_deleted_films_are_listed_apart(studio: Studio) -> None:
    kept, gone = studio.project(), studio.project()
    studio.client.request("DELETE", f"/api/projects/{gone}", json={})
    told = studio.get("/api/projects")
    assert [row["id"] for row in told["projects"]] == [kept]
    assert [(row["id"], row["shots"]) for row in told["deleted"]] == [(gone, 3)]
    assert told["deleted"][0]["deleted_at"] > told["deleted"][0]["created_at"]
    assert (told["projects"][0]["rate"], told["projects"][0]["deleted_at"]) == ([8, 1], None)
