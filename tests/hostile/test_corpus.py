"""Every hostile file is refused in words, leaves nothing behind and runs nothing."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import CheckpointError
from engine.models.checkpoint import load_checkpoint
from studio.media.child import MediaRefused
from studio.media.ingest import Normal, normalise
from studio.timeline.storyboard import StoryboardError, parse
from tests.engine.conftest import build_tiny_checkpoint
from tests.hostile import checkpoints, media, texts
from tests.studio.media import made

NORMAL = Normal(rate=(8, 1), width=96, height=64, max_frames=80)


@pytest.fixture(scope="module")
def sound_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_checkpoint(tmp_path_factory.mktemp("sound") / "model")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder in which nothing may appear, and no connection may be made."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def refuse(*_arguments: object) -> None:
        raise AssertionError("a hostile file made a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield folder
    assert list(folder.iterdir()) == []
    assert threading.active_count() < 50


def test_there_are_more_than_sixty() -> None:
    assert len(media.HOSTILE) + len(checkpoints.HOSTILE) + len(texts.HOSTILE) > 60


@pytest.mark.parametrize("name", media.HOSTILE)
def test_no_film(name: str, tmp_path: Path, nowhere: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    made.take(folder / media.SECRET, range(12))
    path = folder / name
    media.HOSTILE[name](path)
    before = sorted(entry.name for entry in folder.iterdir())
    with pytest.raises(MediaRefused) as refusal:
        normalise(path, path.name, folder / "normal.mp4", NORMAL, lambda _share: None)
    assert len(str(refusal.value)) > 30
    assert sorted(entry.name for entry in folder.iterdir()) == before


@pytest.mark.parametrize("name", checkpoints.HOSTILE)
def test_no_model(name: str, tmp_path: Path, sound_model: Path, nowhere: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(sound_model, folder)
    checkpoints.HOSTILE[name](folder)
    with pytest.raises(CheckpointError) as refusal:
        load_checkpoint(folder)
    assert "xpected" in str(refusal.value)


@pytest.mark.parametrize("name", texts.HOSTILE)
def test_no_storyboard(name: str, nowhere: Path) -> None:
    try:
        board = parse(texts.HOSTILE[name], (8, 1))
    except StoryboardError as refusal:
        assert len(str(refusal)) > 20
    else:
        (problem,) = board.problems  # the line it is in, and what was expected there
        assert len(problem.message) > 20 and len(board.beats) <= 1
