"""Click through the real studio with the real model and keep a picture of every screen.

Run as `python -m benchmarks.tour --out docs/screenshots`. Needs the requirements of the tests and a
Chromium (`CHROMIUM`, else /usr/bin/chromium).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SIZES = ((1440, 900), (1024, 700))
MINUTES = 5 * 60_000


@contextmanager
def studio(data: Path) -> Iterator[str]:
    """Open the studio on `data` and yield its address with the token."""
    command = [sys.executable, "app.py", "--no-browser", "--port", "7899", "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = None
        while found is None:
            found = re.search(r"http://\S+token=\S+", process.stdout.readline())
        try:
            yield found[0]
        finally:
            process.terminate()


class Tour:
    """One walk through the studio at one window size."""

    def __init__(self, page: Page, out: Path, size: tuple[int, int]) -> None:
        self.page = page
        self.out = out
        self.suffix = f"{size[0]}x{size[1]}"
        self.problems: list[str] = []
        page.set_default_timeout(MINUTES)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def keep(self, name: str) -> None:
        """Write a picture of the window as it is."""
        time.sleep(0.6)
        self.page.screenshot(path=self.out / f"{name}-{self.suffix}.png")

    def walk(self, url: str) -> None:
        """Make a film from the sample storyboard and look at every panel on the way."""
        page = self.page
        page.goto(url)
        ready = "() => fetch('/api/engine').then(r => r.json()).then(e => e.state === 'ready')"
        page.wait_for_function(ready, timeout=MINUTES)
        self.keep("1-home")
        page.get_by_role("button", name="New film").first.click()
        page.wait_for_function("() => window.mnemoreel?.document && mnemoreel.online")
        self.keep("2-empty")
        page.get_by_role("button", name="Use the sample storyboard").first.click()
        dialog = page.get_by_role("dialog", name="Import a storyboard")
        dialog.locator("tbody tr").nth(4).wait_for()
        self.keep("3-plan")
        dialog.get_by_role("button", name="Apply 5 shots").click()
        page.wait_for_function("() => mnemoreel.shots.length === 5")
        page.get_by_role("button", name="Generate", exact=False).first.click()
        page.wait_for_function(
            "() => mnemoreel.shots.filter(s => s.take).length >= 2", timeout=MINUTES
        )
        self.keep("4-generating")
        page.wait_for_function("() => mnemoreel.shots.every(s => s.take)", timeout=MINUTES)
        page.evaluate("() => mnemoreel.seek(76)")
        self.keep("5-film")
        self.panels()

    def panels(self) -> None:
        """Open the panels of a finished film."""
        page = self.page
        page.get_by_role("tab", name="Memory").click()
        page.evaluate("() => mnemoreel.seek(8)")
        page.locator("mnemo-memory [data-source=memory]").wait_for(timeout=MINUTES)
        self.keep("6-memory")
        for name in ("History", "Takes", "Queue"):
            page.get_by_role("tab", name=name).click()
            self.keep(f"7-{name.lower()}")
        page.get_by_role("button", name="Export", exact=True).click()
        panel = page.locator("mnemo-export")
        panel.get_by_role("button", name="Export video").click()
        panel.get_by_role("link", name="Download").wait_for(timeout=MINUTES)
        self.keep("8-export")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        self.keep("9-keys")


def main() -> None:
    """Take the tour from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--mute-audio"]
        )
        for width, height in SIZES:
            with (
                tempfile.TemporaryDirectory(prefix="mnemoreel-") as data,
                studio(Path(data)) as url,
            ):
                page = browser.new_page(viewport={"width": width, "height": height})
                tour = Tour(page, arguments.out, (width, height))
                tour.walk(url)
                print(f"{width}x{height}: {len(tour.problems)} page errors {tour.problems}")
                page.close()


if __name__ == "__main__":
    main()
