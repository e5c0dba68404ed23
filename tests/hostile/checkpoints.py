"""Model folders and LoRAs that want to run code, read elsewhere or fill the memory."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.hostile.media import Bomb

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
Change = Callable[[Path], object]


def _header(header: dict[str, Any], data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _weights(data: bytes) -> Change:
    return lambda folder: (folder / WEIGHTS).write_bytes(data)


def _appended(folder: Path) -> None:
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"PK\x03\x04" + bytes(100))


def _truncated(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def _config(part: str, **values: Any) -> Change:
    def change(folder: Path) -> None:
        path = folder / part
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def _pickled(name: str) -> Change:
    def change(folder: Path) -> None:
        (folder / WEIGHTS).unlink()
        (folder / "transformer" / name).write_bytes(pickle.dumps(Bomb()))

    return change


def _index(shard: str) -> Change:
    def change(folder: Path) -> None:
        (folder / WEIGHTS).unlink()
        index = {"metadata": {}, "weight_map": {"proj_out.weight": shard}}
        path = folder / "transformer" / "diffusion_pytorch_model.safetensors.index.json"
        path.write_text(json.dumps(index))

    return change


def _broken(part: str, text: str) -> Change:
    return lambda folder: (folder / part).write_text(text)


_ONE = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
HOSTILE: Mapping[str, Change] = MappingProxyType(
    {
        "pickled bin": _pickled("diffusion_pytorch_model.bin"),
        "pickled pt": _pickled("model.pt"),
        "pickle named safetensors": _weights(pickle.dumps(Bomb())),
        "header of 2^40 bytes": _weights(struct.pack("<Q", 1 << 40) + b"{}"),
        "header that is no JSON": _weights(struct.pack("<Q", 4) + b"{{{{"),
        "tensors that overlap": _weights(_header({"a": _ONE, "b": _ONE}, bytes(16))),
        "hole between tensors": _weights(
            _header({"a": _ONE, "b": {**_ONE, "data_offsets": [32, 48]}}, bytes(48))
        ),
        "shape that does not fit its bytes": _weights(
            _header({"a": {**_ONE, "shape": [1 << 40]}}, bytes(16))
        ),
        "unknown dtype": _weights(_header({"a": {**_ONE, "dtype": "PICKLE"}}, bytes(16))),
        "offsets beyond the file": _weights(
            _header({"a": {**_ONE, "data_offsets": [0, 1 << 50]}}, bytes(16))
        ),
        "archive at the end": _appended,
        "half a file": _truncated,
        "empty weights": _weights(b""),
        "shard in another folder": _index("../../secret.safetensors"),
        "shard with an absolute path": _index("/etc/passwd"),
        "class of a stranger": _config("transformer/config.json", _class_name="Evil"),
        "pipeline of a stranger": _config("model_index.json", _class_name="EvilPipeline"),
        "scheduler of a stranger": _config("scheduler/scheduler_config.json", _class_name="Evil"),
        "configuration that is no JSON": _broken("transformer/config.json", "__import__('os')"),
        "configuration that is a list": _broken("vae/config.json", "[]"),
    }
)
"""What is changed in a sound model folder, by name."""
