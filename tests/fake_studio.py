"""A development server with the fake engine: `python -m tests.fake_studio --port N --data DIR`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import uvicorn

from storage.database import Library
from studio.server import build_app
from studio.settings import Settings
from tests.fake_engine import FakeEngine


def main() -> None:
    """Serve until Ctrl-C; the log names the address with its token."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--token", default="dev", help="fixed, so that a reload keeps the cookie")
    parser.add_argument("--step-seconds", type=float, default=0.4, help="time of a denoising step")
    parser.add_argument("--no-page", action="store_true", help="serve the JSON API alone")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    settings = Settings(data_folder=given.data.absolute(), port=given.port, token=given.token)
    with Library.open(settings.data_folder, address=settings.url) as library:
        engine = FakeEngine(library.blobs.root, step_seconds=given.step_seconds)
        app = build_app(settings, library, engine, has_page=not given.no_page)
        logging.info("Open %s/?token=%s", settings.url, settings.token)
        uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning")


if __name__ == "__main__":
    main()
