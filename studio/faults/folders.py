"""Folders as values: read whole, changed at will, and laid out again file by file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder, by its path within it."""
    return {name: (folder / name).read_bytes() for name in _names_in(folder)}


def lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder hold exactly these files; equal ones and empty folders stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    there = set(_names_in(folder))
    for name in there - set(files):
        (folder / name).unlink()
    for name, content in files.items():
        path = folder / name
        if name in there and path.read_bytes() == content:
            continue
        # Stored blobs are read-only: they are replaced, not opened.
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """Return a digest of names and bytes, equal for equal folders."""
    sha = hashlib.sha256()
    for name in sorted(files):
        sha.update(f"{name}\0{len(files[name])}\0".encode())
        sha.update(files[name])
    return sha.hexdigest()


def _names_in(folder: Path | str, within: str = "") -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _names_in(entry.path, f"{within}{entry.name}/")
            else:
                yield within + entry.name
