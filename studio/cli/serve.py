"""Open the studio: the page, its API and the queue, on this machine only."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from studio.cli.output import CliError, Output
from studio.cli.window import Desktop, has_display, show
from studio.session import MakeExecutor, open_library
from studio.settings import Settings

if TYPE_CHECKING:
    from uvicorn import Server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the studio itself."""
    parser.add_argument("--port", type=int, default=7860, help="default 7860")
    parser.add_argument("--host", default="127.0.0.1", help=argparse.SUPPRESS)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--no-browser", action="store_true", help="only print the address")
    shown.add_argument("--window", action="store_true", help="open in a window of its own")


def run(
    given: argparse.Namespace,
    settings: Settings,
    make_executor: MakeExecutor,
    output: Output,
    desktop: Desktop | None = None,
) -> int:
    """Serve until Ctrl-C, or until the window is closed.

    Raises:
        CliError: the port is taken, or a window was asked for where none can appear.
        LibraryInUse: another studio has the library; the message says where it is.
    """
    if given.window and desktop is None and not has_display():
        raise CliError(
            "There is no display to open a window on. Use --no-browser and open the printed "
            "address on a machine that has one, through an SSH tunnel."
        )
    # Not above: the other verbs start a second sooner without a web server.
    import uvicorn

    from studio.server import build_app

    with open_library(settings, address=settings.url) as library:
        _require_port(settings)
        app = build_app(settings, library, make_executor(settings), make_executor=make_executor)
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
        if given.window:
            _run_in_window(server, url, settings.data_folder / "window", output, desktop)
        else:
            opener = threading.Thread(
                target=_announce, args=(server, url, output, not given.no_browser), daemon=True
            )
            opener.start()
            server.run()
    return 0 if server.started else 1


def _run_in_window(
    server: Server, url: str, profile: Path, output: Output, desktop: Desktop | None
) -> None:
    """Serve on a thread, as a window wants the main one; closing the window ends the studio."""
    serving = threading.Thread(target=server.run)
    serving.start()
    try:
        _announce(server, url, output, wants_browser=False)
        if server.started and show(url, profile, desktop or Desktop()) == "left open":
            output.note("The studio is open in your browser. Press Ctrl-C here to stop it.")
            while serving.is_alive():
                serving.join(0.5)
    finally:
        server.should_exit = True
        serving.join()


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
