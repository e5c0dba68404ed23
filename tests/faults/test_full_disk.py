"""A full disk: the error says so, nothing acknowledged is lost, and freeing space mends it."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import history
from storage.check import check
from storage.database import Library
from storage.errors import DiskFull
from storage.records import Cut, Project
from tests.storage import scene

SIZE = 6 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 6 MiB."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(mounted)]
    if os.name == "nt" or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


class Ballast:
    """A file that takes all but `left` bytes of a disk."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ballast"

    def leave(self, left: int) -> None:
        self.free()
        status = os.statvfs(self.path.parent)
        size = status.f_bavail * status.f_frsize - left
        with self.path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(size, 1))

    def free(self) -> None:
        self.path.unlink(missing_ok=True)


def fill(library: Library, project: Project, chosen: random.Random, seen: list[str]) -> int:
    """Work until the disk is full, noting acknowledged nodes; return how often it was full."""
    for number in range(400):
        try:
            if chosen.random() < 0.3:
                library.blobs.put(chosen.randbytes(chosen.choice((3_000, 60_000, 200_000))))
            else:
                cut = history_cut(library, project, chosen)
                seen.append(scene.edit(library, project, cut, f"edit {number}").id)
        except DiskFull as error:
            assert "MB free" in str(error)
            return 1
    return 0


def history_cut(library: Library, project: Project, chosen: random.Random) -> Cut:
    with library.read() as tx:
        _, cut = history.head(tx, project.id)
    prompt = chosen.randbytes(chosen.choice((10, 2_000, 15_000))).hex()
    return scene.with_shots(cut, scene.shot("s1", prompt=prompt))


def cycles(disk: Path, *, count: int, seed: int) -> int:
    """Fill the disk that often, each time with other room left; return how often it was full."""
    chosen = random.Random(seed)
    ballast = Ballast(disk)
    seen: list[str] = []
    full = 0
    with Library.open(disk / "library") as library:
        project = scene.make_project(library)
        for _ in range(count):
            ballast.leave(chosen.randrange(8_000, 400_000))
            full += fill(library, project, chosen, seen)
            assert list((library.blobs.root / "tmp").iterdir()) == []
            ballast.free()
            drop_blobs(library)
            assert check(library, read_data=True).problems == []
            with library.read() as tx:
                known = {node.id for node in history.nodes(tx, project.id)}
                assert set(seen) <= known
                assert len(known) == len(seen) + 1, "a refused edit must not be there"
            seen.append(scene.edit(library, project, history_cut(library, project, chosen)).id)
    with Library.open(disk / "library") as library:
        assert check(library, read_data=True).problems == []
    return full


def drop_blobs(library: Library) -> None:
    """Make room again: the blobs of these tests have no rows."""
    with library.read() as tx:
        rows = set(tx.exec_driver_sql("SELECT digest FROM blob WHERE inline IS NULL").scalars())
    for digest in list(library.blobs.list()):
        if digest not in rows:
            library.blobs.delete(digest)


def test_a_full_disk_loses_nothing_and_works_again_once_freed(small_disk: Path) -> None:
    assert cycles(small_disk, count=4, seed=1) == 4


@pytest.mark.faults
def test_a_disk_that_is_full_again_and_again_loses_nothing(small_disk: Path) -> None:
    # The history of so many edits alone would fill the small one; what is left free is the same.
    larger = ["mount", "-o", f"remount,size={8 * SIZE}", str(small_disk)]
    subprocess.run(larger, check=True)
    assert cycles(small_disk, count=60, seed=2) >= 50


def test_a_library_that_cannot_even_open_says_that_the_disk_is_full(small_disk: Path) -> None:
    Library.open(small_disk / "library").close()
    ballast = Ballast(small_disk)
    ballast.leave(0)
    with pytest.raises(DiskFull, match="Free some space"):
        Library.open(small_disk / "library")
    with pytest.raises(DiskFull, match="Free some space"):
        Library.open(small_disk / "new library")
    ballast.free()
    with Library.open(small_disk / "library") as library:
        assert check(library, read_data=True).problems == []
