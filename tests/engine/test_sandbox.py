"""S28: the engine has no network and no files but its own, while it can do all of its work."""

from __future__ import annotations

import ctypes
import json
import socket
import sys
from pathlib import Path

import pytest

from engine import sandbox
from engine.client import LocalExecutor
from engine.errors import CheckpointError
from storage.blobs import BlobStore

needs_landlock = pytest.mark.skipif(
    sys.platform != "linux" or ctypes.CDLL(None).syscall(444, None, 0, 1) < 2,
    reason="this system has no Landlock",
)
FORBIDDEN = {"connect", "send", "listen", "read", "list", "database", "write", "change", "link"}


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str | int]:
    """A home with a secret, a data folder with a database, and a model that is a link."""
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    (tmp_path / "home" / ".ssh" / "id").write_bytes(b"secret")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "abc").write_bytes(b"weights")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").symlink_to(tmp_path / "cache" / "abc")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "library.sqlite3").write_bytes(b"rows")
    BlobStore(tmp_path / "data" / "blobs")
    return {
        "secret": str(tmp_path / "home" / ".ssh" / "id"),
        "blobs": str(tmp_path / "data" / "blobs"),
        "checkpoint": str(tmp_path / "model"),
    }


def look_around(place: dict[str, str | int]) -> dict[str, str]:
    """Start an engine that tries everything and return what was possible."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        executor = LocalExecutor({**place, "port": port}, worker="tests.engine.prying_worker:main")
        with pytest.raises(CheckpointError) as told:
            executor.start()
        executor.close()
    found: dict[str, str] = json.loads(str(told.value))
    return found


@needs_landlock
def test_an_engine_reaches_no_network_and_no_files_but_its_own(
    place: dict[str, str | int],
) -> None:
    found = look_around(place)
    possible = {name for name, what in found.items() if what == "possible"}
    assert possible == set(found) - FORBIDDEN
    assert {found[name] for name in FORBIDDEN - {"link"}} == {"PermissionError"}


def test_the_sandbox_can_be_left_away(
    place: dict[str, str | int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sandbox.SWITCH, "off")
    assert set(look_around(place).values()) == {"possible"}


def test_no_folder_that_holds_the_home_is_the_programs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path.home()), "/", str(Path.home() / "studio")])
    own = sandbox._own()
    assert Path.home() not in own
    assert Path("/") not in own
    assert (Path.home() / "studio").resolve() in own


def test_the_filter_lets_only_local_sockets_through() -> None:
    steps = sandbox._filter(7, 41)

    def verdict(architecture: int, number: int, first: int = 0) -> int:
        data, at, held = {4: architecture, 0: number, 16: first}, 0, 0
        while True:
            code, so, otherwise, value = steps[at]
            at += 1
            if code == 0x20:
                held = data[value]
            elif code == 0x06:
                return value
            else:
                is_so = held == value if code == 0x15 else held >= value
                at += so if is_so else otherwise

    allow, refuse = 0x7FFF0000, 0x00050000
    assert [verdict(7, 41, family) for family in (1, 16)] == [allow, allow]
    assert {verdict(7, 41, family) for family in (2, 10, 17, 40)} == {refuse | 13}
    assert verdict(7, 0) == allow  # any other call
    assert verdict(7, 425) == refuse | 38
    assert verdict(7, 41 | 0x40000000, 1) == refuse | 38
    assert verdict(8, 0) == refuse | 1
