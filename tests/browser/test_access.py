"""Both themes can be read, everything has a name, and everything is reached by keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import (
    focused,
    live_regions,
    low_contrasts,
    nameless,
    positive_tabindexes,
)
from tests.browser.studio import Window, settle, tab

TABS = ("Shot", "Takes", "Memory", "History", "Queue", "Export")


def screens(page: Page) -> Iterator[str]:
    """Show one panel and dialog after the other."""
    for title in TABS:
        tab(page, title)
        settle(page)
        yield title
    page.get_by_role("button", name="Menu", exact=True).click()
    yield "Menu"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Storyboard…").click()
    page.get_by_role("textbox", name="Storyboard").fill("0:00 a red dragon\nno time")
    expect(page.locator("mnemo-storyboard .note").first).to_be_visible()
    yield "Storyboard"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys").click()
    yield "Keys"
    page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(
    desk: Window, made: str, theme: Literal["light", "dark"]
) -> None:
    page = desk.open(made)
    page.emulate_media(color_scheme=theme)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    faults = {screen: low_contrasts(page) for screen in screens(page)}
    assert not any(faults.values()), faults
    page.get_by_role("button", name="All films").click()
    expect(page.locator("mnemo-home .card").first).to_be_visible()
    assert low_contrasts(page) == []


def test_every_control_has_a_name_and_none_leaves_the_order(desk: Window, made: str) -> None:
    page = desk.open(made)
    page.evaluate("() => mnemoreel.select([mnemoreel.shots[1].shot_id])")
    for screen in screens(page):
        assert nameless(page) == [], screen
        assert positive_tabindexes(page) == [], screen
    assert live_regions(page) >= 2
    page.get_by_role("button", name="All films").click()
    expect(page.locator("mnemo-home .card").first).to_be_visible()
    assert nameless(page) == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(desk: Window, made: str) -> None:
    page = desk.open(made, path="/")
    settle(page)
    walked: list[Any] = []
    for _ in range(90):
        page.keyboard.press("Tab")
        here = focused(page)
        if here is None and walked:
            break
        if here is not None:
            walked.append(here)
    names = " | ".join(one["name"] for one in walked)
    for wanted in ("Undo", "Storyboard…", "Export", "Menu", "Play", "Prompt", "Seed", "Split"):
        assert wanted in names, f"{wanted} is not reached: {names}"
    assert [one for one in walked if not one["isMarked"]] == []


def test_the_theme_is_chosen_in_the_menu_and_kept_by_the_studio(desk: Window) -> None:
    page = desk.open()
    page.emulate_media(color_scheme="dark")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Menu", exact=True).click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitemradio", name="Light")).to_be_focused()
    page.keyboard.press("Enter")
    expect(root).to_have_attribute("data-theme", "light")
    expect(page.get_by_role("button", name="Menu", exact=True)).to_be_focused()
    other = desk.open()
    expect(other.locator("html")).to_have_attribute("data-theme", "light")
    desk.studio.ask("PUT", "/api/settings", {"settings": {"theme": "system"}})
    page.reload()
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")


def test_the_canvas_follows_the_theme(desk: Window, made: str) -> None:
    page = desk.open(made)
    corner = """() => {
      const canvas = document.querySelector("mnemo-timeline").shadowRoot.querySelector("canvas");
      return [...canvas.getContext("2d").getImageData(canvas.width - 2, 2, 1, 1).data];
    }"""
    page.emulate_media(color_scheme="dark")
    settle(page)
    dark = page.evaluate(corner)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"(dark) => ({corner})().join() !== dark.join()", arg=dark)
    assert sum(page.evaluate(corner)[:3]) > sum(dark[:3]) + 200
