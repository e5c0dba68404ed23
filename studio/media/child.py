"""A spawned child for everything that decodes or encodes: watched, limited, killed when told.

A task is named by a string and imported in the child. It speaks JSON bytes on a pipe, as the engine
does, and writes into a folder that the parent removes, so that nothing half-written stays.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from engine.watch import exit_in_words

MAX_MESSAGE_BYTES = 1 << 20
MIB = 1 << 20

Json = dict[str, Any]
Told = Callable[[float], None]
"""Called with the share of the task that is done."""


class MediaRefused(Exception):
    """A file or a cut cannot be worked on; the message is for the editor."""


class MediaCancelled(Exception):
    """The task was stopped as asked."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may use. 0 = no limit."""

    silence_seconds: float = 60.0
    """Without any word of progress the child counts as stuck."""
    address_mib: int = 0
    cpu_seconds: int = 0
    file_mib: int = 0
    """Largest file that it may write."""


HOSTILE = Limits(silence_seconds=30.0, address_mib=4096, cpu_seconds=3600, file_mib=8192)
"""For a child that opens a stranger's file."""


def run(
    task: str,
    arguments: Json,
    *,
    limits: Limits,
    told: Told,
    cancelled: Callable[[], bool],
) -> Json:
    """Run a task in a child of its own and return its result.

    Args:
        task: `module:function`, called in the child with the arguments and a `Told`.
        arguments: JSON.
        limits: of the child.
        told: hears the share that is done.
        cancelled: asked often; True ends the child at once.

    Raises:
        MediaRefused: the task said why not, took too long or too much, or crashed.
        MediaCancelled: as asked.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=run_task, args=(theirs, task, arguments, limits), daemon=True, name="media"
    )
    process.start()
    theirs.close()
    try:
        return _listen(ours, process, limits, told, cancelled)
    finally:
        process.kill()
        process.join()
        ours.close()


def _listen(
    connection: Connection,
    process: BaseProcess,
    limits: Limits,
    told: Told,
    cancelled: Callable[[], bool],
) -> Json:
    heard_at = time.monotonic()
    while True:
        if cancelled():
            raise MediaCancelled("The task was stopped.")
        if time.monotonic() - heard_at > limits.silence_seconds:
            raise MediaRefused(
                f"No frame was read or written for {limits.silence_seconds:.0f} s, so it was "
                "stopped. The file may be damaged or made to never end."
            )
        if not connection.poll(0.1):
            continue
        try:
            message = json.loads(connection.recv_bytes(MAX_MESSAGE_BYTES))
        except (EOFError, OSError, ValueError) as error:
            process.join(5)
            raise MediaRefused(
                f"The process that read the file {exit_in_words(process.exitcode)}. "
                "The file may be damaged, or larger than this machine can hold."
            ) from error
        heard_at = time.monotonic()
        if message["kind"] == "done":
            return dict(message["result"])
        if message["kind"] == "refused":
            raise MediaRefused(message["message"])
        told(float(message["done"]))


def run_task(connection: Connection, task: str, arguments: Json, limits: Limits) -> None:
    """Run a task in the child: set the limits, watch the parent, report."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(limits)

    def say(message: Json) -> None:
        connection.send_bytes(json.dumps(message).encode())

    last = 0.0

    def told(done: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > 0.1:
            last = now
            say({"kind": "progress", "done": done})

    module, _, function = task.partition(":")
    try:
        result = getattr(importlib.import_module(module), function)(arguments, told)
    except MediaRefused as error:
        say({"kind": "refused", "message": str(error)})
    except MemoryError:
        words = "The file needs more memory than an import may use. Try a smaller picture size."
        say({"kind": "refused", "message": words})
    except OSError as error:
        say({"kind": "refused", "message": _disk_in_words(error)})
    else:
        say({"kind": "done", "result": result})


def _disk_in_words(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"The file could not be read or written: {reason}. Is the disk full?"


def _limit(limits: Limits) -> None:
    if os.name != "posix":
        return
    import resource  # not on Windows

    wanted = (
        (resource.RLIMIT_AS, limits.address_mib * MIB),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_mib * MIB),
        (resource.RLIMIT_CORE, 0),
    )
    for which, value in wanted:
        if value or which == resource.RLIMIT_CORE:
            resource.setrlimit(which, (value, value))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
