"""Every screen at both sizes: nothing overlaps, is cut off, or jumps while shots are made."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.layout import SIZES, problems, shifts, watch_shifts
from tests.browser.looks import low_contrasts
from tests.browser.studio import Studio, Window, settle, window

READY = "() => window.mnemoreel?.document && !mnemoreel.busy && mnemoreel.online"


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def sized(
    request: pytest.FixtureRequest, browser: Browser, studio: Studio
) -> Iterator[tuple[Window, tuple[int, int]]]:
    """A window, and the size that its pages get."""
    studio.engine.steps = None
    with window(browser, studio) as opened:
        watch_shifts(opened.context)
        yield opened, request.param
        studio.let_go()
        assert opened.problems == []


def open_sized(desk: Window, size: tuple[int, int], project: str = "") -> Page:
    page = desk.context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(desk.studio.url + "/" + (f"?project={project}" if project else ""))
    page.wait_for_function(READY if project else "() => document.querySelector('mnemo-home')")
    return page


def all_tabs(page: Page) -> list[str]:
    tabs = page.locator("#inspector button[role=tab]")
    tabs.first.wait_for()
    return [name.strip() for name in tabs.all_text_contents()]


def test_every_screen_fits(sized: tuple[Window, tuple[int, int]]) -> None:
    desk, size = sized
    found: dict[str, list[str]] = {}
    page = open_sized(desk, size)
    page.wait_for_selector("mnemo-home[data-ready]")
    found["home"] = problems(page)
    page.close()
    page = open_sized(desk, size, desk.studio.film("Fits", is_made=True))
    settle(page)
    page.evaluate("() => mnemoreel.select([mnemoreel.shots[1].shot_id])")
    for name in all_tabs(page):
        page.get_by_role("tab", name=name, exact=True).click()
        page.wait_for_timeout(120)
        settle(page)
        found[name] = problems(page)
    found |= dialogs_and_jobs(desk, page)
    page.evaluate("() => document.querySelector('mnemo-timeline').toggleList()")
    settle(page)
    found["list"] = problems(page)
    page.keyboard.press("?")
    expect(page.locator("mnemo-help dialog")).to_be_visible()
    found["keys"] = problems(page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def faults(page: Page) -> list[str]:
    """Return what does not fit, and what is too pale to read in either theme."""
    found = problems(page)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        found += [f"pale, {theme}: {one}" for one in low_contrasts(page)]
    return found


def dialogs_and_jobs(desk: Window, page: Page) -> dict[str, list[str]]:
    """Look at what stands in the panels only while something is asked, compared or made."""
    found: dict[str, list[str]] = {}
    shot = page.evaluate("() => mnemoreel.shots[1].shot_id")
    path = f"/api/projects/{page.evaluate('() => mnemoreel.projectId')}"
    desk.studio.ask("POST", f"{path}/generate", {"shot_ids": [shot], "new_seed": True})
    page.wait_for_function("() => mnemoreel.shots[1].num_takes === 2 && !mnemoreel.jobs.size")
    page.get_by_role("tab", name="Shot", exact=True).click()
    settle(page)
    found["stale"] = faults(page)
    page.get_by_role("tab", name="Takes", exact=True).click()
    page.locator("mnemo-takes li").nth(1).get_by_role("button", name="Compare as A").click()
    page.locator("mnemo-ab .views").wait_for()
    for mode in ("Side by side", "Wipe"):
        page.locator("mnemo-ab").get_by_role("button", name=mode).click()
        found[f"takes, {mode}"] = faults(page)
    page.get_by_role("tab", name="Queue", exact=True).click()
    desk.studio.ask("POST", "/api/queue/pause", {"paused": True})
    others = page.evaluate("() => mnemoreel.shots.slice(2).map(shot => shot.shot_id)")
    desk.studio.ask("POST", f"{path}/generate", {"shot_ids": others, "new_seed": True})
    page.wait_for_function("() => mnemoreel.jobs.size >= 3")
    settle(page)
    found["queue, paused"] = faults(page)
    page.locator("mnemo-queue").get_by_role("button", name="Cancel all").click()
    page.wait_for_function("() => !mnemoreel.jobs.size")
    desk.studio.ask("POST", "/api/queue/pause", {"paused": False})
    return found


def test_nothing_jumps_while_shots_are_made(sized: tuple[Window, tuple[int, int]]) -> None:
    desk, size = sized
    steps = desk.studio.engine.steps = threading.Semaphore(0)
    page = open_sized(desk, size, desk.studio.film("Steady", "0:00 a red ball\n0:02 a blue ball"))
    settle(page)
    page.wait_for_selector("mnemo-shot[data-ready]")
    page.get_by_role("button", name="Generate all (2)").click()
    # What a click moves is an answer to it; what comes later is a jump.
    page.wait_for_timeout(700)
    shifts(page)
    for step in (1, 2, 3):
        steps.release()
        expect(page.locator("mnemo-player .tag")).to_contain_text(f"step {step} of 4")
    steps.release(5)
    page.wait_for_function("() => mnemoreel.shots.every(s => s.take) && !mnemoreel.jobs.size")
    settle(page)
    assert shifts(page) == []
