"""The studio in a window of its own: pywebview, else a browser without its bars, else a browser."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

TITLE = "Mnemoreel"
SIZE = (1440, 900)
SMALLEST = (1024, 700)
"""Below this the page scrolls."""
BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("msedge", "microsoft-edge", "microsoft-edge-stable", "brave-browser", "brave"),
)
"""Commands of browsers that know `--app=URL`."""
PLACES: Mapping[str, tuple[str, ...]] = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    "win32": (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
        r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
    ),
}
"""Where they are on systems that do not put them on the path."""

Shown = Literal["closed", "left open"]


def webview_module() -> Any | None:
    """Return pywebview, or None where it is not installed."""
    if importlib.util.find_spec("webview") is None:
        return None
    return importlib.import_module("webview")


def app_browser() -> str | None:
    """Return the first browser on this machine that can show a page without its bars."""
    found = (shutil.which(name) for name in BROWSERS)
    places = (place for place in PLACES.get(sys.platform, ()) if Path(place).is_file())
    return next((path for path in (*found, *places) if path), None)


@dataclass(frozen=True, kw_only=True)
class Desktop:
    """What this machine has to show a window with."""

    webview: Callable[[], Any | None] = webview_module
    browser: Callable[[], str | None] = app_browser
    run: Callable[[Sequence[str]], int] = subprocess.call
    """Runs a program and returns its exit code when it ends."""
    open_page: Callable[[str], bool] = webbrowser.open
    flags: tuple[str, ...] = ()
    """More flags for the browser."""


def show(url: str, profile: Path, desktop: Desktop) -> Shown:
    """Show the studio and return how it was left: a window that was closed, or a browser's page.

    Args:
        url: of the studio, with its token.
        profile: folder of the window's own browser profile, so that closing it ends that browser.
        desktop: what there is.
    """
    webview = desktop.webview()
    if webview is not None:
        webview.create_window(TITLE, url, width=SIZE[0], height=SIZE[1], min_size=SMALLEST)
        webview.start()
        return "closed"
    browser = desktop.browser()
    if browser is not None:
        code = desktop.run(
            (
                browser,
                f"--app={url}",
                f"--user-data-dir={profile}",
                f"--window-size={SIZE[0]},{SIZE[1]}",
                *("--no-first-run", "--no-default-browser-check"),
                *desktop.flags,
            )
        )
        if code == 0:
            return "closed"
    with contextlib.suppress(webbrowser.Error):
        desktop.open_page(url)
    return "left open"


def has_display() -> bool:
    """Return whether a browser window can appear: text browsers would take the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
