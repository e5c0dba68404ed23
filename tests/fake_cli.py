"""The command line with the fake engine: `python -m tests.fake_cli VERB ...`."""

from __future__ import annotations

import os
import sys

from engine.protocol import Executor
from studio.cli.main import main
from studio.settings import Settings
from tests.fake_engine import FakeEngine


def fake_executor(settings: Settings) -> Executor:
    """Return the fake engine; MNEMOREEL_FAKE_STEP_SECONDS slows it down."""
    seconds = float(os.environ.get("MNEMOREEL_FAKE_STEP_SECONDS", "0"))
    return FakeEngine(settings.data_folder / "blobs", step_seconds=seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], make_executor=fake_executor))
