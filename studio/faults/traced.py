"""A workload under strace: every write, sync, rename and acknowledgement in the order it happened.

strace sees what really reaches the system, SQLite's own writes included, so what is simulated is
the program that ships and not a model of it. It is attached to a process that is forked with
everything imported: to start Python anew under strace would cost far more than the faults.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DatabaseError

from storage.errors import StorageError
from storage.records import Json
from studio.faults import victims, workload

_CALLS = (
    *("write", "pwrite64", "writev", "ftruncate", "fsync", "fdatasync", "openat"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat"),
)
_LINE = re.compile(r"^(?:\d+\s+)?(\w+)\((.*)\)\s+= (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_HANDLE = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")
_LONGEST = 8 << 20
_TIMEOUT = 300.0
_OPENINGS = 4
_SET_PTRACER, _ANYONE = 0x59616D61, ctypes.c_ulong(-1)

Kind = Literal["create", "write", "truncate", "rename", "unlink", "sync", "told"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to the disk, or an acknowledgement."""

    kind: Kind
    path: str = ""
    """Within the library's folder. Empty = none."""
    target: str = ""
    """Of a rename."""
    offset: int = -1
    """Of a write, in bytes; of a truncation, the new size. -1 = at the end."""
    data: bytes = b""
    told: Json | None = None


class NoTracer(RuntimeError):
    """strace is not installed, or tracing is not allowed here."""


def run(folder: Path, seed: int, count: int, *options: str) -> list[Json]:
    """Run the workload under strace with `options` and return what it acknowledged.

    Raises:
        NoTracer: strace is missing or may not trace.
    """
    tracer = shutil.which("strace")
    if tracer is None:
        raise NoTracer("strace is not installed. Install it (Debian: apt-get install strace).")
    pipe, process = victims.start(_wait_and_work, folder, seed, count)
    with pipe:
        pipe.recv_bytes()  # it allows to be traced
        command = [tracer, "-f", "-qq", *options, "-p", str(process.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as tracing:
            try:
                _await_tracer(process.pid, tracing)
                pipe.send_bytes(b"go")
                return _told_until_the_end(pipe)
            finally:
                victims.kill(process)


def record(folder: Path, seed: int, count: int, log: Path) -> list[Event]:
    """Run the workload and return everything it did to `folder`, in order."""
    calls = f"trace={','.join(_CALLS)}"
    run(folder, seed, count, "-y", "-xx", "-s", str(_LONGEST), "-e", calls, "-o", str(log))
    with log.open(encoding="ascii") as lines:
        return list(_events(lines, f"{folder.resolve()}/"))


def _wait_and_work(folder: Path, seed: int, count: int, pipe: Connection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        # Some systems let only ancestors trace; strace is a sibling.
        ctypes.CDLL(None).prctl(_SET_PTRACER, _ANYONE, 0, 0, 0)
    pipe.send_bytes(b"ready")
    pipe.recv_bytes()

    def say(told: Json) -> None:
        # `writev` is used for nothing else here, so a trace can tell it apart.
        os.writev(pipe.fileno(), [json.dumps(told).encode() + b"\n"])

    logging.disable()  # what goes wrong is wanted, and said through the pipe
    for _ in range(_OPENINGS):
        try:
            workload.work(folder, seed, say, count=count)
            return
        except (StorageError, DatabaseError, OSError) as error:
            say(workload.refusal(error))  # to open was refused: the editor starts it again
        except Exception as error:  # noqa: BLE001 - a process border: whoever waits must hear it
            say({"broke": repr(error)[:300]})
            return


def _await_tracer(pid: int | None, tracing: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _TIMEOUT
    while "\nTracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
        if tracing.poll() is not None or time.monotonic() > end:
            tracing.kill()
            said = tracing.stderr.read() if tracing.stderr else b""
            raise NoTracer(f"strace may not trace here: {said.decode(errors='replace')[:200]}")
        time.sleep(0.001)


def _told_until_the_end(pipe: Connection) -> list[Json]:
    said = b""
    while select.select([pipe], [], [], _TIMEOUT)[0] and (piece := os.read(pipe.fileno(), 1 << 16)):
        said += piece
    whole = said[: said.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


def _events(lines: Iterator[str], root: str) -> Iterator[Event]:
    for line in lines:
        match = _LINE.match(line)
        if match is None or int(match[3]) < 0:
            continue
        event = _event(match[1], match[2], int(match[3]), root)
        if event is not None:
            yield event


def _event(call: str, arguments: str, result: int, root: str) -> Event | None:
    handle = _HANDLE.match(arguments)
    path = _within(_text(handle[2]), root) if handle else None
    if call == "writev":
        return _told(arguments)
    if call in ("rename", "renameat", "renameat2"):
        source, target = (_within(_text(s), root) for s in _STRING.findall(arguments)[:2])
        return (
            None
            if source is None or target is None
            else Event(kind="rename", path=source, target=target)
        )
    if call in ("unlink", "unlinkat"):
        gone = _within(_text(_STRING.findall(arguments)[0]), root)
        return None if gone is None else Event(kind="unlink", path=gone)
    if call == "openat":
        made = _within(_text(_STRING.findall(arguments)[0]), root)
        is_made = "O_CREAT" in arguments
        return Event(kind="create", path=made) if made is not None and is_made else None
    if path is None:
        return None
    if call in ("fsync", "fdatasync"):
        return Event(kind="sync", path=path)
    if call == "ftruncate":
        return Event(kind="truncate", path=path, offset=int(arguments.rsplit(",", 1)[1]))
    data = _bytes(_STRING.findall(arguments)[0])[:result]
    offset = int(arguments.rsplit(",", 1)[1]) if call == "pwrite64" else -1
    return Event(kind="write", path=path, offset=offset, data=data)


def _told(arguments: str) -> Event:
    return Event(kind="told", told=json.loads(_bytes(_STRING.findall(arguments)[0])))


def _within(path: str, root: str) -> str | None:
    if path == root.rstrip("/"):
        return "."
    return path.removeprefix(root) if path.startswith(root) else None


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _text(text: str) -> str:
    return _bytes(text).decode(errors="surrogateescape")
