"""One walk through the studio: its page, its camera, and the hands that press and wait."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Route

from benchmarks.camera import MINUTES, Camera


class Walk:
    """Where the walk is: the page, its camera, and the film that is made on the way."""

    def __init__(self, camera: Camera, url: str, data: Path) -> None:
        self.camera = camera
        self.page: Page = camera.page
        self.url = url
        self.data = data

    def wait(self, condition: str) -> None:
        """Wait until an expression of the page is true."""
        self.page.wait_for_function(f"() => {condition}")

    def ask_until(self, question: str) -> None:
        """Ask the page until its answer is true; unlike `wait`, an answer may be a promise."""
        until = time.monotonic() + MINUTES / 1000
        while not self.page.evaluate(question):
            if time.monotonic() > until:
                raise TimeoutError(f"Not true within {MINUTES / 60_000:.0f} minutes: {question}")
            time.sleep(0.5)

    def press(self, name: str, place: str = "body") -> None:
        """Press the button that is called so."""
        self.page.locator(place).get_by_role("button", name=name, exact=True).first.click()

    def tab(self, title: str) -> None:
        """Show a tab of the inspector."""
        self.page.get_by_role("tab", name=title, exact=True).click()
        # A key that is pressed later would show the ring of the focus here.
        self.page.evaluate("document.activeElement.blur()")

    def edit(self, **op: object) -> None:
        """Change the cut as a panel would, and wait for the answer."""
        self.page.evaluate("async op => { await mnemoreel.edit(op); await mnemoreel.idle(); }", op)

    def shot_id(self, index: int) -> str:
        """Id of a shot of the cut."""
        return str(self.page.evaluate("at => mnemoreel.shots[at].shot_id", index))

    def choose(self, index: int) -> None:
        """Select a shot and move the playhead into its middle."""
        self.page.evaluate(
            """at => {
              mnemoreel.select([mnemoreel.shots[at].shot_id]);
              mnemoreel.seek(mnemoreel.starts[at] + 8);
            }""",
            index,
        )

    def generate(self, *indices: int, **wish: object) -> None:
        """Queue takes of shots, and read them into the page."""
        body = {"shot_ids": [self.shot_id(index) for index in indices], **wish}
        self.page.evaluate(
            """async body => {
              const path = `/api/projects/${mnemoreel.projectId}/generate`;
              const headers = { "content-type": "application/json" };
              await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
              await mnemoreel.load();
            }""",
            body,
        )

    def mute_drafts(self) -> None:
        """Mute every shot without a take, so that the film can be exported without it."""
        drafts = self.page.evaluate("mnemoreel.shots.map(shot => !shot.take && !shot.muted)")
        for index, is_draft in enumerate(drafts):
            if is_draft:
                self.edit(kind="set", shot_id=self.shot_id(index), fields={"muted": True})

    def rest(self) -> None:
        """Wait until nothing is made any more."""
        self.wait("![...mnemoreel.jobs.values()].some(job => job.state !== 'failed')")
        self.wait("!mnemoreel.busy")

    def name_the_usual_folder(self, route: Route) -> None:
        """Answer with the usual folder of films: the own one has another name each time."""
        answer = route.fetch()
        route.fulfill(
            response=answer, json=answer.json() | {"data_folder": "~/.local/share/mnemoreel"}
        )

    def measured(self) -> None:
        """Wait until memory was measured for every shot, and show that."""
        self.ask_until(
            "fetch(`/api/projects/${mnemoreel.projectId}/fidelity`, { method: 'POST',"
            " headers: { 'content-type': 'application/json' }, body: '{}' })"
            ".then(r => r.json()).then(r => r.missing === 0)"
        )
        self.rest()
        self.page.reload()
        self.wait("window.mnemoreel?.document && mnemoreel.online")
        self.ask_until(
            "import('/studio-static/fidelity.js')"
            ".then(m => mnemoreel.shots.every(shot => !shot.take || m.momentsOf(shot)))"
        )

    def kill_engine(self) -> None:
        """Kill the process that makes the takes, as a driver or a short memory would."""
        with contextlib.closing(sqlite3.connect(self.data / "library.sqlite3")) as library:
            (server,) = library.execute("SELECT pid FROM worker ORDER BY heartbeat_at").fetchall()[
                -1
            ]
        # A process is listed as a child of the thread that started it.
        lists = Path(f"/proc/{server}/task").glob("*/children")
        for child in " ".join(one.read_text() for one in lists).split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)

    def scroll(self, panel: str, selector: str) -> Callable[[], object]:
        """Return what brings a part of a panel to its top."""
        return lambda: (
            self.page.locator(panel)
            .locator(selector)
            .first.evaluate("one => one.scrollIntoView({ block: 'start' })")
        )
