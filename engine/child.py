"""The first lines of the engine's process: its environment, its walls, its parent, then the worker.

Nothing here imports torch: the environment must be set before that.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import re
import signal
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine import sandbox
from storage.blobs import BlobStore

SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|DATABASE", re.IGNORECASE)
"""Names of environment variables that the engine has no use for: it opens nobody's files."""


@contextlib.contextmanager
def without_secrets() -> Iterator[None]:
    """Take what is secret out of this process's environment while it starts another one.

    The other one cannot forget it by itself: a process can always read what it began with.
    """
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if SECRET.search(name)}
    try:
        yield
    finally:
        os.environ.update(hidden)


def run_worker(connection: Connection, settings: dict[str, Any], worker: str) -> None:
    """Run a worker in the child: set the environment, watch the parent, import, serve."""
    # Ctrl-C in a terminal goes to the whole group; the server decides when the engine ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = str(settings.get("threads") or "")
    environment = {
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    if threads:
        environment |= {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    os.environ.update(environment)
    _confine(settings)  # before the first thread: those that run already would stay outside
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    module, _, function = worker.partition(":")
    getattr(importlib.import_module(module), function)(connection, settings)


def _confine(settings: dict[str, Any]) -> None:
    writable = []
    if settings.get("blobs"):
        blobs = BlobStore(Path(settings["blobs"]))  # makes its folders while that is still allowed
        writable = [blobs.root.resolve()]
        # What a killed engine leaves there is swept at the next start.
        tempfile.tempdir = os.environ["TMPDIR"] = str(blobs.root / "tmp")
    checkpoint = settings.get("checkpoint")
    readable = sandbox.linked(Path(checkpoint)) if checkpoint else []
    sandbox.confine(readable=readable, writable=writable)


def _end_with_parent() -> None:
    """End this process when its parent is gone, whatever the worker is busy with."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
