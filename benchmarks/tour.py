"""Click through the real studio with the real model and keep a picture of every screen.

Run as `python -m benchmarks.tour --themes` whenever the page or the model changed. One film is
made by one walk (benchmarks/tour_walk.py); each screen on the way is looked at in both themes and
at both sizes, and checked: nothing may overlap, be cut off, lie outside of the window or be too
pale to read. What does is printed, and the command fails. Seeds are fixed: on the same machine with
the same weights the same pictures come out. Needs Linux, the requirements of the tests and a
Chromium (`CHROMIUM`, else /usr/bin/chromium).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.camera import THEMES, Camera
from benchmarks.tour_walk import STOPS, take
from benchmarks.walk import Walk
from tests.browser.layout import SIZES

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "screenshots"


@contextlib.contextmanager
def studio(data: Path) -> Iterator[str]:
    """Open the studio on `data` and yield its address with the token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "app.py", "--no-browser", "--port", port, "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = None
        while found is None:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("The studio ended before it said its address.")
            found = re.search(r"http://\S+token=\S+", line)
        try:
            yield found[0]
        finally:
            process.terminate()


def main() -> None:
    """Take the tour from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    # Without a value both are taken, as without the flag.
    parser.add_argument("--themes", nargs="*", choices=THEMES, default=THEMES)
    parser.add_argument("--until", choices=[name for name, _ in STOPS], help="stop after this one")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with (
        sync_playwright() as driver,
        tempfile.TemporaryDirectory(prefix="mnemoreel-") as data,
        studio(Path(data) / "library") as url,
    ):
        browser = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--mute-audio"],
        )
        page = browser.new_page(viewport={"width": SIZES[0][0], "height": SIZES[0][1]})
        camera = Camera(page, given.out, tuple(given.themes) or THEMES)
        take(Walk(camera, url, Path(data) / "library"), until=given.until)
        size = camera.develop()
        browser.close()
    print(f"{size / 1024:.0f} KiB in {time.monotonic() - began:.0f} s")
    print("\n".join(camera.problems) or "nothing overlaps, is cut off or too pale")
    sys.exit(1 if camera.problems else 0)


if __name__ == "__main__":
    main()
