"""What is known when the engine dies: a small file per crash, for whoever has to find the cause.

It holds no prompt, no token, and no path of the home folder: it can be sent to a stranger.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from engine.protocol import Crashed
from engine.watch import machine_mib
from storage.records import Job
from studio.session import Session

FOLDER = "crashes"
MOST_KEPT = 20
PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "av")
_HOME = "~"


def write_report(session: Session, job: Job, crash: Crashed, *, now: str) -> Path:
    """Write the report of a crash and return its file; the oldest ones make room for it.

    `now` is the time as text; it names the file.
    """
    folder = session.settings.data_folder / FOLDER
    folder.mkdir(exist_ok=True)
    info = session.executor.info
    report = {
        "at": now,
        "message": crash.message,
        "exit_code": crash.exit_code,
        "job": {"id": job.id, "kind": job.kind, "attempt": job.attempts + 1},
        "asked": {k: v for k, v in job.spec.items() if k in ("num_frames", "num_steps", "width")},
        "last_events": list(crash.last_events),
        "memory": {
            "engine_mib": crash.rss_mib,
            "machine_mib": machine_mib(),
            "limit_mib": session.settings.memory_limit_mib,
        },
        "model": None if info is None else {"name": info.model, "device": info.device},
        "versions": versions(PACKAGES),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    text = json.dumps(report, indent=1).replace(str(Path.home()), _HOME)
    path = folder / f"{now.replace(':', '-')}.json"
    path.write_text(text)
    for old in sorted(folder.glob("*.json"))[:-MOST_KEPT]:
        old.unlink()
    return path


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of packages as they are installed; the server imports none of them."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
