"""How long a test waits for what must come about: longer on a machine with other work."""

from __future__ import annotations

import os
import time

PATIENCE = float(os.environ.get("MNEMOREEL_TEST_PATIENCE", "1"))
"""How many times longer to wait than on an idle machine. No test that passes gets slower."""


def patience_ends(seconds: float) -> float:
    """Return when to give up: `seconds` of an idle machine from now, on the monotonic clock."""
    return time.monotonic() + seconds * PATIENCE
