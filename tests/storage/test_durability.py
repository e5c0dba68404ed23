"""What is renamed, removed or made stays so after a power cut: files and folders are synced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage import backup
from storage.blobs import BlobStore
from storage.database import Library

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="the system does not say what a handle is open on"
)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced, renamed and removed from now on, in order, by name."""
    done: list[str] = []
    sync, replace, unlink = os.fsync, Path.replace, Path.unlink

    def note_sync(handle: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
        sync(handle)

    def note_rename(path: Path, target: Path) -> Path:
        done.append(f"rename to {Path(target).name}")
        return replace(path, target)

    def note_removal(path: Path, *, missing_ok: bool = False) -> None:
        done.append(f"remove {path.name}")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_rename)
    monkeypatch.setattr(Path, "unlink", note_removal)
    return done


def test_the_name_of_a_new_library_outlives_a_power_cut(tmp_path: Path, steps: list[str]) -> None:
    Library.open(tmp_path / "film").close()
    assert "sync film" in steps[steps.index("sync blobs") + 2 :]
    steps.clear()
    Library.open(tmp_path / "film").close()
    assert "sync blobs" not in steps


def test_the_folders_of_a_new_store_outlive_a_power_cut(tmp_path: Path, steps: list[str]) -> None:
    BlobStore(tmp_path / "store")
    assert steps == ["sync store", f"sync {tmp_path.name}"]


def test_a_backup_has_its_bytes_before_its_name(tmp_path: Path, steps: list[str]) -> None:
    Library.open(tmp_path / "film").close()
    steps.clear()
    backup.copy(tmp_path / "film" / "library.sqlite3", tmp_path / "kept" / "a.sqlite3")
    done = [step for step in steps if not step.startswith("remove")]
    assert done == ["sync a.sqlite3.part", "rename to a.sqlite3", "sync kept"]


def test_a_deleted_blob_stays_deleted(tmp_path: Path, steps: list[str]) -> None:
    store = BlobStore(tmp_path / "store")
    digest = store.put(b"rain").digest
    steps.clear()
    store.delete(digest)
    assert steps == [f"remove {digest}", f"sync {digest[:2]}"]


def test_a_blob_in_quarantine_stays_there(tmp_path: Path, steps: list[str]) -> None:
    store = BlobStore(tmp_path / "store")
    digest = store.put(b"rain").digest
    path = store.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"rust")
    steps.clear()
    moved = store.quarantine(digest)
    assert moved is not None
    assert steps == [f"rename to {moved.name}", f"sync {digest[:2]}", "sync quarantine"]


def test_films_of_a_killed_engine_are_swept_with_the_rest(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "store")
    (store.root / "tmp" / "mnemoreel-film").mkdir()
    (store.root / "tmp" / "mnemoreel-film" / "a.mp4").write_bytes(b"half")
    (store.root / "tmp" / "half").write_bytes(b"half")
    assert store.sweep_temporary() == 2
    assert list((store.root / "tmp").iterdir()) == []
