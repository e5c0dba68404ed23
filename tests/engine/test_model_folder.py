"""A model folder is looked at without loading it, and what is wrong is said with what to do."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest

from engine.model_folder import inspect_folder

EMBEDDED = Path(__file__).parents[2] / "assets" / "checkpoints" / "embedded"


def weights(path: Path, size: int = 4) -> None:
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanPipeline"}')
    for name, stem in (("vae", "diffusion_pytorch_model"), ("text_encoder", "model")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        weights(tmp_path / name / f"{stem}.safetensors")
    transformer = tmp_path / "transformer"
    transformer.mkdir()
    (transformer / "config.json").write_text("{}")
    shards = {"a": "part-1.safetensors", "b": "part-2.safetensors", "c": "part-1.safetensors"}
    index = json.dumps({"weight_map": shards})
    (transformer / "diffusion_pytorch_model.safetensors.index.json").write_text(index)
    for shard in set(shards.values()):
        weights(transformer / shard)
    for name in ("tokenizer/tokenizer.json", "scheduler/scheduler_config.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("{}")
    return tmp_path


def problem(folder: Path) -> str:
    (told,) = inspect_folder(folder).problems
    return told


def test_the_shipped_model_can_be_used_and_has_a_memory() -> None:
    report = inspect_folder(EMBEDDED)
    assert report.problems == ()
    assert report.memories == ("frame_preservation", "frame_preservation_2x2x4")
    assert report.card is not None
    assert 20e6 < report.weight_bytes < 28 * (1 << 20)


def test_a_sharded_folder_without_a_card_is_a_wan_without_a_memory(folder: Path) -> None:
    report = inspect_folder(folder)
    assert (report.problems, report.memories) == ((), ())
    assert report.card is not None
    assert report.card.name == "Wan"
    assert report.weight_bytes == sum(p.stat().st_size for p in folder.rglob("*.safetensors"))


def test_a_download_that_was_cut_off_is_found_by_its_length(folder: Path) -> None:
    path = folder / "transformer" / "part-2.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert "the download was cut off" in problem(folder)


def test_a_missing_shard_is_counted(folder: Path) -> None:
    (folder / "transformer" / "part-2.safetensors").unlink()
    assert "1 of 2 files of transformer are missing" in problem(folder)


def test_a_file_that_is_no_safetensors_is_named(folder: Path) -> None:
    for data in (b"", b"\xff" * 64, struct.pack("<Q", 4) + b"[[]]", struct.pack("<Q", 8) + b"[]"):
        (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(data)
        assert "is no safetensors file" in problem(folder)


def test_pickled_weights_are_refused_because_they_can_run_code(folder: Path) -> None:
    (folder / "text_encoder" / "model.safetensors").rename(
        folder / "text_encoder" / "pytorch_model.bin"
    )
    assert "can run code" in problem(folder)


def test_everything_that_is_missing_is_said_at_once(folder: Path) -> None:
    shutil.rmtree(folder / "tokenizer")
    shutil.rmtree(folder / "scheduler")
    (folder / "vae" / "config.json").unlink()
    told = " ".join(inspect_folder(folder).problems)
    assert all(word in told for word in ("tokenizer.json", "scheduler_config.json", "config.json"))


@pytest.mark.parametrize(
    ("index", "word"),
    [
        ('{"_class_name": "StableDiffusionPipeline"}', "StableDiffusionPipeline"),
        ("{", "cannot be read"),
        ("[]", "holds no object"),
    ],
)
def test_another_kind_of_model_is_refused_by_name(folder: Path, index: str, word: str) -> None:
    (folder / "model_index.json").write_text(index)
    assert word in problem(folder)


def test_a_folder_that_holds_the_model_in_a_folder_says_which(folder: Path) -> None:
    (folder / "inside").mkdir()
    for path in list(folder.iterdir()):
        if path.name != "inside":
            path.rename(folder / "inside" / path.name)
    assert f"Did you mean {folder / 'inside'}?" in problem(folder)


def test_no_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    assert "There is no folder" in problem(tmp_path / "nothing")
    (tmp_path / "wan.safetensors").write_bytes(b"x")
    assert "is a file" in problem(tmp_path / "wan.safetensors")
