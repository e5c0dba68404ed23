"""Tasks of a media child that misbehave."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from studio.media.child import Told


def sleep(_: dict[str, Any], __: Told) -> dict[str, Any]:
    time.sleep(60)
    return {}


def allocate(_: dict[str, Any], __: Told) -> dict[str, Any]:
    return {"size": len(bytearray(8 << 30))}


def crash(_: dict[str, Any], __: Told) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def write_much(arguments: dict[str, Any], _: Told) -> dict[str, Any]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    (Path(arguments["folder"]) / "large").write_bytes(bytes(4 << 20))
    return {}
