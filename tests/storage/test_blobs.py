"""The blob store: names are digests, and what is visible is durable."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import BinaryIO

import pytest

from storage import blobs
from storage.blobs import BlobStore
from storage.errors import BlobCorrupt, BlobMissing, DiskFull


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


class Recorder:
    """Notes the order in which files are synced, renamed and pinned."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.steps: list[str] = []
        sync, replace = os.fsync, Path.replace

        def fsync(handle: int) -> None:
            kind = "folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file"  # noqa: PTH112
            self.steps.append(f"sync {kind}")
            sync(handle)

        def rename(path: Path, target: Path) -> Path:
            self.steps.append("rename")
            return replace(path, target)

        patch.setattr(os, "fsync", fsync)
        patch.setattr(Path, "replace", rename)

    def pin(self, _digest: str) -> None:
        self.steps.append("pin")


def temporary_files(store: BlobStore) -> list[Path]:
    return list((store.root / "tmp").iterdir())


def test_bytes_come_back_under_their_sha256(store: BlobStore) -> None:
    stored = store.put(b"rain")
    assert stored.digest == hashlib.sha256(b"rain").hexdigest()
    assert stored.size == 4
    assert store.read(stored.digest) == b"rain"
    assert store.size(stored.digest) == 4
    assert list(store.list()) == [stored.digest]


def test_a_stream_is_stored_piece_by_piece(store: BlobStore) -> None:
    data = os.urandom(3 * (1 << 20) + 17)
    assert store.read(store.put(io.BytesIO(data)).digest) == data


def test_a_stored_file_is_read_only(store: BlobStore) -> None:
    mode = store.path(store.put(b"rain").digest).stat().st_mode
    assert mode & 0o222 == 0


def test_a_new_file_is_synced_and_pinned_before_it_is_visible(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch)
    store.put(b"rain", recorder.pin)
    assert recorder.steps == ["sync file", "pin", "rename", "sync folder"]


def test_a_file_that_exists_is_synced_again_because_its_writer_may_have_been_killed(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(b"rain")
    recorder = Recorder(monkeypatch)
    store.put(b"rain", recorder.pin)
    assert recorder.steps == ["sync file", "pin", "sync file", "sync folder"]
    assert temporary_files(store) == []


def test_the_pin_is_told_the_digest_while_the_file_is_still_hidden(store: BlobStore) -> None:
    seen: list[tuple[str, bool]] = []
    stored = store.put(b"rain", lambda digest: seen.append((digest, store.exists(digest))))
    assert seen == [(stored.digest, False)]


def test_a_refused_pin_leaves_nothing(store: BlobStore) -> None:
    def refuse(_digest: str) -> None:
        raise ConnectionError("the server is gone")

    with pytest.raises(ConnectionError):
        store.put(b"rain", refuse)
    assert list(store.list()) == []
    assert temporary_files(store) == []


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE])
def test_a_failed_write_leaves_nothing_half_written(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(hashlib, "sha256", lambda: FailingHash(code))
        else:
            patch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[step], fail)
        with pytest.raises(DiskFull if code in (errno.ENOSPC, errno.EDQUOT) else OSError):
            store.put(b"rain" * 1000)
    assert list(store.list()) == []
    assert temporary_files(store) == []
    assert store.read(store.put(b"rain" * 1000).digest) == b"rain" * 1000


class FailingHash:
    """A disk that fails in the middle of a stream, seen from between two pieces."""

    def __init__(self, code: int) -> None:
        self.code = code

    def update(self, _piece: bytes) -> None:
        raise OSError(self.code, os.strerror(self.code))


def test_a_full_disk_says_how_much_is_free_and_how_much_is_needed(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    usage = shutil.disk_usage(store.root)._replace(free=1_500_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match=r"1\.5 MB free, 3\.0 MB needed"):
        store.put(b"x" * 3_000_000)


def test_a_missing_blob_says_what_to_do(store: BlobStore) -> None:
    digest = hashlib.sha256(b"never stored").hexdigest()
    assert not store.exists(digest)
    for read in (store.read, store.open, store.size, store.verify):
        with pytest.raises(BlobMissing, match=r"not in the store\. Run check"):
            read(digest)


@pytest.mark.parametrize("damage", ["flip", "cut", "grow"])
def test_a_changed_blob_is_noticed_even_after_it_was_read(store: BlobStore, damage: str) -> None:
    digest = store.put(b"rain" * 100).digest
    store.read(digest)
    path = store.path(digest)
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[17] ^= 1
    elif damage == "cut":
        del data[200:]
    else:
        data += b"!"
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(BlobCorrupt, match=f"{len(data)} bytes"):
        store.read(digest)


def test_a_blob_is_hashed_once_per_process_unless_it_changes(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[object] = []
    digest_of = blobs._digest_of

    def counted(file: BinaryIO) -> str:
        hashed.append(file)
        return digest_of(file)

    monkeypatch.setattr(blobs, "_digest_of", counted)
    digest = store.put(b"rain").digest
    store.read(digest)
    store.read(digest)
    assert len(hashed) == 1
    store.verify(digest)
    assert len(hashed) == 2


def test_storing_the_bytes_again_mends_a_corrupt_blob(store: BlobStore) -> None:
    digest = store.put(b"rain").digest
    path = store.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"ruin")
    store.put(b"rain")
    assert store.read(digest) == b"rain"


@pytest.mark.parametrize(
    "name",
    ["../x", "%2e%2e%2f", "..\\x", "\0", "CON", "a" * 5000, "", "A" * 64, "g" * 64, "a" * 63],
)
def test_a_name_that_is_no_digest_is_no_blob(store: BlobStore, name: str) -> None:
    for use in (store.path, store.read, store.size):
        with pytest.raises(BlobMissing, match="not a digest"):
            use(name)
    assert not store.exists(name)


def test_a_link_in_the_store_is_never_followed(store: BlobStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"rain")
    digest = hashlib.sha256(b"rain").hexdigest()
    store.path(digest).symlink_to(secret)
    assert not store.exists(digest)
    with pytest.raises(BlobMissing):
        store.read(digest)


def test_deleting_twice_is_deleting_once(store: BlobStore) -> None:
    digest = store.put(b"rain").digest
    store.delete(digest)
    store.delete(digest)
    assert list(store.list()) == []


def test_what_a_killed_writer_left_is_swept(store: BlobStore) -> None:
    (store.root / "tmp" / "left").write_bytes(b"half")
    assert store.sweep_temporary() == 1
    assert store.sweep_temporary() == 0


def test_files_that_are_no_blobs_are_not_listed(store: BlobStore) -> None:
    (store.root / "ab" / "notes.txt").write_text("not a blob")
    assert list(store.list()) == []
