"""The first minute: samples, this machine, another model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.card import load_card
from studio.actions.samples import FOLDER
from studio.settings import EMBEDDED_CHECKPOINT, checkpoint_of, keep_checkpoint
from studio.timeline.plan import unknown_words
from studio.timeline.storyboard import parse
from tests.conftest import Studio
from tests.fake_engine import FakeEngine


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "Wan of my own"
    shutil.copytree(EMBEDDED_CHECKPOINT, folder)
    return folder


def check(studio: Studio, folder: Path) -> Any:
    answer = studio.client.post("/api/model/check", json={"path": str(folder)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_three_samples_come_with_a_plan_and_their_pictures(studio: Studio) -> None:
    told = studio.get("/api/samples")["samples"]
    assert [sample["shots"] for sample in told] == [5, 6, 5]
    pictures = {f"/storyboards/pictures/{path.name}" for path in FOLDER.glob("pictures/*.jpg")}
    assert {sample["picture"] for sample in told} - {None} == pictures
    for sample in told:
        assert sample["seconds"] > 9
        assert sample["estimated_seconds"] > 0
        assert len(sample["shows"]) > 60


def test_every_word_of_a_sample_is_one_of_the_shipped_model() -> None:
    card = load_card(EMBEDDED_CHECKPOINT)
    for row in json.loads((FOLDER / "samples.json").read_text("utf-8")):
        board = parse((FOLDER / row["file"]).read_text("utf-8"), card.rate)
        prompts = " ".join(beat.text for beat in board.beats)
        assert unknown_words(prompts, frozenset(card.words)) == (), row["file"]


def test_a_sample_becomes_a_film_whose_shots_are_planned(studio: Studio) -> None:
    sample = studio.get("/api/samples")["samples"][1]
    project = studio.post("/api/projects", name=sample["title"])["id"]
    studio.post(f"/api/projects/{project}/storyboard", text=sample["text"], mode="append")
    assert len(studio.get(f"/api/projects/{project}")["shots"]) == 6


def test_the_machine_says_what_it_draws_with(studio: Studio) -> None:
    told = studio.get("/api/machine")
    assert (told["device"], told["threads"]) == ("cpu", 1)
    assert told["cores"] >= 1
    assert told["free_mib"] > 0
    assert told["model"]["is_embedded"] is True


def test_a_model_folder_is_checked_in_words_and_nothing_changes(
    studio: Studio, model: Path
) -> None:
    told = check(studio, model)
    assert told["problems"] == []
    assert "frame_preservation" in told["facts"]["memories"]
    wrong = check(studio, model.parent)
    assert "Did you mean" in wrong["problems"][0]
    relative = studio.client.post("/api/model/check", json={"path": "models/wan"})
    assert relative.status_code == 422
    assert "whole path" in relative.json()["message"]
    assert studio.session.settings.checkpoint == EMBEDDED_CHECKPOINT


def test_another_model_is_loaded_at_once_and_at_the_next_start(studio: Studio, model: Path) -> None:
    made: list[Path] = []

    def make(settings: object) -> FakeEngine:
        made.append(settings.checkpoint)  # type: ignore[attr-defined]
        return FakeEngine(studio.session.library.blobs.root)

    studio.session.make_executor = make
    before = studio.session.executor
    answer = studio.client.put("/api/model", json={"path": str(model)})
    assert answer.status_code == 200, answer.text
    assert made == [model]
    assert studio.session.executor is not before
    data = studio.session.settings.data_folder
    assert checkpoint_of(None, {}, data_folder=data) == model
    assert studio.client.put("/api/model", json={"path": None}).status_code == 200
    assert made == [model, EMBEDDED_CHECKPOINT]
    assert checkpoint_of(None, {}, data_folder=data) == EMBEDDED_CHECKPOINT
    document = studio.generated(studio.project("0:00 a red ball"))
    assert document["shots"][0]["take"]["number"] == 1


def test_a_folder_that_cannot_be_used_changes_nothing(studio: Studio, tmp_path: Path) -> None:
    before = studio.session.executor
    answer = studio.client.put("/api/model", json={"path": str(tmp_path)})
    assert answer.status_code == 422
    assert "model_index.json" in answer.json()["message"]
    assert studio.session.executor is before


def test_a_chosen_model_gives_way_to_an_argument_and_to_a_disk_that_is_gone(
    tmp_path: Path,
) -> None:
    keep_checkpoint(tmp_path, tmp_path)
    assert checkpoint_of(None, {}, data_folder=tmp_path) == tmp_path
    assert checkpoint_of("/elsewhere", {}, data_folder=tmp_path) == Path("/elsewhere")
    keep_checkpoint(tmp_path, tmp_path / "gone")
    assert checkpoint_of(None, {}, data_folder=tmp_path) == EMBEDDED_CHECKPOINT
    (tmp_path / "model.json").write_text("{")
    assert checkpoint_of(None, {}, data_folder=tmp_path) == EMBEDDED_CHECKPOINT
