"""Text from strangers (films are shared) is text in every view: nothing in it runs or asks."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, Page, expect

from storage import history, jobs, measurements, takes
from studio.actions import lint
from tests.browser.studio import STORYBOARD, WAIT_MS, Studio, Window, settle, tab, window

TEXTS = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    '" onmouseover="alert(3)" x="',
    "{{7*7}} ${7*7} javascript:alert(4)",
    "\u202erevo si tfel \u202c שלום العربية \u2066 isolated \u2069",
    "👩\u200d👩\u200d👧\u200d👦 e\u0301 \ufeff \u2028 line",
)
SAID = TEXTS[:5]
NAMED = tuple(text for text in SAID if "/" not in text)
"""Those that can stand in an address."""
KNOWN_PATHS = ("/api/", "/media/", "/studio-static/", "/storyboards/", "/bare")
# Texts, values and names of a component and what is in it; dangers of the whole page.
READ = """(component) => {
  const texts = [];
  const dangers = [];
  const visit = (root, isInside) => {
    for (const element of root.querySelectorAll("*")) {
      const name = element.localName;
      const here = isInside || name === component;
      if (here && element.value !== undefined) texts.push(String(element.value));
      for (const node of element.childNodes) {
        if (here && node.nodeType === Node.TEXT_NODE && name !== "script") texts.push(node.data);
      }
      for (const { name: attribute, value } of element.attributes) {
        if (attribute.startsWith("on")) dangers.push(`${name} has ${attribute}`);
        if (here && ["title", "aria-label", "placeholder"].includes(attribute)) texts.push(value);
      }
      const source = element.getAttribute("src") ?? element.getAttribute("href") ?? "";
      const isAsking = source === "x" || source.startsWith("javascript:");
      if (isAsking) dangers.push(`${name} asks for ${source}`);
      if (name === "script" && element.textContent.includes("alert")) dangers.push("a script");
      if (element.shadowRoot) visit(element.shadowRoot, here);
    }
  };
  visit(document, component === "");
  return { texts, dangers };
}"""


@pytest.fixture
def watched(browser: Browser, studio: Studio) -> Iterator[tuple[Window, list[str]]]:
    """A window, and what in it opened a dialog or asked for an address that nobody serves."""
    studio.engine.steps = None
    wrong: list[str] = []
    with window(browser, studio) as opened:
        context = opened.context
        context.on("dialog", lambda dialog: _heard(wrong, dialog))
        context.on("request", lambda request: _note(wrong, opened.studio.url, request.url))
        yield opened, wrong
        studio.let_go()
        assert opened.problems == []


def _heard(wrong: list[str], dialog: Dialog) -> None:
    wrong.append(f"dialog: {dialog.message}")
    dialog.dismiss()


def _note(wrong: list[str], home: str, url: str) -> None:
    if not url.startswith(("data:", "blob:", *(home + path for path in KNOWN_PATHS))):
        wrong.append(f"request: {url}")


def hostile_film(studio: Studio) -> str:
    """A film in which a stranger wrote everything: its name, and all that can be written in it."""
    project = studio.film(" ".join(TEXTS)[:190], STORYBOARD)
    shots = studio.document(project)["shots"]
    base = f"/api/projects/{project}"

    def fields(index: int, **values: str) -> None:
        op = {"kind": "set", "shot_id": shots[index]["shot_id"], "fields": values}
        studio.ask("POST", f"{base}/edits", {"op": op})

    for index, text in enumerate(SAID):
        # Shots that name the same somebody are compared, which makes notes.
        fields(index, title=text, prompt=f"{text} and Zorro with a red ball")
        mark = {"kind": "add_marker", "frame": shots[index]["start"] + 4, "label": text}
        studio.ask("POST", f"{base}/edits", {"op": mark})
    studio.make(project)
    note_strangers(studio, project)
    node = studio.document(project)["node_id"]
    for index, text in enumerate(SAID):
        # A take says its own prompt where its shot has another one by now.
        fields(index, prompt=f"{SAID[(index + 1) % len(SAID)]} again")
        studio.ask("POST", f"{base}/branches", {"name": text, "node_id": node, "go": False})
    for text in NAMED:
        fields_of_preset = {"num_steps": 7, "guidance": 2.5, "memory_system": "none"}
        studio.ask("PUT", f"/api/presets/{quote(text, safe='')}", fields_of_preset)
    return project


def note_strangers(studio: Studio, project: str) -> None:
    """Store what a measurement of a stranger's bundle may say: its words become notes."""
    until = time.monotonic() + WAIT_MS / 1000
    while _is_working(studio):  # a comparison that ends later would put its own words there
        assert time.monotonic() < until, "the comparisons did not end in time"
        time.sleep(0.02)
    with studio.library.write() as tx:
        _, cut = history.head(tx, project)
        known = {take.id: take for take in takes.of_project(tx, project)}
        for at, check in enumerate(lint.checks(cut, known)):
            before, after = SAID[at], SAID[at + 1]
            said = {"about": "colours", "frame": 2, "score": 1.0, "threshold": 0.5}
            note = {**said, "before": before, "after": after, "past_take_id": ""}
            measurements.put(tx, check.key, lint.KIND, {"notes": [note]})


def _is_working(studio: Studio) -> bool:
    with studio.library.read() as tx:
        return bool(jobs.active(tx))


def look(page: Page, wanted: Sequence[str], component: str) -> None:
    """Nothing of the page is dangerous, and each of `wanted` stands in a component as written."""
    until, missing = time.monotonic() + WAIT_MS / 1000, list(wanted)
    while True:
        page.wait_for_timeout(80)
        settle(page)
        seen = page.evaluate(READ, component)
        assert seen["dangers"] == [], component
        missing = [text for text in wanted if not any(text in shown for shown in seen["texts"])]
        # A panel that asks the server for its rows has them later than the page has drawn.
        if not missing or time.monotonic() > until:
            break
    assert missing == [], component or "the page"


def test_hostile_text_is_only_text_in_every_view_of_a_film(
    watched: tuple[Window, list[str]],
) -> None:
    desk, wrong = watched
    page = desk.open(hostile_film(desk.studio))
    page.wait_for_function("() => !mnemoreel.jobs.size")
    look(page, SAID, "mnemo-timeline")
    page.evaluate("() => document.querySelector('mnemo-timeline').toggleList()")
    look(page, SAID, "mnemo-list")
    page.evaluate("() => document.querySelector('mnemo-timeline').toggleList()")
    look(page, [" ".join(TEXTS)[:190].strip()], "mnemo-bar")
    for name, told in (("History", SAID), ("Queue", SAID), ("Export", ())):
        tab(page, name)
        look(page, told, f"mnemo-{name.lower()}")
    for index, text in enumerate(SAID):
        page.evaluate(
            """i => {
              mnemoreel.select([mnemoreel.shots[i].shot_id]);
              mnemoreel.seek(mnemoreel.starts[i] + 1);
            }""",
            index,
        )
        look(page, [text], "mnemo-player")
        tab(page, "Shot")
        look(page, [text, SAID[(index + 1) % len(SAID)]], "mnemo-shot")
        if index:
            look(page, [SAID[index - 1], text], "mnemo-notes")
            look(page, [SAID[index - 1]], "mnemo-reads")
        tab(page, "Takes")
        look(page, [text], "mnemo-takes")
        tab(page, "Memory")
        look(page, [text], "mnemo-memory")
    tab(page, "Shot")
    look(page, NAMED, "mnemo-presets")
    assert wrong == []


def test_hostile_text_is_only_text_among_films_in_plans_and_in_refusals(
    watched: tuple[Window, list[str]],
) -> None:
    desk, wrong = watched
    project = hostile_film(desk.studio)
    name = " ".join(TEXTS)[:190].strip()
    page = desk.open()
    page.wait_for_selector("mnemo-home li")
    look(page, [name], "mnemo-home")
    bundle = desk.context.request.get(f"{desk.studio.url}/api/projects/{project}/bundle").body()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open a film file…").click()
    file: FilePayload = {
        "name": f"{NAMED[0]}.mnemoreel",
        "mimeType": "application/zip",
        "buffer": bundle,
    }
    chooser.value.set_files([file])
    # Its name is said in a note.
    said = "() => document.querySelector('mnemo-bar').shadowRoot.textContent.includes('was added')"
    page.wait_for_function(said)
    look(page, [name[:150]], "mnemo-bar")
    desk.studio.ask("DELETE", f"/api/projects/{project}", {})
    page.reload()
    page.wait_for_selector("mnemo-home li")
    look(page, [name], "mnemo-home")
    page.close()
    page = desk.open(desk.studio.film("Plan", ""))
    page.evaluate("() => document.querySelector('mnemo-storyboard').open()")
    lines = "\n".join(f"0:{2 * at:02} {text}" for at, text in enumerate(SAID))
    page.get_by_role("dialog").get_by_role("textbox").first.fill(lines)
    expect(page.get_by_role("dialog").locator("tbody tr")).to_have_count(len(SAID))
    look(page, SAID, "mnemo-storyboard")
    page.keyboard.press("Escape")
    for text in SAID:
        page.evaluate("text => mnemoreel.announce(text, 'bad')", text)
        look(page, [text], "mnemo-bar")
    page.goto(f"{desk.studio.url}/bare?project={quote(TEXTS[0])}")
    expect(page.get_by_role("heading", name="This film cannot be opened")).to_be_visible()
    look(page, [TEXTS[0]], "mnemo-player")
    assert wrong == []


def test_the_look_finds_what_a_component_would_do_wrong(watched: tuple[Window, list[str]]) -> None:
    desk, wrong = watched
    page = desk.open(desk.studio.film("Careless", "0:00 a red ball"))
    with page.expect_event("dialog"):
        page.evaluate(
            """text => {
              const { shadowRoot } = document.querySelector("mnemo-bar");
              shadowRoot.append(document.createRange().createContextualFragment(text));
            }""",
            TEXTS[0],
        )
    seen = page.evaluate(READ, "")
    assert seen["dangers"] == ["img has onerror", "img asks for x"]
    assert {one.partition(":")[0] for one in wrong} == {"dialog", "request"}


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("prompt", "a" * 1_000_000, "1000000 characters"),
        ("title", "a" * 5_000, "5000 characters"),
        ("prompt", "a\0b", "NUL"),
    ],
)
def test_text_that_is_too_long_or_holds_nul_is_refused_with_the_reason(
    desk: Window, field: str, text: str, said: str
) -> None:
    project = desk.studio.film("Refused", "0:00 a red ball")
    page = desk.open(project)
    page.evaluate(
        """([name, text]) => {
          const id = mnemoreel.shots[0].shot_id;
          mnemoreel.edit({ kind: "set", shot_id: id, fields: { [name]: text } });
        }""",
        [field, text],
    )
    page.wait_for_function("() => !mnemoreel.busy")
    assert said in page.evaluate("() => mnemoreel.lastRefusal")
    assert page.evaluate("() => mnemoreel.shots[0].prompt") == "a red ball"
    assert desk.studio.document(project)["shots"][0]["prompt"] == "a red ball"


@pytest.mark.parametrize("name", ["a\0b", "a" * 201, "  "])
def test_a_film_is_not_named_what_cannot_be_shown(studio: Studio, name: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        studio.ask("POST", "/api/projects", {"name": name})
    with refused.value as answer:
        assert answer.code == 422
