"""A worker that looks around: it tries what an engine should not be able to do, and tells."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine import wire
from engine.protocol import Failed
from storage.blobs import BlobStore


def main(connection: Connection, settings: dict[str, Any]) -> None:
    """Try everything, in a thread of its own as jobs do, and say what was possible."""
    told: dict[str, str] = {}
    looking = threading.Thread(target=_look, args=(settings, told))
    looking.start()
    looking.join()
    connection.send_bytes(wire.encode(Failed(job_id="", error="", message=json.dumps(told))))
    with contextlib.suppress(EOFError):
        connection.recv_bytes()


def _look(settings: dict[str, Any], told: dict[str, str]) -> None:
    port, secret, blobs = settings["port"], Path(settings["secret"]), Path(settings["blobs"])
    attempts: dict[str, Callable[[], object]] = {
        "connect": lambda: socket.create_connection(("127.0.0.1", port), timeout=5),
        "send": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)),
        "read": secret.read_bytes,
        "list": lambda: list(secret.parent.iterdir()),
        "database": (blobs.parent / "library.sqlite3").read_bytes,
        "write": lambda: secret.with_name("new").write_bytes(b"x"),
        "change": lambda: Path(__file__).open("r+b").close(),
        "link": lambda: os.link(secret, blobs / "tmp" / "link"),
        "model": (Path(settings["checkpoint"]) / "weights").read_bytes,
        "blob": lambda: BlobStore(blobs).put(b"latents"),
        "temporary": lambda: tempfile.TemporaryFile().write(b"x"),  # noqa: SIM115
        "pair": socket.socketpair,
    }
    for name, attempt in attempts.items():
        try:
            attempt()
            told[name] = "possible"
        except OSError as error:
            told[name] = type(error).__name__
