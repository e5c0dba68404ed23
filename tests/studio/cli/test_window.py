"""A window of its own: what is tried in which order, and what closing it does."""

from __future__ import annotations

import argparse
import http.server
import os
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import studio.server
from studio.cli import serve, window
from studio.cli.output import CliError, Output
from studio.cli.window import Desktop, show
from studio.settings import Settings
from tests.fake_engine import FakeEngine

URL = "http://127.0.0.1:7860/?token=secret"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


class FakeWebview:
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def create_window(self, title: str, url: str, **size: Any) -> None:
        self.calls.append((title, url, size["min_size"]))

    def start(self) -> None:
        self.calls.append("start")


def test_pywebview_is_preferred_and_opens_one_window(tmp_path: Path) -> None:
    webview = FakeWebview()
    desktop = Desktop(webview=lambda: webview, browser=lambda: pytest.fail("not asked"))
    assert show(URL, tmp_path, desktop) == "closed"
    assert webview.calls == [("Mnemoreel", URL, (1024, 700)), "start"]


def test_a_browser_shows_the_page_without_its_bars_in_a_profile_of_its_own(tmp_path: Path) -> None:
    ran: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> int:
        ran.append(command)
        return 0

    desktop = Desktop(webview=lambda: None, browser=lambda: "/usr/bin/chromium", run=run)
    assert show(URL, tmp_path / "window", desktop) == "closed"
    assert ran[0][:3] == (
        "/usr/bin/chromium",
        f"--app={URL}",
        f"--user-data-dir={tmp_path / 'window'}",
    )


@pytest.mark.parametrize("browser", [None, "/usr/bin/chromium"])
def test_without_a_window_the_page_opens_in_the_usual_browser(
    browser: str | None, tmp_path: Path
) -> None:
    opened: list[str] = []

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    desktop = Desktop(
        webview=lambda: None,
        browser=lambda: browser,
        run=lambda _: 1,  # a browser that cannot start here
        open_page=open_page,
    )
    assert show(URL, tmp_path, desktop) == "left open"
    assert opened == [URL]


def test_no_display_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve, "has_display", lambda: False)
    given = argparse.Namespace(window=True, no_browser=False)
    settings = Settings(data_folder=tmp_path)
    with pytest.raises(CliError, match="SSH tunnel"):
        serve.run(given, settings, lambda _: pytest.fail("not made"), Output(is_json=False))


def test_browsers_are_found_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "microsoft-edge"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert window.app_browser() == str(program)
    program.unlink()
    assert window.app_browser() is None


class _Recorder(http.server.BaseHTTPRequestHandler):
    asked: list[str]
    was_asked: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.was_asked.set()
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium; set CHROMIUM")
def test_a_real_browser_opens_the_address_as_a_window(tmp_path: Path) -> None:
    _Recorder.asked, _Recorder.was_asked = [], threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    running: list[subprocess.Popen[bytes]] = []

    def run(command: Sequence[str]) -> int:
        running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        assert _Recorder.was_asked.wait(60), "the window never asked for the page"
        running[0].terminate()
        running[0].wait(20)
        return 0

    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
    desktop = Desktop(webview=lambda: None, browser=lambda: str(CHROMIUM), run=run, flags=flags)
    address = f"http://127.0.0.1:{server.server_port}/?token=secret"
    try:
        assert show(address, tmp_path / "profile", desktop) == "closed"
    finally:
        server.shutdown()
        server.server_close()
    assert _Recorder.asked[0] == "/?token=secret"


def test_closing_the_window_ends_the_studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = studio.server.build_app
    monkeypatch.setattr(
        studio.server, "build_app", lambda *a, **k: build(*a, **{**k, "has_page": False})
    )
    answers: list[int] = []

    class Window(FakeWebview):
        def start(self) -> None:
            url = self.calls[0][1]
            address, token = url.split("/?token=")
            request = urllib.request.Request(
                f"{address}/api/engine", headers={"authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                answers.append(answer.status)

    made = Window()
    given = argparse.Namespace(window=True, no_browser=False)
    settings = Settings(data_folder=tmp_path / "data", port=_free_port())
    desktop = Desktop(webview=lambda: made)
    engine = lambda s: FakeEngine(s.data_folder / "blobs")  # noqa: E731 - one line
    assert serve.run(given, settings, engine, Output(is_json=False), desktop) == 0
    assert answers == [200]
    assert "Mnemoreel is open at" in capsys.readouterr().out


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
