"""Eight tabs on one film, and how fast what the engine says reaches the picture."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page

from benchmarks.studio.serving import TOKEN, Server

PROBE = "benchmarks/studio/probe.js"
READY = "() => window.probe && probe.found.ready !== null && window.mnemoreel?.online"
PATIENCE_MS = 180_000
NUM_TABS = 8


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """What the slowest of eight tabs met, in milliseconds."""

    opened: float
    """Longest time to a ready page, opened one after the other, all kept open."""
    answer: float
    """Longest of five small requests from each tab, all tabs at once."""
    edit: float
    """From an edit in one tab until the last of the others shows it."""
    held: float
    """Longest time that a tab's thread did not answer meanwhile."""


def open_tab(context: BrowserContext, server: Server, project: str) -> Page:
    """Open a film in the real page and wait until it is ready."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{server.url}/?project={project}")
    page.wait_for_function(READY)
    return page


def sign_in(context: BrowserContext, server: Server) -> None:
    """Give a browser the cookie of this launch, and the probe."""
    context.add_cookies([{"name": f"mnemoreel_{server.port}", "value": TOKEN, "url": server.url}])
    context.add_init_script(path=PROBE)


def crowd(context: BrowserContext, server: Server, project: str) -> Crowd:
    """Open eight tabs and use them together."""
    tabs = [open_tab(context, server, project) for _ in range(NUM_TABS)]
    opened = max(float(tab.evaluate("() => probe.found.ready")) for tab in tabs)
    for tab in tabs:
        tab.evaluate("() => probe.restart()")
        tab.evaluate(
            """() => {
              window.asked = Promise.all(Array.from({ length: 5 }, async () => {
                const begun = performance.now();
                await fetch("/api/engine");
                return performance.now() - begun;
              }));
            }"""
        )
    answer = max(max(tab.evaluate("() => asked")) for tab in tabs)
    edit = max(_until_shown(tabs, title) for title in ("Dawn", "Noon", "Dusk"))
    held = max(float(tab.evaluate("() => probe.found.longest")) for tab in tabs)
    for tab in tabs:
        tab.close()
    return Crowd(opened=opened, answer=answer, edit=edit, held=held)


def _until_shown(tabs: list[Page], title: str) -> float:
    watch = """(title) => {
      window.shown = new Promise((resolve) => {
        const look = () => {
          if (mnemoreel.shots[0].title !== title) requestAnimationFrame(look);
          else resolve(performance.timeOrigin + performance.now());
        };
        look();
      });
    }"""
    for tab in tabs:
        tab.evaluate(watch, title)
    begun = tabs[0].evaluate(
        """(title) => {
          const op = { kind: "set", shot_id: mnemoreel.shots[0].shot_id, fields: { title } };
          mnemoreel.edit(op);
          return performance.timeOrigin + performance.now();
        }""",
        title,
    )
    return max(float(tab.evaluate("() => shown")) for tab in tabs) - float(begun)


def push_latency(page: Page, server: Server, project: str, num_shots: int) -> list[float]:
    """Return milliseconds from a step in the engine until the page's text says it."""
    page.evaluate("() => probe.watchSteps()")
    shots = server.ask("GET", f"/api/projects/{project}")["shots"]
    ids = [shot["shot_id"] for shot in shots[len(shots) // 2 :][:num_shots]]
    body = {"shot_ids": ids, "new_seed": True}
    server.ask("POST", f"/api/projects/{project}/generate", body)
    page.wait_for_function("() => mnemoreel.jobs.size > 0")
    page.wait_for_function("() => mnemoreel.jobs.size === 0", timeout=PATIENCE_MS)
    time.sleep(0.5)
    seen = page.evaluate("() => probe.found.steps")
    # The last step of a take is followed at once by its decoding, which may be drawn in its place.
    return [
        seen[f"{job} {step}"] - said
        for (job, step), said in server.steps.items()
        if f"{job} {step}" in seen
    ]


def median(values: list[float]) -> float:
    """Return the middle value; nan where nothing was measured."""
    return statistics.median(values) if values else float("nan")
