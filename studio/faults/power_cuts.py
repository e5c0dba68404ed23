"""Power cuts: the disk as it may be at any instant, rebuilt from what was written and synced.

The model is POSIX's, harsher than most file systems: an unsynced write was kept, dropped or torn at
512 bytes, independently of all others; a name is durable once its folder was synced, and unsynced
changes of one folder arrive in order or not at all.
"""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from storage.records import Json
from studio.faults import traced, workload
from studio.faults.folders import digest_of_files, files_of, lay_out
from studio.faults.tally import Tally
from studio.faults.traced import Event
from studio.faults.verify import look_after

_SECTOR = 512
_MAPPED = "-shm"  # shared memory of SQLite: rebuilt from the log, never written by a call


def power_cuts(
    scratch: Path, chosen: random.Random, *, acts: int = 12, num_cuts: int = 100
) -> Tally:
    """Cut the power at random instants of one traced run and look at each disk that is left.

    Opening and closing the library are part of the run. Only disks that differ are counted.
    """
    tally = Tally(kind="power cut")
    folder, base = scratch / "library", scratch / "base"
    workload.prepare(folder)
    shutil.copytree(folder, base)
    events = traced.record(folder, chosen.randrange(1 << 30), acts, scratch / "log")
    cuts = sorted(chosen.randrange(len(events) + 1) for _ in range(num_cuts))
    seen = set()
    for disk, told in disks(base, events, cuts):
        files = disk.after_cut(chosen)
        state = (digest_of_files(files), len(told))
        if state in seen:
            continue
        seen.add(state)
        lay_out(scratch / "left", files)
        tally.injected += 1
        look_after(scratch / "left", told, tally)
    return tally


@dataclass
class Inode:
    """A file: what a power cut cannot take, and writes since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)

    def sync(self) -> None:
        """Make everything written so far durable."""
        for event in self.pending:
            _apply(self.durable, event, len(event.data))
        self.pending = []

    def after_cut(self, chosen: random.Random) -> bytes:
        """Return the bytes that a cut leaves: each unsynced write whole, torn or not at all."""
        left = bytearray(self.durable)
        mode = chosen.choice(("none", "prefix", "any", "all"))
        reached = chosen.randrange(len(self.pending) + 1)
        for index, event in enumerate(self.pending):
            is_dropped = mode == "none" or (mode == "prefix" and index >= reached)
            if is_dropped or (mode == "any" and chosen.random() < 0.5):
                continue
            is_torn = mode != "all" and chosen.random() < 0.3
            whole = len(event.data)
            kept = chosen.randrange(whole + 1) // _SECTOR * _SECTOR if is_torn else whole
            _apply(left, event, kept)
        return bytes(left)


class Disk:
    """Files and names of a folder, each with what is durable of them."""

    def __init__(self, base: Path) -> None:
        self.names = {
            name: Inode(durable=bytearray(content))
            for name, content in files_of(base).items()
            if not name.endswith(_MAPPED)
        }
        self.durable_names = dict(self.names)
        self.pending_names: dict[str, list[tuple[Event, Inode]]] = defaultdict(list)

    def happen(self, event: Event) -> None:
        """Carry out one event."""
        if event.path.endswith(_MAPPED):
            return
        if event.kind == "sync" and event.path not in self.names:
            for change, inode in self.pending_names.pop(event.path, []):
                _rename(self.durable_names, change, inode)
        elif event.kind == "sync":
            self.names[event.path].sync()
        elif event.kind in ("write", "truncate"):
            self.names[event.path].pending.append(event)
        elif event.kind == "create" and event.path not in self.names:
            self._change(event, Inode())
        elif event.kind in ("rename", "unlink") and event.path in self.names:
            self._change(event, self.names[event.path])

    def after_cut(self, chosen: random.Random) -> dict[str, bytes]:
        """Return the files that a cut at this instant leaves."""
        names = dict(self.durable_names)
        for changes in self.pending_names.values():
            for change, inode in changes[: chosen.randrange(len(changes) + 1)]:
                _rename(names, change, inode)
        return {name: inode.after_cut(chosen) for name, inode in names.items()}

    def _change(self, event: Event, inode: Inode) -> None:
        _rename(self.names, event, inode)
        parent = PurePosixPath(event.target or event.path).parent.as_posix()
        self.pending_names[parent].append((event, inode))


def disks(
    base: Path, events: Sequence[Event], cuts: Sequence[int]
) -> Iterator[tuple[Disk, list[Json]]]:
    """Yield the disk before event number `cut`, and what was told by then, for each of `cuts`."""
    disk, told, position = Disk(base), [], 0
    for cut in cuts:
        for event in events[position:cut]:
            if event.told is not None:
                told.append(event.told)
            else:
                disk.happen(event)
        position = cut
        yield disk, list(told)


def _rename(names: dict[str, Inode], event: Event, inode: Inode) -> None:
    if event.kind == "create":
        names[event.path] = inode
        return
    # A rename across folders is one change of both.
    names.pop(event.path, None)
    if event.kind == "rename":
        names[event.target] = inode


def _apply(content: bytearray, event: Event, kept: int) -> None:
    if event.kind == "truncate":
        size = event.offset
        content[size:] = b"\0" * max(0, size - len(content))
        return
    start = len(content) if event.offset < 0 else event.offset
    if len(content) < start + kept:
        content.extend(b"\0" * (start + kept - len(content)))
    content[start : start + kept] = event.data[:kept]
