"""A running studio with an engine that a test steps, and the page as an editor's hands meet it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request
from starlette.requests import Request as WebRequest
from starlette.responses import HTMLResponse
from starlette.routing import Route

from engine.protocol import Executor
from storage import settings as stored_settings
from storage.database import Library
from studio.server import build_app
from studio.settings import Settings
from tests.fake_engine import FakeEngine
from tests.patience import PATIENCE

NUM_BITS = 8
PROMPTS = (
    "the red ball rolls over the grass",
    "the blue ball rolls over the grass",
    "a red box rolls again",
    "a blue box rolls again",
    "the ball rolls over the box",
)
STORYBOARD = "\n".join(f"00:00:{2 * at:02}:00 {prompt}" for at, prompt in enumerate(PROMPTS))
WAIT_MS = 15_000 * PATIENCE
BELIEVED = """() => {
  const { online, busy, playhead, jobs, document: film, engine, range } = window.mnemoreel ?? {};
  const { playback } = document.querySelector("mnemo-player") ?? {};
  return {
    url: location.href, online, busy, playhead, range,
    engine: engine?.state, jobs: [...jobs?.values() ?? []], rev: film?.rev, seq: film?.seq,
    shots: film?.shots.map((shot) => [shot.shot_id, shot.take_id, shot.stale, shot.grade]),
    rate: playback?.rate,
    seen: window.seen,
  };
}"""
BARE = Path(__file__).with_name("bare.html")


class NumberedEngine(FakeEngine):
    """Writes into every frame which one it is, as a row of black and white squares."""

    def _take(self, job_id: str, frames: list[Any], spec: Any, read: Any) -> Any:
        numbered = [_with_number(frame, number) for number, frame in enumerate(frames)]
        return super()._take(job_id, numbered, spec, read)


def _with_number(frame: Any, number: int) -> Any:
    picture = frame.copy()
    height, width = picture.shape[:2]
    side = width // NUM_BITS
    for bit in range(NUM_BITS):
        is_set = number >> bit & 1
        picture[height - side :, bit * side : (bit + 1) * side] = 255 if is_set else 0
    return np.ascontiguousarray(picture)


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Address and engine of a running studio."""

    url: str
    token: str
    port: int
    engine: NumberedEngine
    library: Library

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a JSON request and return the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def film(self, name: str, storyboard: str = STORYBOARD, *, is_made: bool = False) -> str:
        """Make a project with a storyboard in it, and return its id."""
        project = str(self.ask("POST", "/api/projects", {"name": name})["id"])
        if storyboard:
            body = {"text": storyboard, "mode": "append"}
            self.ask("POST", f"/api/projects/{project}/storyboard", body)
        if is_made:
            self.make(project)
        return project

    def make(self, project: str) -> None:
        """Generate every shot and wait for the takes."""
        body = {"shot_ids": None, "new_seed": False}
        self.ask("POST", f"/api/projects/{project}/generate", body)
        until = time.monotonic() + WAIT_MS / 1000
        while not all(shot["take"] for shot in self.document(project)["shots"]):
            assert time.monotonic() < until, "the takes were not made in time"
            time.sleep(0.02)

    def let_go(self) -> None:
        """Let a job that waits for its steps end: it must not hold up the next test."""
        if self.engine.steps is not None:
            self.engine.steps.release(1000)

    def document(self, project: str) -> Any:
        """Return the project as the server has it."""
        return self.ask("GET", f"/api/projects/{project}")


def _bare(_: WebRequest) -> HTMLResponse:
    # Gradio takes seconds to import, which collecting the tests should not pay.
    from studio.ui.page import head

    return HTMLResponse(BARE.read_text().replace("<!-- head -->", head()))


@contextlib.contextmanager
def running(
    folder: Path,
    make_engine: Callable[[Path], Executor] = NumberedEngine,
    *,
    is_first: bool = False,
) -> Iterator[Studio]:
    """Serve a studio with an empty library in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(data_folder=folder, port=port, token="browser-tests")
    with Library.open(folder, address=settings.url) as library:
        with library.write() as tx:
            # The first steps open by themselves only in tests that are about them.
            stored_settings.put(tx, "welcomed", "no" if is_first else "yes")
        engine = make_engine(library.blobs.root)
        app = build_app(settings, library, engine)
        # Before the page, which is mounted at the root and would answer for every address.
        app.router.routes.insert(0, Route("/bare", _bare))
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="on")
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server ended while it was starting"
            time.sleep(0.01)
        try:
            numbered = cast(NumberedEngine, engine)  # only tests that step the fake one touch it
            yield Studio(
                url=settings.url,
                token=settings.token,
                port=port,
                engine=numbered,
                library=library,
            )
        finally:
            server.should_exit = True
            thread.join(10)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A browser's window in a studio, with everything that went wrong in it."""

    context: BrowserContext
    studio: Studio
    problems: list[str]

    def open(self, project: str = "", *, path: str = "/bare") -> Page:
        """Open a tab: the project, or the list of projects; `path` "/" is the page with Gradio."""
        page = self.context.new_page()
        page.on("request", lambda request: self._note(request))
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.goto(self.studio.url + path + (f"?project={project}" if project else ""))
        if project:
            ready = "() => window.mnemoreel?.document && !mnemoreel.busy && mnemoreel.online"
            page.wait_for_function(ready, timeout=WAIT_MS)
            page.wait_for_selector("mnemo-timeline[data-ready]", timeout=WAIT_MS)
        else:
            page.wait_for_selector("mnemo-home[data-ready]", timeout=WAIT_MS)
        return page

    def told(self) -> str:
        """Return what every open page knows of its film, as JSON lines."""
        lines = []
        for page in self.context.pages:
            try:
                lines.append(json.dumps(page.evaluate(BELIEVED)))
            except Error as error:
                lines.append(f"{page.url}: {error}")
        return "\n".join(lines)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.studio.url, "data:", "blob:")):
            self.problems.append(f"foreign request: {request.url}")


@contextlib.contextmanager
def window(browser: Browser, studio: Studio) -> Iterator[Window]:
    """Open a fresh window that notes page errors and requests that leave the studio."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.add_cookies(
        [{"name": f"mnemoreel_{studio.port}", "value": studio.token, "url": studio.url}]
    )
    context.set_default_timeout(WAIT_MS)
    try:
        yield Window(context=context, studio=studio, problems=[])
    finally:
        context.close()


def settle(page: Page) -> None:
    """Wait until every edit of the page was answered and the picture at the playhead is shown."""
    page.wait_for_function("() => !mnemoreel.busy")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.evaluate("() => new Promise(requestAnimationFrame)")


def shot_place(page: Page, index: int, share: float = 0.5) -> tuple[float, float]:
    """Where a shot stands on screen: `share` of its width from its left edge."""
    place = page.evaluate(
        """([index, share]) => {
          const { shadowRoot } = document.querySelector("mnemo-timeline");
          const id = mnemoreel.shots[index].shot_id;
          const box = shadowRoot.querySelector(`[data-id="${id}"]`).getBoundingClientRect();
          return [box.left + box.width * share, box.top + box.height / 2];
        }""",
        [index, share],
    )
    return float(place[0]), float(place[1])


def shot_ids(page: Page) -> list[str]:
    """Ids of the shots as the page shows them."""
    return list(page.evaluate("() => mnemoreel.shots.map(shot => shot.shot_id)"))


def edit(page: Page, **op: object) -> None:
    """Change the cut by one operation and wait for the answer."""
    page.evaluate("op => { mnemoreel.edit(op); }", op)
    settle(page)


def tab(page: Page, title: str) -> None:
    """Show a tab of the inspector."""
    page.get_by_role("tab", name=title, exact=True).click()
