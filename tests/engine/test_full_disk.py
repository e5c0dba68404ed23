"""A disk that fills up while the engine writes what is no blob: told as what it is."""

from __future__ import annotations

import errno
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.protocol import Failed, Run
from engine.recipes import Model
from engine.wire import decode_from_engine
from engine.worker import Worker
from tests.engine.test_jobs import SPEC


def full(*_: Any, **__: Any) -> Iterator[Any]:
    raise OSError(errno.ENOSPC, "No space left on device", "/tmp/take.mp4")


def test_a_disk_that_fills_under_a_temporary_file_is_told_in_words(
    model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("engine.generate.write_mp4", full)
    ours, theirs = multiprocessing.Pipe()
    engine = Worker(theirs, tmp_path / "blobs")
    monkeypatch.setattr(engine, "_pin", lambda job_id, digest: None)
    engine.jobs.put(Run(job_id="job", spec=SPEC))
    engine.jobs.put(None)
    engine.serve(model)
    theirs.close()
    said = []
    while True:
        try:
            said.append(decode_from_engine(ours.recv_bytes()))
        except EOFError:
            break
    ours.close()
    failed = said[-1]
    assert isinstance(failed, Failed)
    assert failed.error == "DiskFull"
    assert "is full" in failed.message and str(tmp_path) in failed.message
    assert caplog.records == []
