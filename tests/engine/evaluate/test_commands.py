"""Every table runs from the command line, quickly, on a tiny untrained model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.context import MemoryState
from engine.evaluate import identity, recall, renders, speed
from engine.evaluate.films import FilmedShot, film, make_take, memory_of, published_story
from engine.models.judge import Accuracy, Judge, JudgeConfig, save_judge
from engine.recipes import Model
from engine.train.world.attributes import ATTRIBUTES
from tests.engine.conftest import CPU


@pytest.fixture(scope="module")
def judge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    good = Accuracy(frames=1.0, soft=1.0, num_shots=1)
    config = JudgeConfig(heads=ATTRIBUTES, accuracy=dict.fromkeys(ATTRIBUTES, good))
    folder = tmp_path_factory.mktemp("judge")
    save_judge(Judge(config), folder)
    return folder


@pytest.fixture(autouse=True)
def one_thread_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    # The probe of the machine would choose bfloat16 on some computers.
    monkeypatch.setattr("engine.evaluate.films.choose_device", lambda **options: CPU)


def options(checkpoint: Path, out: Path) -> list[str]:
    return ["--quick", "--checkpoint", str(checkpoint), "--out", str(out)]


def width_of(path: Path) -> int:
    with Image.open(path) as picture:
        return int(picture.width)


def test_recall_writes_its_page_and_sheet(tiny_checkpoint: Path, tmp_path: Path) -> None:
    page, sheet = tmp_path / "recall.md", tmp_path / "recall.png"
    recall.main([*options(tiny_checkpoint, page), "--sheet", str(sheet)])
    text = page.read_text("utf-8")
    assert "## By number of past shots" in text
    assert "| all | 2 |" in text
    assert "2 frames of 1 test stories" in text
    assert width_of(sheet) > 4 * 160


def test_identity_writes_its_page_and_sheet(
    tiny_checkpoint: Path, judge_folder: Path, tmp_path: Path
) -> None:
    page, sheet = tmp_path / "identity.md", tmp_path / "identity.png"
    words = [*options(tiny_checkpoint, page), "--judge", str(judge_folder), "--sheet", str(sheet)]
    identity.main(words)
    text = page.read_text("utf-8")
    for memory in ("drawn | -", "VAE | -", "own | 1", "own | 2", "none | -", "wrong | 2"):
        assert f"| {memory} | 1 |" in text
    assert width_of(sheet) > 5 * 160


def test_speed_writes_its_page(tiny_checkpoint: Path, tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    speed.main(options(tiny_checkpoint, page))
    rows = [line.split(" | ") for line in page.read_text("utf-8").splitlines() if line[:1] == "|"]
    tokens = {(row[0].strip("| "), row[1]): int(row[2]) for row in rows[2:]}
    assert tokens == {("0", "1"): 0, ("2", "1"): 90, ("2", "2"): 90}


@pytest.fixture(scope="module")
def filmed(model: Model) -> list[FilmedShot]:
    return film(model, published_story(1, num_shots=3))


def test_filmed_shots_are_what_memory_was_given(model: Model, filmed: list[FilmedShot]) -> None:
    assert [shot.entry.num_frames for shot in filmed] == [17, 17, 17]
    assert filmed[0].soft_FHW3.shape == filmed[0].drawn_FHW3.shape
    assert memory_of(model).cost(tuple(shot.entry for shot in filmed)).tokens == 3 * 45


def test_targets_are_never_described(filmed: list[FilmedShot]) -> None:
    targets = renders.targets_of(1, filmed)
    assert targets
    for target in targets:
        name = target.script.character.name
        assert not target.script.described
        assert name in {c.name for shot in target.past for c in shot.script.characters}
        assert target.last_seen.script.character.name == name
        assert len(target.state) == target.position - 1


def test_a_take_depends_on_what_memory_holds(model: Model, filmed: list[FilmedShot]) -> None:
    state: MemoryState = (filmed[0].entry,)
    own = make_take(model, filmed[1].script, state, strength=1.0, seed=0)
    none = make_take(model, filmed[1].script, (), strength=1.0, seed=0)
    assert not torch.equal(own.frames_FHW3, none.frames_FHW3)
    assert own.entries[0].num_latents == none.entries[0].num_latents == 5
