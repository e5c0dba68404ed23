"""Frames per second under an editor's hands: scrolling, zooming, dragging the playhead."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page

_NORMAL_SCALE = 4.0
"""Pixels a frame: about 20 shots of 17 frames in view."""
BLANK = (
    "data:text/html,<body style='margin:0'><div id=d style='width:90px;height:90px;background:red'>"
    "</div><script>let n=0;const f=()=>{d.style.transform=`translateX(${n=(n+7)%900}px)`;"
    "requestAnimationFrame(f)};f()</script>"
)
"""A page with one moving square: what this machine can show at all, at that moment."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How smooth something was."""

    median: float
    """Frames per second in the median."""
    low: float
    """Frames per second at the 5th percentile."""
    longest: float
    """Longest frame in milliseconds."""
    busy: float
    """Milliseconds of script, style and layout a frame: does not depend on how busy others are."""


def rates_of(intervals: list[float], busy_seconds: float = 0.0) -> Rates:
    """Return the rates of frames that came these many milliseconds apart."""
    if not intervals:
        raise RuntimeError("The page drew fewer than two frames while it was measured.")
    ordered = sorted(intervals)
    slow = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return Rates(
        median=1000 / statistics.median(ordered),
        low=1000 / slow,
        longest=max(ordered),
        busy=1000 * busy_seconds / len(ordered),
    )


@dataclass(frozen=True)
class Hand:
    """An editor's hand: each movement takes as long, 60 events a second."""

    seconds: float = 4.0

    def blank(self, page: Page) -> Rates:
        """Return what an almost empty page reaches under the same hand."""
        page.goto(BLANK)
        return self._while(page, lambda at: page.mouse.move(300 + at * 3 % 500, 400))

    def scroll(self, page: Page, scale: float = _NORMAL_SCALE) -> Rates:
        """Return the rates while a wheel scrolls over the timeline and back."""
        x, y = _lane(page, scale)
        page.mouse.move(x, y)
        return self._while(page, lambda at: page.mouse.wheel(0, 90 if at // 60 % 2 == 0 else -90))

    def zoom(self, page: Page) -> Rates:
        """Return the rates while Ctrl and the wheel go from single frames to the whole film."""
        x, y = _lane(page, _NORMAL_SCALE)
        page.mouse.move(x, y)
        page.keyboard.down("Control")
        try:
            return self._while(
                page, lambda at: page.mouse.wheel(0, 40 if at // 50 % 2 == 0 else -40)
            )
        finally:
            page.keyboard.up("Control")

    def drag_playhead(self, page: Page, scale: float = _NORMAL_SCALE) -> Rates:
        """Return the rates while the playhead is dragged to and fro over the ruler."""
        x, y = _lane(page, scale)
        page.mouse.move(x, y - 60)
        page.mouse.down()
        try:
            return self._while(
                page, lambda at: page.mouse.move(x - 400 + _swing(at * 7, 800), y - 60)
            )
        finally:
            page.mouse.up()

    def _while(self, page: Page, act: Callable[[int], None]) -> Rates:
        """Act as fast as a hand does, 60 times a second, and return how the frames came."""
        page.bring_to_front()
        meter = page.context.new_cdp_session(page)
        meter.send("Performance.enable")
        busy = _busy(meter)
        page.evaluate("() => probe.start()")
        begun = time.perf_counter()
        count = 0
        while time.perf_counter() - begun < self.seconds:
            act(count)
            count += 1
            time.sleep(max(0.0, begun + count / 60 - time.perf_counter()))
        intervals: list[float] = page.evaluate("() => probe.stop()")
        rates = rates_of(intervals, _busy(meter) - busy)
        meter.detach()
        return rates


def _busy(meter: CDPSession) -> float:
    """Return the seconds of script, style and layout that a page has taken so far."""
    told = {
        one["name"]: float(one["value"]) for one in meter.send("Performance.getMetrics")["metrics"]
    }
    return told["ScriptDuration"] + told["LayoutDuration"] + told["RecalcStyleDuration"]


def _swing(at: int, width: int) -> int:
    return width - abs(at % (2 * width) - width)


def _lane(page: Page, scale: float) -> tuple[float, float]:
    """Zoom to `scale` in the middle of the film; return the middle of the shot lane on screen."""
    place = page.evaluate(
        """(scale) => {
          const timeline = document.querySelector("mnemo-timeline");
          if (scale) timeline.zoom(scale / timeline.scale);
          else timeline.fit();
          timeline.viewport.scrollLeft = mnemoreel.total * timeline.scale / 2;
          const box = timeline.viewport.getBoundingClientRect();
          return [box.left + box.width / 2, box.top + 74];
        }""",
        scale,
    )
    page.wait_for_timeout(300)
    return float(place[0]), float(place[1])
