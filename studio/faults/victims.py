"""Processes that are there to be broken: forked with everything imported, and killed at will."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess


def start(target: Callable[..., None], *arguments: object) -> tuple[Connection, BaseProcess]:
    """Run `target(*arguments, pipe)` in a process of its own; return our end of the pipe and it."""
    # Forked where that exists: a fresh interpreter would spend its life importing.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
    here, there = context.Pipe()
    process = context.Process(target=target, args=(*arguments, there))  # type: ignore[attr-defined]
    process.start()
    there.close()
    return here, process


def kill(process: BaseProcess) -> bool:
    """Kill the process with SIGKILL and wait; return whether that, and nothing else, ended it."""
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL
