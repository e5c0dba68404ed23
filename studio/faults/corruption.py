"""Corruption: flipped bits, cut and missing files; what changes a meaning must be reported."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DatabaseError

from storage import history, memory, projects, takes
from storage.check import check
from storage.database import Library
from storage.errors import StorageError
from studio.faults import workload
from studio.faults.folders import files_of, lay_out
from studio.faults.tally import Tally

_UNREADABLE = "unreadable"
_DATABASE_SHARE = 0.6
_REFUSALS = (StorageError, DatabaseError, OSError, LookupError, ValueError, TypeError)


def corruptions(scratch: Path, chosen: random.Random, *, acts: int = 30, faults: int = 40) -> Tally:
    """Damage a closed library at random and compare its meaning with what a check reports."""
    tally = Tally(kind="corruption")
    sound = scratch / "sound"
    workload.prepare(sound)
    workload.work(sound, chosen.randrange(1 << 30), lambda _told: None, count=acts)
    meaning = meaning_of(sound)
    files, folder = files_of(sound), scratch / "damaged"
    for number in range(faults):
        damaged, what = _damage(files, chosen)
        lay_out(folder, damaged)
        tally.injected += 1
        if meaning_of(folder) != meaning and not _is_reported(folder):
            tally.undetected += 1
            tally.notes.append(f"Number {number}: {what} changed the meaning unnoticed.")
    return tally


def meaning_of(folder: Path) -> Any:
    """Return everything an editor could tell apart, or a word for what cannot be read."""
    try:
        with Library.open(folder) as library, library.read() as tx:
            (project,) = projects.list_all(tx)
            nodes = history.nodes(tx, project.id)
            cuts = [history.cut_at(tx, node.id) for node in nodes]
            made = takes.of_project(tx, project.id)
            entries = [memory.for_latents(tx, t.latents_digest or "") for t in made]
            blobs = [library.blobs.read(digest) for digest in sorted(library.blobs.list())]
            branches = history.branches(tx, project.id)
            return project, nodes, cuts, made, entries, blobs, branches
    except _REFUSALS:
        return _UNREADABLE


def _damage(files: Mapping[str, bytes], chosen: random.Random) -> tuple[dict[str, bytes], str]:
    """Return the files with one of them damaged, and what was done."""
    damaged = dict(files)
    blobs = sorted(name for name in files if name.startswith("blobs/"))
    is_database = chosen.random() < _DATABASE_SHARE
    name = "library.sqlite3" if is_database else chosen.choice(blobs)
    ways = ("flip",) * 8 + ("truncate", "delete") if is_database else ("flip", "truncate", "delete")
    data, way = bytearray(files[name]), chosen.choice(ways)
    place = chosen.randrange(len(data))
    if way == "flip":
        data[place] ^= 1 << chosen.randrange(8)
        damaged[name] = bytes(data)
    elif way == "truncate":
        damaged[name] = bytes(data[:place])
    else:
        del damaged[name]
    return damaged, f"{way} of {name} at byte {place}"


def _is_reported(folder: Path) -> bool:
    try:
        with Library.open(folder) as library:
            return bool(check(library, read_data=True).problems)
    except _REFUSALS:
        return True
