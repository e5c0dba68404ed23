"""Memory entries as files: safetensors with a version, named tensors and a bounded size.

Law L10: nothing foreign is loaded. Unknown versions, unexpected names, shapes or dtypes and
oversize blobs are refused before a tensor is made.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from engine.context import Memory, MemoryEntry
from engine.errors import MemoryStateError

VERSION = "1"
MAX_ENTRY_BYTES = 256 << 20
"""Largest entry in bytes; a 5 s shot of Wan 14B at 2x2x1 stays below."""
MAX_HEADER_BYTES = 1 << 20
DTYPES = frozenset({"BF16", "F16", "F32"})


def to_bytes(entry: MemoryEntry) -> bytes:
    """Return `entry` as the bytes of one safetensors file."""
    description = {
        "version": VERSION,
        "key": entry.key,
        "system": entry.system,
        "fingerprint": entry.fingerprint,
        "latents_digest": entry.latents_digest,
        "previous_key": entry.previous_key,
        "num_latents": entry.num_latents,
        "num_frames": entry.num_frames,
        "grid": list(entry.grid),
    }
    tensors = {name: tensor.contiguous() for name, tensor in entry.tensors.items()}
    return save(tensors, metadata={"mnemoreel_entry": json.dumps(description, sort_keys=True)})


def from_bytes(data: bytes, memory: Memory) -> MemoryEntry:
    """Return the entry in `data`, checked against the memory system that will read it.

    Raises:
        MemoryStateError: not an entry, another version, another system or fingerprint, or tensors
            with unexpected names, shapes or dtypes.
    """
    header = _header(data)
    description = _description(header)
    info = memory.info
    if description["version"] != VERSION:
        raise MemoryStateError(
            f"A memory entry of version {description['version']!r}. Expected {VERSION!r}: "
            "update Mnemoreel, or let the studio make the entry again from its latents."
        )
    if description["system"] != info.name or description["fingerprint"] != info.fingerprint:
        raise MemoryStateError(
            f"A memory entry of {description['system']} {description['fingerprint'][:12]}. "
            f"Expected {info.name} {info.fingerprint[:12]}: the model has changed since; "
            "let the studio make the entry again from its latents."
        )
    entry = _entry(description, {})
    _check_tensors(header, dict(memory.expected_tensors(entry)))
    try:
        return _entry(description, load(data))
    except SafetensorError as error:
        raise MemoryStateError(f"A memory entry that cannot be read: {error}.") from error


def _header(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_ENTRY_BYTES:
        raise MemoryStateError(
            f"A memory entry of {len(data)} bytes. Expected at most {MAX_ENTRY_BYTES}."
        )
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else -1
    if not 2 <= length <= min(MAX_HEADER_BYTES, len(data) - 8):
        raise MemoryStateError(
            f"A file of {len(data)} bytes with a header of {length}. Expected a safetensors entry."
        )
    try:
        header = json.loads(data[8 : 8 + length])
    except ValueError as error:
        raise MemoryStateError(f"A memory entry whose header is not JSON: {error}.") from error
    if not isinstance(header, dict):
        raise MemoryStateError("A memory entry whose header is no object. Expected safetensors.")
    return header


def _description(header: dict[str, Any]) -> dict[str, Any]:
    metadata = header.get("__metadata__")
    text = metadata.get("mnemoreel_entry") if isinstance(metadata, dict) else None
    try:
        description = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        description = None
    fields = {
        "version": str, "key": str, "system": str, "fingerprint": str, "latents_digest": str,
        "previous_key": str, "num_latents": int, "num_frames": int, "grid": list,
    }  # fmt: skip
    if not isinstance(description, dict) or any(
        not isinstance(description.get(name), kind) for name, kind in fields.items()
    ):
        raise MemoryStateError(
            "A safetensors file without the description of a memory entry. Expected one that "
            "Mnemoreel wrote."
        )
    grid = description["grid"]
    if len(grid) != 3 or any(not isinstance(n, int) or not 0 < n <= 1 << 16 for n in grid):
        raise MemoryStateError(f"A memory entry with the grid {grid}. Expected three sizes.")
    return description


def _entry(description: dict[str, Any], tensors: dict[str, Any]) -> MemoryEntry:
    time, rows, columns = description["grid"]
    return MemoryEntry(
        key=description["key"],
        system=description["system"],
        fingerprint=description["fingerprint"],
        latents_digest=description["latents_digest"],
        previous_key=description["previous_key"],
        num_latents=description["num_latents"],
        num_frames=description["num_frames"],
        grid=(time, rows, columns),
        tensors=tensors,
    )


def _check_tensors(header: dict[str, Any], expected: dict[str, tuple[int, ...]]) -> None:
    found = {name: value for name, value in header.items() if name != "__metadata__"}
    if set(found) != set(expected):
        raise MemoryStateError(
            f"A memory entry with the tensors {sorted(found)}. Expected {sorted(expected)}."
        )
    for name, shape in expected.items():
        value = found[name] if isinstance(found[name], dict) else {}
        if tuple(value.get("shape", ())) != shape or value.get("dtype") not in DTYPES:
            raise MemoryStateError(
                f"A memory entry whose {name} is {value.get('dtype')} {value.get('shape')}. "
                f"Expected shape {list(shape)} in one of {sorted(DTYPES)}."
            )
