"""Whether a folder is a Wan checkpoint that can be opened, found out without loading it.

Only small JSON files and the headers of weights are read, so that the server can answer at once
and a folder from a stranger is never more than looked at. Nothing here imports torch.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.card import Card, load_card, read_json
from engine.errors import CheckpointError

PARTS = {
    "vae": "diffusion_pytorch_model",
    "transformer": "diffusion_pytorch_model",
    "text_encoder": "model",
}
"""Folders with weights, and what their files begin with."""
MAX_HEADER_BYTES = 64 << 20
"""Of one safetensors file."""
PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt"})


@dataclass(frozen=True, kw_only=True)
class FolderReport:
    """What was found in a folder."""

    folder: Path
    problems: tuple[str, ...]
    """Why it cannot be opened, and what to do. Empty = it can."""
    card: Card | None
    """What the model says of itself, where that can be read."""
    weight_bytes: int
    """Of all weights, as stored."""
    memories: tuple[str, ...]
    """Memory systems with trained weights in the folder. Empty = none was trained for it."""


def inspect_folder(folder: Path) -> FolderReport:
    """Return whether `folder` can be opened as a model; never raises for what is in it."""
    weights = 0
    problems: list[str] = []
    card: Card | None = None
    try:
        _require_wan(folder)
        card = load_card(folder)
    except (CheckpointError, TypeError) as error:
        problems.append(str(error))
    else:
        for name, stem in PARTS.items():
            try:
                read_json(folder / name / "config.json")
                weights += sum(_checked_size(path) for path in _weight_files(folder / name, stem))
            except (CheckpointError, OSError) as error:
                problems.append(str(error))
        for needed in ("tokenizer/tokenizer.json", "scheduler/scheduler_config.json"):
            if not (folder / needed).is_file():
                problems.append(f"There is no {needed} in {folder}. Download the folder again.")
    found = folder.glob("memory/*/config.json") if card is not None else ()
    return FolderReport(
        folder=folder,
        problems=tuple(problems),
        card=card,
        weight_bytes=weights,
        memories=tuple(sorted(path.parent.name for path in found)),
    )


def _require_wan(folder: Path) -> None:
    if folder.is_file():
        raise CheckpointError(
            f"{folder} is a file. Expected the folder of a Wan model, with model_index.json in it."
        )
    if not folder.is_dir():
        raise CheckpointError(
            f"There is no folder at {folder}. Expected the folder of a Wan model: check the path."
        )
    if not (folder / "model_index.json").is_file():
        inside = next(folder.glob("*/model_index.json"), None)
        hint = f" Did you mean {inside.parent}?" if inside else ""
        raise CheckpointError(
            f"There is no model_index.json in {folder}. Expected a Wan folder in the Diffusers "
            f"layout, such as Wan2.1-T2V-1.3B-Diffusers.{hint}"
        )
    kind = read_json(folder / "model_index.json").get("_class_name")
    if kind != "WanPipeline":
        raise CheckpointError(f"{folder} holds a {kind!r}. Expected a WanPipeline folder.")


def _weight_files(folder: Path, stem: str) -> Iterator[Path]:
    single = folder / f"{stem}.safetensors"
    index = folder / f"{stem}.safetensors.index.json"
    if single.is_file():
        yield single
    elif index.is_file():
        shards = sorted({str(name) for name in read_json(index).get("weight_map", {}).values()})
        missing = [name for name in shards if not (folder / Path(name).name).is_file()]
        if missing:
            raise CheckpointError(
                f"{len(missing)} of {len(shards)} files of {folder.name} are missing, such as "
                f"{missing[0]}. Download the folder again."
            )
        yield from (folder / Path(name).name for name in shards)
    elif any(path.suffix in PICKLED for path in folder.glob("*")):
        raise CheckpointError(
            f"{folder} holds pickled weights only, which can run code. Expected safetensors: "
            "download that version of the model."
        )
    else:
        raise CheckpointError(f"There are no weights in {folder}. Download the folder again.")


def _checked_size(path: Path) -> int:
    """Return the bytes of a safetensors file that is as long as its header says."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else MAX_HEADER_BYTES + 1
        if length > min(MAX_HEADER_BYTES, size):
            raise CheckpointError(f"{path} is no safetensors file. Download it again.")
        try:
            header = json.loads(file.read(length))
            ends = [row["data_offsets"][1] for name, row in header.items() if name[:2] != "__"]
            expected = 8 + length + int(max(ends, default=0))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise CheckpointError(f"{path} is no safetensors file. Download it again.") from error
    if size != expected:
        raise CheckpointError(
            f"{path} has {size} bytes. Expected {expected}: the download was cut off, get it again."
        )
    return size
