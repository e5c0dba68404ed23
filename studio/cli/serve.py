"""Open the studio: the page, its API and the queue, on this machine only."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

from engine.protocol import Executor
from storage.database import Library
from studio.cli.output import CliError, Output
from studio.settings import Settings

if TYPE_CHECKING:
    from uvicorn import Server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the studio itself."""
    parser.add_argument("--port", type=int, default=7860, help="default 7860")
    parser.add_argument("--host", default="127.0.0.1", help=argparse.SUPPRESS)
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(given: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """Serve until Ctrl-C.

    Raises:
        CliError: the port is taken.
        LibraryInUse: another studio has the library; the message says where it is.
    """
    # Not above: the other verbs start a second sooner without a web server.
    import uvicorn

    from studio.server import build_app

    with Library.open(settings.data_folder, address=settings.url) as library:
        library.backup_if_due()
        _require_port(settings)
        app = build_app(settings, library, executor)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            # The access log would hold the token of the first URL.
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        url = f"{settings.url}/?token={settings.token}"
        opener = threading.Thread(
            target=_announce, args=(server, url, output, not given.no_browser), daemon=True
        )
        opener.start()
        server.run()
    return 0 if server.started else 1


def _announce(server: Server, url: str, output: Output, wants_browser: bool) -> None:  # noqa: FBT001 - a thread's argument
    waiting = threading.Event()
    while not server.started and not server.should_exit:
        waiting.wait(0.05)
    if not server.started:
        return
    output.result(
        {"url": url, "pid": os.getpid()},
        f"Mnemoreel is open at {url}\nPress Ctrl-C to stop it. Nothing is lost.",
    )
    if wants_browser and has_display():
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(url)


def has_display() -> bool:
    """Return whether a browser window can appear: text browsers would take the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _require_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CliError(
                f"Port {settings.port} is taken by another program ({error.strerror}). "
                f"Choose another one: --port {settings.port + 1}."
            ) from error
