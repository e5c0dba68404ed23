"""The cut as a list: everything by keyboard alone, also with five hundred shots."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.studio import PROMPTS, Window, settle, shot_ids


def focused(page: Page) -> str:
    """Text of the cell that has the keyboard."""
    return str(
        page.evaluate(
            """() => document.querySelector("mnemo-timeline").shadowRoot
                .querySelector("mnemo-list").shadowRoot.activeElement?.textContent ?? "none" """
        )
    )


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    settle(page)


def test_the_list_edits_the_film_by_keyboard_alone(desk: Window) -> None:
    project = desk.studio.film("List")
    page = desk.open(project)
    settle(page)
    before = shot_ids(page)
    press(page, "Alt+l")
    grid = page.get_by_role("grid", name="The cut as a list")
    assert grid.get_by_role("row").count() == 6
    press(page, "Home", "ArrowDown", "ArrowRight", "ArrowRight", "Enter")
    page.keyboard.type("<b>Opening</b>")
    press(page, "Enter")
    assert focused(page) == "<b>Opening</b>"
    press(page, "ArrowRight", "Enter", "Escape")
    assert focused(page) == PROMPTS[1]
    press(page, "End", "ArrowLeft", "Space", "Alt+ArrowDown")
    after = desk.studio.document(project)["shots"]
    assert [s["shot_id"] for s in after] == [before[0], before[2], before[1], *before[3:]]
    assert (after[2]["title"], after[2]["muted"]) == ("<b>Opening</b>", True)
    assert focused(page) == "muted"
    press(page, "Shift+ArrowDown", "Delete")
    assert shot_ids(page) == [before[0], before[2], before[4]]
    assert focused(page) != "none"
    press(page, "Control+Z")
    assert len(shot_ids(page)) == 5
    press(page, "Alt+l")
    assert grid.is_hidden()


def test_the_list_holds_five_hundred_shots(desk: Window) -> None:
    lines = "\n".join(f"0:{at // 30:02}:{at % 30 * 2:02} a red ball {at}" for at in range(500))
    project = desk.studio.film("Long", lines)
    page = desk.open(project)
    press(page, "Alt+l", "Control+End", "ArrowRight", "ArrowRight", "ArrowRight")
    assert focused(page) == "a red ball 499"
    last = page.get_by_role("row").last
    assert last.get_attribute("aria-rowindex") == "501"
    press(page, "PageUp", "d")
    place = page.evaluate("() => mnemoreel.shots.findIndex(shot => shot.muted)")
    assert 480 < place < 499
