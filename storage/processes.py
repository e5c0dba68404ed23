"""Which process: a pid alone is reused, with the boot and the start time it is not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ProcessId:
    """One process of one boot of this machine."""

    pid: int
    boot_id: str
    """Empty where the system has none."""
    start_time: str
    """Clock ticks since the boot. Empty where the system does not say."""


def this_process() -> ProcessId:
    """Return who we are."""
    pid = os.getpid()
    return ProcessId(pid=pid, boot_id=_boot_id(), start_time=_start_time(pid))


def is_running(process: ProcessId) -> bool:
    """Return whether that very process still runs, not merely one with its number."""
    if process.boot_id != _boot_id():
        return False
    if process.start_time:
        return _start_time(process.pid) == process.start_time
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _start_time(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The name in brackets may hold spaces; the start time is field 22, a zombie counts as ended.
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
