"""The queue panel: order by hand and by keys, the pause, a shot kept half-way, and its notes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from storage import jobs
from tests.browser.studio import Window, settle, tab
from tests.patience import patience_ends

TITLES = ["Generate · Shot 1", "Generate · Shot 2", "Generate · Shot 3"]
THREE = "0:00 a red ball\n0:02 a blue ball\n0:04 a red box"


@pytest.fixture
def paused(desk: Window) -> Iterator[Window]:
    desk.studio.ask("POST", "/api/queue/pause", {"paused": True})
    yield desk
    desk.studio.ask("POST", "/api/queue/pause", {"paused": False})


def open_queue(desk: Window, name: str) -> Page:
    project = desk.studio.film(name, THREE)
    body = {"shot_ids": None, "new_seed": False}
    desk.studio.ask("POST", f"/api/projects/{project}/generate", body)
    page = desk.open(project)
    tab(page, "Queue")
    return page


def titles(page: Page, *expected: str) -> None:
    expect(page.locator("mnemo-queue ul[aria-label=Jobs] li.own b")).to_have_text(list(expected))


def test_waiting_jobs_are_moved_by_keys_and_by_hand_and_stay_so(paused: Window) -> None:
    page = open_queue(paused, "Order")
    one, two, three = TITLES
    titles(page, one, two, three)
    rows = page.locator("mnemo-queue li.own.waiting")
    rows.nth(0).focus()
    page.keyboard.press("Alt+ArrowDown")
    titles(page, two, one, three)
    page.keyboard.press("Alt+ArrowDown")
    titles(page, two, three, one)
    rows.nth(2).drag_to(rows.nth(0), target_position={"x": 60, "y": 3})
    titles(page, one, two, three)
    rows.nth(2).get_by_role("button", name="Earlier").click()
    titles(page, one, three, two)
    page.reload()
    page.wait_for_function("() => window.mnemoreel?.document && mnemoreel.online")
    tab(page, "Queue")
    titles(page, one, three, two)
    expect(page.locator("mnemo-queue .paused")).to_be_visible()
    page.locator("mnemo-queue").get_by_role("button", name="Resume").click()
    page.wait_for_function("() => mnemoreel.shots.every(shot => shot.take)")
    page.locator("mnemo-queue summary").click()
    expect(page.locator("mnemo-queue [data-done]")).to_have_count(3)


def test_a_waiting_job_is_edited_through_its_shot(paused: Window) -> None:
    page = open_queue(paused, "Edit")
    page.locator("mnemo-queue li.own.waiting").nth(1).get_by_role("button", name="Edit").click()
    field = page.get_by_role("textbox", name="Prompt")
    expect(field).to_be_focused()
    field.fill("a blue box again")
    page.wait_for_function("() => mnemoreel.document.shots[1].prompt === 'a blue box again'")
    settle(page)
    tab(page, "Queue")
    expect(page.locator("mnemo-queue li.own.waiting").nth(1)).to_contain_text("a blue box again")


def wait_until_idle(desk: Window) -> None:
    """Let what earlier tests left in the queue end: it would take the steps of the next one."""
    end = patience_ends(30)
    while time.monotonic() < end:
        with desk.studio.library.read() as tx:
            if not jobs.active(tx):
                return
        time.sleep(0.05)
    raise TimeoutError("Jobs of earlier tests are still running after 30 s.")


def test_a_shot_that_is_stopped_is_kept_as_a_take_that_says_so(desk: Window) -> None:
    wait_until_idle(desk)
    steps = desk.studio.engine.steps = threading.Semaphore(0)
    project = desk.studio.film("Keep", "0:00 a red ball")
    page = desk.open(project)
    page.get_by_role("button", name="Generate this shot").first.click()
    tab(page, "Queue")
    steps.release(1)
    row = page.locator("mnemo-queue li.own")
    expect(row).to_contain_text("step 1 of 4")
    page.wait_for_function("() => document.title.startsWith('20 % · Keep')")
    row.get_by_role("button", name="Stop and keep").click()
    expect(row).to_contain_text("keeping what there is")
    steps.release(1)
    page.wait_for_function("() => mnemoreel.shots[0].take")
    assert page.evaluate("() => mnemoreel.document.label") == (
        "Keep Shot 1, cancelled at step 2 of 4"
    )
    tab(page, "Takes")
    expect(page.locator("mnemo-takes li")).to_contain_text("Cancelled at step 2 of 4")
    page.wait_for_function("() => document.title === 'Keep · Mnemoreel'")


def test_a_failed_job_stays_after_a_reload_until_it_is_dismissed(desk: Window) -> None:
    page = desk.open(desk.studio.film("Stays", "0:00 fail"))
    page.get_by_role("button", name="Generate this shot").first.click()
    tab(page, "Queue")
    row = page.locator("mnemo-queue li.own")
    expect(row).to_contain_text("It could not be rendered.")
    page.reload()
    page.wait_for_function("() => window.mnemoreel?.document && mnemoreel.online")
    tab(page, "Queue")
    expect(row).to_contain_text("It could not be rendered.")
    row.get_by_role("button", name="Dismiss").click()
    expect(row).to_have_count(0)
    page.reload()
    page.wait_for_function("() => window.mnemoreel?.document && mnemoreel.online")
    assert page.evaluate("() => mnemoreel.jobs.size") == 0


def test_the_browser_is_asked_for_notes_by_a_click_only(desk: Window) -> None:
    desk.context.add_init_script(
        """window.asked = 0;
        window.Notification = class {
          static permission = "default";
          static async requestPermission() {
            window.asked += 1;
            this.permission = "granted";
            return "granted";
          }
        };"""
    )
    page = desk.open(desk.studio.film("Notes"))
    tab(page, "Queue")
    assert page.evaluate("() => window.asked") == 0
    page.locator("mnemo-queue").get_by_role("button", name="Notify me").click()
    on = page.locator("mnemo-queue").get_by_role("button", name="Notifies you")
    expect(on).to_have_attribute("aria-pressed", "true")
    expect(on).to_have_attribute("title", re.compile("long job"))
    assert page.evaluate("() => window.asked") == 1
    on.click()
    expect(page.locator("mnemo-queue").get_by_role("button", name="Notify me")).to_be_visible()
