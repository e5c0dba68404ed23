"""How much memory a process holds, what it may hold, and what its end means in plain words."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

MIB = 1 << 20
SHARE = 0.8
"""Of the machine's memory that the engine may hold when nobody set a limit."""
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def resident_mib(pid: int | None = None) -> int:
    """Return the resident memory of a process in MiB, this one by default. 0 = it is not known."""
    if platform.system() == "Linux":
        try:
            pages = Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE") // MIB
    if pid is None and platform.system() == "Darwin":
        import resource  # not on Windows

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MIB
    return 0


def machine_mib() -> int:
    """Return the memory of this machine, or of the container it is, in MiB. 0 = not known."""
    found = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB)
    with contextlib.suppress(OSError, ValueError):  # no such group, or the word "max"
        found.append(int(_CGROUP.read_text()) // MIB)
    return min(found, default=0)


def default_limit_mib() -> int:
    """Return what the engine may hold when nobody said: 80 % of the memory. 0 = no limit."""
    return int(SHARE * machine_mib())


def exit_in_words(exit_code: int | None) -> str:
    """Return what an exit code most likely means, for an editor."""
    if exit_code is None:
        return "does not answer"
    if exit_code in (137, -9):
        return "was stopped by the system, most likely because memory ran out (exit code 137)"
    if exit_code == -11:
        return "crashed in native code (segmentation fault)"
    if exit_code == -6:
        return "aborted in native code"
    if exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"ended by itself (exit code {exit_code})"
