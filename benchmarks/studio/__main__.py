"""Measure the page and its API with a film of 500 shots, in a real Chromium.

Run as `python -m benchmarks.studio --out docs/measurements/studio.md`. The real server runs in a
process of its own with the tests' fake engine; the film is made before. Needs the requirements of
the tests and a Chromium (`CHROMIUM`, else /usr/bin/chromium). `--data DIR` keeps the film, which
takes a while to make, for the next run. A part that fails is named in the table and the others
are measured all the same; the exit status is then 1. `--quick` tries everything on a small film.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from benchmarks.studio import seeking, smoothness, tabs, verbs
from benchmarks.studio.scene import LONG, SHARP, Size, open_and_build
from benchmarks.studio.seeking import Seeks
from benchmarks.studio.serving import Server, serving
from benchmarks.studio.smoothness import Rates
from benchmarks.studio.tabs import Crowd
from benchmarks.studio.verbs import Times

FLAGS = ("--no-sandbox", "--disable-gpu", "--mute-audio", "--disable-background-networking")
PARTS = ("smooth", "ready", "push", "seek", "tabs", "api")


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """How much is measured of each thing."""

    seconds: float = 4.0
    """Of scrolling, zooming and each kind of dragging."""
    seeks: int = 200
    requests: int = 60
    loads: int = 5
    takes: int = 15
    playing: float = 12.0
    """Seconds of playing over cuts."""


QUICK = Amounts(seconds=0.5, seeks=6, requests=3, loads=1, takes=2, playing=2.0)
QUICK_SHOTS = 24
QUICK_SHARP = replace(SHARP, num_shots=2)


@dataclass
class Found:
    """Everything that a run measured; what it left out stays empty."""

    rates: dict[str, Rates] = field(default_factory=dict)
    ready: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    push: list[float] = field(default_factory=list)
    seeks: Seeks = field(default_factory=Seeks)
    gaps: list[float] = field(default_factory=list)
    crowd: Crowd | None = None
    times: dict[str, Times] = field(default_factory=dict)
    document_bytes: int = 0
    change_bytes: int = 0
    """What a page that knows the document is told after a title was changed."""
    failures: dict[str, str] = field(default_factory=dict)
    """What kept a part from being measured, by its name."""


class Bench:
    """One server and one browser, measured part by part."""

    def __init__(self, browser: Browser, server: Server, films: dict[str, str], seed: int) -> None:
        """Hold what is measured; nothing runs yet."""
        self.browser = browser
        self.server = server
        self.films = films
        self.seed = seed
        self.amounts = Amounts()
        self.found = Found()

    @contextmanager
    def window(self) -> Iterator[BrowserContext]:
        """A fresh window with nothing in its cache."""
        context = self.browser.new_context(viewport={"width": 1440, "height": 900})
        tabs.sign_in(context, self.server)
        try:
            yield context
        finally:
            context.close()

    def smooth(self) -> None:
        """Measure frames per second, and what an empty page reaches before and after."""
        with self.window() as context:
            page = tabs.open_tab(context, self.server, self.films["long"])
            empty = context.new_page()
            rates = self.found.rates
            hand = smoothness.Hand(self.amounts.seconds)
            rates["an empty page, before"] = hand.blank(empty)
            rates["scroll"] = hand.scroll(page)
            rates["zoom"] = hand.zoom(page)
            rates["drag the playhead"] = hand.drag_playhead(page)
            rates["drag the playhead, whole film in view"] = hand.drag_playhead(page, 0)
            rates["an empty page, after"] = hand.blank(empty)

    def ready(self) -> None:
        """Measure the time to a ready page, with an empty and with a filled cache."""
        for _ in range(self.amounts.loads):
            with self.window() as context:
                page = tabs.open_tab(context, self.server, self.films["long"])
                page.wait_for_function("() => probe.found.picture !== null")
                self.found.ready.append(page.evaluate("() => probe.found.ready"))
                self.found.pictures.append(page.evaluate("() => probe.found.picture"))

    def push(self) -> None:
        """Measure engine to picture."""
        with self.window() as context:
            page = tabs.open_tab(context, self.server, self.films["long"])
            project = self.films["long"]
            self.found.push = tabs.push_latency(page, self.server, project, self.amounts.takes)

    def seek(self) -> None:
        """Seek at random, then play."""
        with self.window() as context:
            page = tabs.open_tab(context, self.server, self.films["sharp"])
            self.found.seeks = seeking.seek(page, self.amounts.seeks, self.seed)
            self.found.gaps = seeking.play(page, self.amounts.playing)

    def tabs(self) -> None:
        """Open eight tabs."""
        with self.window() as context:
            self.found.crowd = tabs.crowd(context, self.server, self.films["long"])

    def api(self) -> None:
        """Time the API without a browser."""
        project = self.films["long"]
        self.found.times = verbs.measure(self.server, project, self.amounts.requests, self.seed)
        self.found.document_bytes, self.found.change_bytes = verbs.sizes(self.server, project)


def table(found: Found) -> str:
    """Return what was found as Markdown, beside what is asked for."""
    rows: list[tuple[str, str, str]] = []
    for name, rates in found.rates.items():
        value = (
            f"{rates.median:.0f} / {rates.low:.0f} (longest frame {rates.longest:.0f} ms, "
            f"the page's own work {rates.busy:.1f} ms a frame)"
        )
        rows.append((f"frames per second, {name}: median / 5th percentile", value, "50 / 30"))
    if found.ready:
        rows.append(("page ready, median (longest)", _spread(found.ready), "2,000 ms"))
        rows.append(("first picture on it, median (longest)", _spread(found.pictures), ""))
    if found.push:
        row = ("engine step to the page's text, median (longest)", _spread(found.push), "50 ms")
        rows.append(row)
    if found.seeks.milliseconds:
        count = len(found.seeks.milliseconds)
        rows.append((f"wrong frames of {count} seeks", str(len(found.seeks.misses)), "0"))
        rows.append(("a seek, median (longest)", _spread(found.seeks.milliseconds), ""))
        rows.append(("playing at 16 fps: between frames", _spread(found.gaps), "62.5 ms"))
    if found.crowd:
        crowd = found.crowd
        rows.append(("8 tabs: slowest to be ready", f"{crowd.opened:.0f} ms", ""))
        rows.append(("8 tabs: longest answer of 40 requests", f"{crowd.answer:.0f} ms", ""))
        rows.append(("8 tabs: an edit is shown in all", f"{crowd.edit:.0f} ms", ""))
        rows.append(("8 tabs: longest a tab's thread was held", f"{crowd.held:.0f} ms", ""))
    for name, times in found.times.items():
        target = "20 ms" if name.startswith("edit") else "25 ms" if name.startswith("rew") else ""
        value = f"{times.median:.0f} / {times.high:.0f} ms"
        rows.append((f"API, {name}: median / 95th percentile", value, target))
    if found.document_bytes:
        rows.append(("size of the document", f"{found.document_bytes / 1024:.0f} KiB", ""))
        rows.append(("told after a title was changed", f"{found.change_bytes / 1024:.0f} KiB", ""))
    rows += [(f"not measured: {part}", why, "") for part, why in found.failures.items()]
    lines = ["| figure | measured | asked for |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {a} | {b} | {c} |" for a, b, c in rows)])


def _spread(values: list[float]) -> str:
    return f"{tabs.median(values):.0f} ms ({max(values):.0f})" if values else "nothing seen"


def report(found: Found, command: str, long: Size, loads: list[float]) -> str:
    """Return the whole page: how it was measured, then the table."""
    shown = " to ".join(f"{load:.1f}" for load in loads)
    return "\n".join(
        (
            "# The page with a long film",
            "",
            f"`{command}` on {time.strftime('%F')}, {os.cpu_count()} cores ({platform.machine()}), "
            f"Python {platform.python_version()}, Chromium without a GPU at 1440x900. "
            f"Load average {shown} while it ran, this benchmark's own included. {long.num_shots} "
            f"shots of {long.num_frames} frames, {long.num_edits} edits deep; seeks on "
            f"takes of {SHARP.num_frames} frames at "
            f"{SHARP.width}x{SHARP.height}, as the studio encodes every take.",
            "",
            table(found),
            "",
        )
    )


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="Markdown file to write; default: print only")
    parser.add_argument("--data", type=Path, help="folder of the films, made where it is missing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shots", type=int, help="of the long film; default: 500")
    parser.add_argument("--quick", action="store_true", help="try everything on a small film")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure")
    given = parser.parse_args()
    num_shots = given.shots or (QUICK_SHOTS if given.quick else LONG.num_shots)
    long = replace(LONG, num_shots=num_shots, num_edits=2 * num_shots)
    # Where somebody keeps the films says nothing to a reader.
    told = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    command = " ".join(["python -m benchmarks.studio", *told])
    with tempfile.TemporaryDirectory(prefix="mnemoreel-") as scratch:
        data = given.data or Path(scratch) / "films"
        loads = [os.getloadavg()[0]]
        films = _films(data, long, QUICK_SHARP if given.quick else SHARP, given.seed)
        with _bench(data, films, given.seed) as bench:
            bench.amounts = QUICK if given.quick else Amounts()
            for part in given.only:
                _measure(bench, part)
                _write(report(bench.found, command, long, [*loads, os.getloadavg()[0]]), given.out)
    print(report(bench.found, command, long, [*loads, os.getloadavg()[0]]))
    if bench.found.failures:
        sys.exit(1)


def _films(data: Path, long: Size, sharp: Size, seed: int) -> dict[str, str]:
    kept = data / "films.json"
    if not kept.exists():
        begun = time.perf_counter()
        print("making the films ...", flush=True)
        data.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(open_and_build(data, long, sharp, seed)))
        print(f"made: {time.perf_counter() - begun:.0f} s", flush=True)
    films: dict[str, str] = json.loads(kept.read_text())
    return films


@contextmanager
def _bench(data: Path, films: dict[str, str], seed: int) -> Iterator[Bench]:
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with serving(data) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield Bench(browser, server, films, seed)
        browser.close()


def _measure(bench: Bench, part: str) -> None:
    """Measure one part; what fails is noted, and the next part has a page of its own."""
    begun = time.perf_counter()
    try:
        getattr(bench, part)()
    except (PlaywrightError, OSError, RuntimeError) as error:
        why = str(error).strip().splitlines()[0]
        bench.found.failures[part] = f"{type(error).__name__}: {why}"
        print(f"{part} failed: {error}", file=sys.stderr, flush=True)
    print(f"{part}: {time.perf_counter() - begun:.0f} s", flush=True)


def _write(page: str, out: Path | None) -> None:
    # After every part: what was measured stays if a later one is stopped.
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
