"""An engine whose pipe ends, ends: nobody is left to want its result."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from engine.worker import Worker


@pytest.mark.parametrize("last", [b"", b"this is no message"])
def test_an_engine_ends_with_its_pipe_and_at_words_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    ours, theirs = multiprocessing.Pipe()
    if last:
        ours.send_bytes(last)
    ours.close()
    with theirs, pytest.raises(SystemExit) as left:
        Worker(theirs, tmp_path / "blobs").listen()
    assert left.value.code == 0
