"""Every verb by key, by mouse and by API: in the real page, what docs/keys.md says of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.studio import Window, settle

ROOT = Path(__file__).resolve().parents[2]
KEYS = (ROOT / "docs" / "keys.md").read_text("utf-8")
TABLE = (ROOT / "studio" / "static" / "keytable.js").read_text("utf-8")
NAMES = {
    **{"Ctrl": "Control", "Esc": "Escape", "Space": " "},
    **{way: f"Arrow{way}" for way in ("Left", "Right", "Up", "Down")},
}
"""Keys as the browser's driver calls them, where the table calls them otherwise."""
TYPED = frozenset({"editPrompt", "rename", "editMarker"})
"""Verbs that take words: the key and the line lead to the field, and typing there asks the API."""
LOOKS = frozenset({"takes", "budget", "help"})
"""Verbs that open something which reads the API by itself."""
AT_MARKER = frozenset({"deleteMarker", "markerEarlier", "markerLater", "editMarker"})


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One line of docs/keys.md that changes the film."""

    command: str
    title: str
    chord: str
    api: tuple[str, ...]
    """End of the path, and for an edit its kind."""


def verbs() -> Iterator[Verb]:
    commands = {
        title: command
        for command, title in re.findall(r'^  \w+\("(\w+)", "((?:[^"\\]|\\.)*)"', TABLE, re.M)
    }
    for line in KEYS.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 6 and cells[0] in commands and cells[5] != "view only":
            named = re.findall(r"`([^`]+)`", cells[5])
            api = tuple(named[:2]) if named[0] == "edits" else (named[0],)
            chord = re.findall(r"`([^`]+)`", cells[1])[0]
            yield Verb(command=commands[cells[0]], title=cells[0], chord=chord, api=api)


def pressed(chord: str) -> str:
    """A chord of the table as the driver presses it."""
    if len(chord) == 1:
        return chord.lower() if chord.isalpha() else chord
    *held, last = chord.split("+")
    last = last.lower() if len(last) == 1 and "Shift" not in held else last
    return "+".join(NAMES.get(part, part) for part in [*held, last])


@dataclass
class Asked:
    """Requests that would have changed the film: all of them are refused, so that it never does."""

    seen: list[tuple[str, ...]] = field(default_factory=list)

    def refuse(self, route: Route) -> None:
        request = route.request
        if request.method == "GET" or request.url.endswith("/fidelity"):
            route.continue_()
            return
        self.seen.append(self._name(request))
        route.fulfill(status=422, json={"message": "Refused by the test."})

    def _name(self, request: Request) -> tuple[str, ...]:
        last = request.url.partition("?")[0].rsplit("/", 1)[-1]
        if last != "edits":
            return (last,)
        return (last, json.loads(request.post_data or "{}")["op"]["kind"])


@pytest.fixture
def bench(desk: Window) -> tuple[Page, Asked]:
    """A film in which every verb has something to do, and what the page asks to change."""
    project = desk.studio.film("Every verb", is_made=True)
    shots = desk.studio.document(project)["shots"]
    base = f"/api/projects/{project}"
    for op in (
        {"kind": "set", "shot_id": shots[0]["shot_id"], "fields": {"prompt": "a red box"}},
        {"kind": "trim", "shot_id": shots[2]["shot_id"], "in": 3, "out": 12},
        {"kind": "add_marker", "frame": shots[2]["start"] + 5, "label": "here"},
    ):
        desk.studio.ask("POST", f"{base}/edits", {"op": op})
    body = {"shot_ids": [shots[1]["shot_id"]], "new_seed": True}
    desk.studio.ask("POST", f"{base}/generate", body)
    page = desk.open(project, path="/")
    # The second shot was made again, so that those after it are stale.
    page.wait_for_function("() => !mnemoreel.jobs.size && mnemoreel.shots[2].stale")
    op = {"kind": "set", "shot_id": shots[4]["shot_id"], "fields": {"title": "undone"}}
    desk.studio.ask("POST", f"{base}/edits", {"op": op})
    desk.studio.ask("POST", f"{base}/undo", {})
    page.wait_for_function("() => mnemoreel.document.can_redo && !mnemoreel.busy")
    asked = Asked()
    page.route("**/api/projects/**", asked.refuse)
    return page, asked


def ready_for(page: Page, verb: Verb) -> None:
    """Choose the third shot, and stand inside of it: on its marker or beside it."""
    page.evaluate(
        """(offset) => {
          const shot = mnemoreel.shots[2];
          document.activeElement?.blur();
          mnemoreel.select([shot.shot_id]);
          mnemoreel.seek(mnemoreel.starts[2] + offset);
        }""",
        5 if verb.command in AT_MARKER else 3,
    )
    settle(page)


def outcome(page: Page, asked: Asked, verb: Verb, act: Callable[[], None]) -> list[tuple[str, ...]]:
    """What the page asked for when it was told to do a verb."""
    ready_for(page, verb)
    asked.seen.clear()
    act()
    try:
        page.wait_for_function("() => !mnemoreel.busy")
        until = 40
        while not asked.seen and until:
            page.wait_for_timeout(25)
            until -= 1
        settle(page)
        return list(asked.seen)
    finally:
        page.keyboard.press("Escape")


def click_line(page: Page, verb: Verb) -> None:
    """Open the window of commands with the mouse and click the verb's line."""
    page.get_by_role("button", name="Keys", exact=True).first.click()
    line = page.locator(f'mnemo-help [data-command="{verb.command}"]')
    expect(line).to_be_visible()
    line.click()


def test_every_verb_that_changes_the_film_asks_what_the_page_says_by_key_and_by_mouse(
    bench: tuple[Page, Asked],
) -> None:
    page, asked = bench
    told = [verb for verb in verbs() if verb.command not in TYPED | LOOKS]
    assert len(told) > 25, "docs/keys.md was not read"
    wrong = []
    for verb in told:
        by_key = outcome(page, asked, verb, partial(page.keyboard.press, pressed(verb.chord)))
        by_mouse = outcome(page, asked, verb, partial(click_line, page, verb))
        wrong += [
            f"{verb.title}, by {way}: asked for {found}, expected {verb.api}"
            for way, found in (("key", by_key), ("mouse", by_mouse))
            if verb.api not in found
        ]
    assert wrong == []


def test_every_command_is_a_line_that_can_be_clicked(desk: Window, made: str) -> None:
    page = desk.open(made)
    page.keyboard.press("?")
    shown = page.locator("mnemo-help [data-command]")
    named = set(re.findall(r'^  \w+\("(\w+)", "', TABLE, re.M))
    assert set(shown.evaluate_all("all => all.map((one) => one.dataset.command)")) == named
    page.locator('mnemo-help [data-command="end"]').click()
    assert page.evaluate("() => mnemoreel.playhead === mnemoreel.total - 1")
    expect(page.locator("mnemo-help dialog")).to_be_hidden()


@pytest.mark.parametrize("command", sorted(TYPED | LOOKS - {"help"}))
def test_verbs_that_take_words_lead_to_the_same_place_by_key_and_by_mouse(
    bench: tuple[Page, Asked], command: str
) -> None:
    page, _ = bench
    (verb,) = (one for one in verbs() if one.command == command)
    deepest = """() => {
      let here = document.activeElement;
      while (here?.shadowRoot?.activeElement) here = here.shadowRoot.activeElement;
      const tab = document.querySelector("#inspector [role=tab][aria-selected=true]");
      const name = here?.getAttribute("aria-label") ?? here?.id;
      return [here?.localName, name, tab?.textContent.trim()];
    }"""
    places = []
    press = partial(page.keyboard.press, pressed(verb.chord))
    for act in (press, partial(click_line, page, verb)):
        ready_for(page, verb)
        act()
        page.wait_for_timeout(120)
        place = page.evaluate(deepest)
        # A verb that moves no focus leaves it where it was: on the page, or where Keys was opened.
        places.append(["body", "", place[2]] if place[:2] == ["button", "Keys"] else place)
        page.keyboard.press("Escape")
    assert places[0] == places[1]
    assert places[0][0] in ("textarea", "input") or command in LOOKS
