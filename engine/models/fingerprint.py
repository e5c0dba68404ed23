"""Which model this is: a digest of its files, so that equal specs mean equal takes."""

from __future__ import annotations

import hashlib
from pathlib import Path

WHOLE_BYTES = 64 << 20
"""Files up to this size are read whole. Of larger ones samples are: 28 GB would take minutes."""
SAMPLES = 64
SAMPLE_BYTES = 256 << 10


def fingerprint(folder: Path) -> str:
    """Return a SHA-256 over names, sizes and contents of every file that a model is loaded from."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".json", ".safetensors") or not path.is_file():
            continue
        size = path.stat().st_size
        hasher.update(f"{path.relative_to(folder).as_posix()}|{size}|".encode())
        with path.open("rb") as file:
            for offset in _offsets(size):
                file.seek(offset)
                hasher.update(file.read(size if size <= WHOLE_BYTES else SAMPLE_BYTES))
    return hasher.hexdigest()


def _offsets(size: int) -> list[int]:
    if size <= WHOLE_BYTES:
        return [0]
    # The first sample holds the header of a safetensors file, which names every tensor.
    return [index * (size - SAMPLE_BYTES) // (SAMPLES - 1) for index in range(SAMPLES)]
