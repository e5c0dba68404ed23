"""Whether the page fits its window: nothing overlaps, nothing is cut off, nothing jumps."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, Page

SIZES = ((1440, 900), (1024, 700))
LEAST_SHIFT = 0.0002
"""Smallest shift that an eye meets: a line of a prompt that moves by its own height is 0.0005."""
_SCRIPT = Path(__file__).with_name("layout.js").read_text("utf-8")
_WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    const places = entry.sources.map(({ node, previousRect: a, currentRect: b }) => {
      const moved = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
      const host = moved?.getRootNode().host?.localName;
      const name = `${host} ${moved?.localName}.${moved?.className}`;
      const from = `${a.x},${a.y} ${a.width}x${a.height}`;
      return `${name} "${moved?.textContent}" ${from} -> ${b.x},${b.y} ${b.width}x${b.height}`;
    });
    window.shifts.push({ value: entry.value, at: places.join("; ") });
  }
}).observe({ type: "layout-shift", buffered: true });
"""


def problems(page: Page) -> list[str]:
    """Return what is wrong with the layout of the page as it stands, in sentences."""
    found: list[str] = page.evaluate(_SCRIPT)
    return found


def watch_shifts(context: BrowserContext) -> None:
    """Note every layout shift that no input caused, in the pages that are opened from now on."""
    context.add_init_script(_WATCH)


def shifts(page: Page) -> list[str]:
    """Return the shifts since the last call: how far, and what moved from where to where."""
    seen = page.evaluate("() => window.shifts.splice(0)")
    large = [shift for shift in seen if shift["value"] >= LEAST_SHIFT]
    return [f"{shift['value']:.4f} {shift['at']}" for shift in large]
