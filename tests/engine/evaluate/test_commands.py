"""Every table runs from the command line, quickly, on a tiny untrained model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.evaluate import (
    dials,
    identity,
    judge,
    lint,
    prompts,
    readout,
    recall,
    renders,
    sheet,
    speed,
    vae,
)
from engine.evaluate.films import (
    NO_PAST,
    FilmedShot,
    Past,
    film,
    memory_of,
    names_of,
    past_of,
    published_story,
)
from engine.evaluate.shelf import Shelf
from engine.evaluate.takes import Order, Renderer
from engine.models.judge import Accuracy, Judge, JudgeConfig, load_judge, save_judge
from engine.protocol import StrengthEffect
from engine.recipes import Model
from engine.specs import LATER_SHARE
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
    cache = ["--cache", str(tmp_path / "cache")]
    effects = tmp_path / "effects.json"
    identity.main([*words, *cache, "--effects", str(effects)])
    rows = json.loads(effects.read_text("utf-8"))
    assert [row["strength"] for row in rows if row["figure"] == "looks kept"] == [0, 1, 2]
    assert all(StrengthEffect(**row).unit == "%" for row in rows)
    text = page.read_text("utf-8")
    for memory in ("drawn | -", "VAE | -", "own | 1", "own | 2", "none | -", "wrong | 2"):
        assert f"| {memory} | 1 |" in text
    assert "| its own film | 2 | 1 |" in text
    assert width_of(sheet) > 5 * 160
    prompts.main([*options(tiny_checkpoint, page), "--judge", str(judge_folder), *cache])
    told = page.read_text("utf-8")
    assert "Made: 0 in" in told  # all of them were in the identity table
    assert "## Looks that the caption of a first shot tells" in told
    assert "| rendered | 1 |" in told


def test_the_judge_is_measured_where_it_lies(
    tiny_checkpoint: Path, judge_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "judge"
    save_judge(load_judge(judge_folder), folder)
    weights = (folder / "model.safetensors").read_bytes()
    judge.main(["--judge", str(folder), "--vae", str(tiny_checkpoint / "vae"), "--clips", "2"])
    accuracy = load_judge(folder).config.accuracy
    assert accuracy["shirt"].num_shots == 2
    assert sum(row.frames for row in accuracy.values()) < len(accuracy)  # it was never trained
    assert (folder / "model.safetensors").read_bytes() == weights
    assert "shirt" in capsys.readouterr().out


@pytest.mark.slow
def test_dials_write_their_page(tiny_checkpoint: Path, tmp_path: Path) -> None:
    page = tmp_path / "dials.md"
    dials.main(options(tiny_checkpoint, page))
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("| ")]
    names = {row.split(" | ")[0].strip("| ") for row in rows[2:]}
    assert len(names) == 6
    for row in rows[2:]:
        assert row.split(" | ")[2].startswith("1.00 [")  # the reader on the drawn frames


def test_the_vae_is_measured_on_whole_clips(tiny_checkpoint: Path, tmp_path: Path) -> None:
    page = tmp_path / "vae.md"
    vae.main(options(tiny_checkpoint, page))
    text = page.read_text("utf-8")
    assert "| simple | 2 |" in text
    assert "| two people, props, weather | 2 |" in text


def test_the_sheet_has_a_row_for_each_story(tiny_checkpoint: Path, tmp_path: Path) -> None:
    page = tmp_path / "sheet.png"
    words = ["--checkpoint", str(tiny_checkpoint), "--out", str(page)]
    sheet.main([*words, "--stories", "1", "--shots", "3"])
    with Image.open(page) as picture:
        assert picture.width > 5 * 160
        assert picture.height > 96


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
    assert filmed[0].soft_frames.shape == filmed[0].drawn_FHW3.shape
    assert memory_of(model).cost(tuple(shot.entry for shot in filmed)).tokens == 3 * 45


def test_targets_are_never_described(filmed: list[FilmedShot]) -> None:
    targets = renders.targets_of(1, filmed)
    assert targets
    for target in targets:
        name = target.script.character.name
        assert not target.script.described
        assert name in {c.name for shot in target.past for c in shot.script.characters}
        assert target.last_seen.script.character.name == name
        assert len(target.own.state) == len(target.own.names) == target.position - 1


def order(filmed: list[FilmedShot], past: Past, seed: int = 0) -> Order:
    return Order(script=filmed[1].script, past=past, strength=1.0, seed=seed)


def test_a_take_depends_on_what_memory_holds(model: Model, filmed: list[FilmedShot]) -> None:
    own, none = Renderer(model).takes([order(filmed, past_of(filmed[:1])), order(filmed, NO_PAST)])
    assert not torch.equal(own.frames_FHW3, none.frames_FHW3)
    assert own.entries[0].num_latents == none.entries[0].num_latents == 5


def test_a_take_depends_on_who_is_in_its_past(model: Model, filmed: list[FilmedShot]) -> None:
    footage = Past(state=(filmed[0].entry,))
    of_others = replace(footage, names=(frozenset({"nobody"}),))
    own = replace(footage, names=(names_of(filmed[1].script),))
    orders = [order(filmed, past) for past in (footage, of_others, own)]
    latents = Renderer(model).latents(orders)
    assert not torch.equal(latents[0], latents[1])
    assert torch.equal(latents[0], latents[2])


def test_a_share_beyond_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        identity.main(["--later", "2"])
    assert "--later is 2. A share lies in 0..1." in capsys.readouterr().err


def test_the_later_of_two_shots_of_a_person_has_less_of_a_say(
    model: Model, filmed: list[FilmedShot]
) -> None:
    name = names_of(filmed[1].script)
    past = Past(state=(filmed[0].entry, filmed[2].entry), names=(name, name))
    later_aside = replace(past, names=(name, frozenset({"nobody"})))
    usual, first, every = (
        Renderer(model, later=later).latents([order(filmed, past)])[0]
        for later in (LATER_SHARE, 0.0, 1.0)
    )
    (aside,) = Renderer(model).latents([order(filmed, later_aside)])
    assert torch.equal(first, aside)
    assert not torch.equal(usual, first)
    assert not torch.equal(usual, every)


def test_a_shot_looks_the_same_alone_and_in_a_batch(model: Model, filmed: list[FilmedShot]) -> None:
    orders = [
        order(filmed, past_of(filmed[:1]), seed=0),
        order(filmed, past_of(filmed[2:]), seed=1),
        order(filmed, NO_PAST, seed=2),
    ]
    together = Renderer(model).latents(orders)
    for asked, latents in zip(orders, together, strict=True):
        alone = Renderer(model).latents([asked])[0]
        assert torch.allclose(alone, latents, atol=0.02)
    assert not torch.allclose(together[0], together[1], atol=0.1)


def test_a_shelf_gives_back_what_was_made_from_the_same_things(
    model: Model, filmed: list[FilmedShot], tmp_path: Path
) -> None:
    orders = [order(filmed, past_of(filmed[:1])), order(filmed, NO_PAST)]
    first = Renderer(model, shelf=Shelf(tmp_path))
    made = first.takes(orders)
    again = Renderer(model, shelf=Shelf(tmp_path))
    kept = again.takes(orders)
    assert (first.num_rendered, again.num_rendered) == (2, 0)
    for one, other in zip(made, kept, strict=True):
        assert torch.equal(one.frames_FHW3, other.frames_FHW3)
        assert torch.equal(one.entries[0].tensors["tokens"], other.entries[0].tensors["tokens"])
    again.takes([order(filmed, NO_PAST, seed=9)])
    assert again.num_rendered == 1


def test_the_lint_writes_its_page_with_and_without_latents(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    page = tmp_path / "lint.md"
    lint.main(options(tiny_checkpoint, page))
    text = page.read_text("utf-8")
    assert "## Notes about a person" in text
    for kind in ("colours", "features", "either"):
        assert f"| {kind} | " in text
    assert "of 3 test stories, drawn, not rendered" in text


def test_readout_writes_its_page(tiny_checkpoint: Path, tmp_path: Path) -> None:
    page = tmp_path / "readout.md"
    readout.main(options(tiny_checkpoint, page))
    rows = [line.split(" | ") for line in page.read_text("utf-8").splitlines()[-5:]]
    assert [row[0].removeprefix("| ") for row in rows[:2]] == [
        "tokens of phi",
        "its LR branch alone",
    ]
    # More components leave less open; all of them together leave nothing that was fitted.
    shares = [float(row[2].split()[0]) for row in rows[2:]]
    assert 0.0 <= shares[2] <= shares[1] <= shares[0] <= 1.0
