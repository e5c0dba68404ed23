"""A first film from the empty list to the exported file and back: once by mouse, once by keys."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.studio import PROMPTS, Studio, Window, settle, shot_place, tab

DONE = "() => mnemoreel.shots.every(shot => shot.take) && !mnemoreel.jobs.size && !mnemoreel.busy"
STALE = "() => mnemoreel.shots.map(shot => Boolean(shot.stale))"
DROP = """([bytes, name]) => {
  const data = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([data], name, { type: "video/mp4" }));
  const place = document.querySelector("mnemo-home").shadowRoot.querySelector(".root");
  place.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, composed: true }));
}"""


def press(page: Page, name: str, place: str = "body") -> None:
    page.locator(place).get_by_role("button", name=name, exact=True).first.click()


def begin(desk: Window) -> Page:
    page = desk.open(path="/")
    page.locator("mnemo-home").get_by_role("button", name="New film", exact=True).wait_for()
    return page


def wait_for_stale(page: Page, wanted: list[bool]) -> None:
    page.wait_for_function(f"(wanted) => ({STALE})().join() === wanted.join()", arg=wanted)


def forget_the_shots(studio: Studio, page: Page) -> None:
    project = page.evaluate("() => mnemoreel.projectId")
    studio.ask("DELETE", f"/api/projects/{project}", {})


def select(page: Page, index: int) -> None:
    page.mouse.click(*shot_place(page, index))
    settle(page)


def test_a_first_film_by_mouse(desk: Window, tmp_path: Path) -> None:
    page = begin(desk)
    press(page, "New film", "mnemo-home")
    press(page, "Write the first shot")
    for number, prompt in enumerate(PROMPTS[:3]):
        if number:
            press(page, "Add a shot at the end")
        page.wait_for_function(
            "(count) => mnemoreel.shots.length === count && !mnemoreel.busy", arg=number + 1
        )
        expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_be_focused()
        page.keyboard.type(prompt)
    press(page, "Generate all (3)")
    page.wait_for_function(DONE)
    prompts = page.evaluate("() => mnemoreel.shots.map(shot => shot.prompt)")
    assert prompts == list(PROMPTS[:3]), "what was typed last is made, too"

    tab(page, "Memory")
    expect(page.locator("mnemo-memory [data-source=memory]")).to_be_visible()

    select(page, 0)
    tab(page, "Shot")
    press(page, "Regenerate (new seed)")
    wait_for_stale(page, [False, True, True])
    press(page, "Update what changed (2)", "mnemo-bar")
    wait_for_stale(page, [False, False, False])

    select(page, 2)
    press(page, "Forget", "mnemo-reads .one[data-shot]:last-child")
    wait_for_stale(page, [False, False, True])
    press(page, "Undo", "mnemo-bar")
    wait_for_stale(page, [False, False, False])

    compare_in_the_player(page)
    rewind_and_branch(page)
    film = export(page, tmp_path)
    name = page.get_by_role("textbox", name="Name of the film")
    name.fill("Renamed in its header")
    name.press("Enter")
    page.wait_for_function("() => mnemoreel.document.project.name === 'Renamed in its header'")
    press(page, "Mnemoreel: all films")
    page.locator("mnemo-home").get_by_text("Renamed in its header").first.wait_for()
    page.evaluate(DROP, [base64.b64encode(film).decode(), "back again.mp4"])
    page.wait_for_function("() => mnemoreel.document?.project.name === 'back again'")
    page.wait_for_function("() => mnemoreel.shots.length === 3")
    page.wait_for_function(DONE)
    assert page.evaluate("() => mnemoreel.shots.map(shot => shot.prompt)") == list(PROMPTS[:3])
    forget_the_shots(desk.studio, page)


def compare_in_the_player(page: Page) -> None:
    select(page, 0)
    tab(page, "Takes")
    page.locator("mnemo-takes li").nth(1).get_by_role("button", name="Compare as A").click()
    views = page.locator("mnemo-ab .views")
    expect(views).to_be_visible()
    box, player = views.bounding_box(), page.locator("mnemo-player").bounding_box()
    assert box and player
    assert box["x"] >= player["x"] and box["x"] + box["width"] <= player["x"] + player["width"]
    press(page, "Wipe", "mnemo-ab")
    wiped = views.bounding_box()
    assert wiped and wiped["height"] > player["height"] / 2
    # Who moves the playhead wants to see the film.
    page.get_by_role("toolbar", name="Transport").get_by_role("button", name="One frame on").click()
    expect(page.locator("mnemo-ab").get_by_role("button", name="In the player")).to_have_attribute(
        "aria-pressed", "false"
    )
    small = views.bounding_box()
    assert small and small["x"] > player["x"] + player["width"]


def rewind_and_branch(page: Page) -> None:
    tab(page, "History")
    before = page.evaluate("() => mnemoreel.document.node_id")
    rows = page.locator("mnemo-history ol li")
    generated = rows.filter(has_text=re.compile("^Generate Shot 3")).first
    generated.locator(".go").click()
    page.wait_for_function(
        "(node) => mnemoreel.document.node_id !== node && !mnemoreel.busy", arg=before
    )
    generated.hover()
    generated.get_by_role("button", name=re.compile("^More about")).click()
    page.get_by_role("menuitem", name="Branch here…").click()
    page.keyboard.type("Another way")
    page.keyboard.press("Enter")
    expect(page.locator("mnemo-history")).to_contain_text("on Another way")


def export(page: Page, folder: Path) -> bytes:
    press(page, "Export", "mnemo-bar")
    press(page, "Export video", "mnemo-export")
    link = page.locator("mnemo-export").get_by_role("link", name="Download")
    with page.expect_download() as download:
        link.click()
    target = folder / "film.mp4"
    download.value.save_as(target)
    return target.read_bytes()


def test_a_first_film_by_keys(desk: Window) -> None:
    page = begin(desk)
    reach(page, "New film")
    page.keyboard.press("Enter")
    page.wait_for_function("() => mnemoreel.document && mnemoreel.online")
    for number, prompt in enumerate(PROMPTS[:3]):
        page.keyboard.press("a")
        page.wait_for_function(
            "(count) => mnemoreel.shots.length === count && !mnemoreel.busy", arg=number + 1
        )
        expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_be_focused()
        page.keyboard.type(prompt + " ")
        page.keyboard.press("Escape")
    settle(page)
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(DONE)
    page.keyboard.press("r")
    expect(page.locator("mnemo-memory [data-source=memory]")).to_be_visible()
    for key in ("Home", "c", "g"):
        page.keyboard.press(key)
    wait_for_stale(page, [False, True, True])
    page.keyboard.press("u")
    wait_for_stale(page, [False, False, False])

    page.keyboard.press("e")
    wait_for_pins(page, "neighbour", None)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.wait_for_function("() => mnemoreel.shots.length === 3 && !mnemoreel.busy")
    for key in ("Home", "c", "Alt+e"):
        page.keyboard.press(key)
    wait_for_pins(page, "neighbour", "neighbour")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.wait_for_function("() => mnemoreel.shots.length === 3 && !mnemoreel.busy")
    forget_the_shots(desk.studio, page)


def wait_for_pins(page: Page, start: str | None, end: str | None) -> None:
    page.wait_for_function(
        """([start, end]) => {
          const { params } = mnemoreel.shots[1] ?? {};
          const last = mnemoreel.shots.at(-1)?.params;
          return [params, last].some((p) => p?.start?.source === start
            && (p?.end?.source ?? null) === end) && !mnemoreel.busy;
        }""",
        arg=[start, end],
    )


def reach(page: Page, name: str) -> None:
    """Press Tab until the control of that name has the focus."""
    asked: Any = """() => {
      let one = document.activeElement;
      while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
      return one?.textContent.trim();
    }"""
    for _ in range(30):
        if page.evaluate(asked) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab")


def test_esc_closes_the_menu_of_an_open_film(desk: Window, made: str) -> None:
    page = desk.open(made)
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(page.get_by_role("menu", name="Menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu", name="Menu")).to_be_hidden()


def test_space_plays_after_a_press_with_the_mouse(desk: Window, made: str) -> None:
    page = desk.open(made)
    page.get_by_role("button", name="Snapping").click()
    was = page.evaluate("() => mnemoreel.snapping")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('mnemo-player').playback.rate === 1")
    page.keyboard.press("Space")
    assert page.evaluate("() => mnemoreel.snapping") == was
