"""Bundles of strangers: whatever is not exactly as it should be is refused, and leaves no trace."""

from __future__ import annotations

import json
import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from storage import history
from storage.bundle import import_bundle
from storage.bundle_file import Limits
from storage.database import Library
from storage.errors import Refused, StorageError
from storage.records import Project
from tests.fixtures.make_library import content as database_content
from tests.storage import films, scene
from tests.storage.films import Members, refuse


def test_the_untouched_bundle_is_taken(good: Members, library: Library, tmp_path: Path) -> None:
    assert import_bundle(library, films.write(tmp_path / "b", good)).num_takes == 2


NAMES = {
    "../evil": "outside",
    "blobs/../../evil": "outside",
    "/etc/passwd": "outside",
    "\\evil": "outside",
    "C:\\evil": "outside",
    "c:evil": "outside",
    "blobs\\..\\evil": "outside",
    "evil.py": "none that a bundle has",
    "blobs/": "none that a bundle has",
    "blobs/" + "0" * 63: "none that a bundle has",
    "MANIFEST.json": "but for case",
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_name_that_no_bundle_has_is_refused(
    good: Members, victim: Library, tmp_path: Path, name: str
) -> None:
    assert NAMES[name] in refuse(victim, films.write(tmp_path / "b", {**good, name: b"x"}))


def test_a_blob_named_twice_but_for_case_is_refused(
    good: Members, victim: Library, tmp_path: Path
) -> None:
    name = next(n for n in good if n.startswith("blobs/") and n != n.upper())
    found = {**good, "blobs/" + name[6:].upper(): good[name]}
    assert "but for case" in refuse(victim, films.write(tmp_path / "b", found))


def test_a_link_is_refused(good: Members, victim: Library, tmp_path: Path) -> None:
    path = films.write(tmp_path / "b", good)
    info = zipfile.ZipInfo("blobs/" + "0" * 64)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(info, "/etc/passwd")
    assert "is a link" in refuse(victim, path)


def test_an_odd_way_to_squeeze_is_refused(good: Members, victim: Library, tmp_path: Path) -> None:
    path = tmp_path / "b"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as file:
        for name, data in good.items():
            file.writestr(name, data)
    assert "not by deflate" in refuse(victim, path)


@pytest.mark.parametrize("data", [b"", b"PK", b"hello" * 100, b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_is_refused(victim: Library, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "b"
    path.write_bytes(data)
    assert "no bundle" in refuse(victim, path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_bundle_that_is_cut_off_is_refused(
    good: Members, victim: Library, tmp_path: Path, share: float
) -> None:
    path = films.write(tmp_path / "b", good)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refuse(victim, path)


@pytest.mark.parametrize("name", ["manifest.json", "nodes.jsonl", "blobs.jsonl"])
def test_a_bundle_without_a_member_is_refused(
    good: Members, victim: Library, tmp_path: Path, name: str
) -> None:
    del good[name]
    assert name in refuse(victim, films.write(tmp_path / "b", good))


def test_any_changed_byte_of_a_blob_is_refused(
    good: Members, victim: Library, tmp_path: Path
) -> None:
    for name in [n for n in good if n.startswith("blobs/")]:
        changed = good[name][:-1] + bytes([good[name][-1] ^ 1])
        assert "digest" in refuse(victim, films.write(tmp_path / "b", {**good, name: changed}))


def test_a_blob_of_another_size_is_refused(good: Members, victim: Library, tmp_path: Path) -> None:
    name = [n for n in good if n.startswith("blobs/")][3]
    good[name] += b"x"
    assert "size" in refuse(victim, films.write(tmp_path / "b", good))


def test_a_flipped_byte_of_the_file_is_never_taken_for_good(good: Members, tmp_path: Path) -> None:
    path = films.write(tmp_path / "b", good)
    data = bytearray(path.read_bytes())
    with scene.open_library(tmp_path / "clean") as library:
        import_bundle(library, path)
        (project_id,) = [
            p["id"] for p in database_content(library.folder / "library.sqlite3")["project"]
        ]
        wanted = films.content(library, str(project_id))
    step = max(1, len(data) // 12)
    for at in range(7, len(data), step):
        changed = bytearray(data)
        changed[at] ^= 0x10
        path.write_bytes(changed)
        with scene.open_library(tmp_path / f"flip{at}") as library:
            try:
                told = import_bundle(library, path)
            except StorageError:
                continue
            # The zip's own dates and attributes mean nothing: all that was stored is the same.
            assert films.content(library, told.project_id) == wanted


def test_a_million_nodes_are_refused_before_they_are_read(
    good: Members, victim: Library, tmp_path: Path
) -> None:
    manifest = json.loads(good["manifest.json"])
    good["nodes.jsonl"] = b"{}\n" * 1_000_000
    manifest["parts"]["nodes"] |= {"rows": 1_000_000, "size": 3_000_000}
    films.change_manifest(good, parts=manifest["parts"])
    assert "1000000 rows" in refuse(victim, films.write(tmp_path / "b", good))


def test_more_rows_than_the_manifest_says_are_refused_while_they_are_read(
    good: Members, victim: Library, tmp_path: Path
) -> None:
    good["nodes.jsonl"] = good["nodes.jsonl"] + b"\n" * 1_000
    assert "nodes" in refuse(victim, films.write(tmp_path / "b", good))


def test_a_bomb_is_refused_by_what_it_says(good: Members, victim: Library, tmp_path: Path) -> None:
    name = next(n for n in good if n.startswith("blobs/"))
    good[name] = bytes(8 << 20)
    limits = Limits(max_bytes=4 << 20)
    assert "at most" in refuse(victim, films.write(tmp_path / "b", good), limits)


def test_a_bomb_that_says_it_is_small_is_refused_while_it_is_read(
    good: Members, victim: Library, tmp_path: Path
) -> None:
    name = next(n for n in good if n.startswith("blobs/"))
    size = len(good[name])
    good[name] = bytes(8 << 20)
    path = films.write(tmp_path / "b", good)
    data = path.read_bytes()
    told = (8 << 20).to_bytes(4, "little")
    path.write_bytes(data.replace(told, size.to_bytes(4, "little")))
    refuse(victim, path)


def test_a_bundle_of_more_members_than_a_project_has_is_refused(
    good: Members, victim: Library, tmp_path: Path
) -> None:
    path = films.write(tmp_path / "b", good)
    assert "members" in refuse(victim, path, Limits(max_members=3))


def test_a_line_without_an_end_is_refused(good: Members, victim: Library, tmp_path: Path) -> None:
    good["nodes.jsonl"] = b"x" * len(good["nodes.jsonl"])
    path = films.write(tmp_path / "b", good)
    assert "nodes" in refuse(victim, path, Limits(max_line_bytes=10))


def test_ids_that_another_project_has_are_refused(
    library: Library, project: Project, good: Members, tmp_path: Path
) -> None:
    with library.write() as tx:
        history.ensure_shots(tx, project.id, [films.rows(good, "shots")[0]["id"]])
    words = refuse(library, films.write(tmp_path / "b", good))
    assert re.search("A shot .* another project", words)


def test_no_room_is_said_before_anything_is_stored(
    good: Members, victim: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert "is full" in refuse(victim, films.write(tmp_path / "b", good))


def test_a_refusal_is_of_the_storage(good: Members, victim: Library, tmp_path: Path) -> None:
    good["manifest.json"] = b"{}"
    with pytest.raises(Refused):
        import_bundle(victim, films.write(tmp_path / "b", good))
