"""The first minute: shown once, reachable again, and a film at the end of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from studio.settings import EMBEDDED_CHECKPOINT
from tests.browser.studio import Studio, Window, running, window


@pytest.fixture(scope="module")
def fresh(
    browser: Browser, studio: Studio, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Window]:
    del studio  # its fixture imports gradio with its warnings silenced
    folder = tmp_path_factory.mktemp("fresh")
    with running(folder, is_first=True) as empty, window(browser, empty) as opened:
        yield opened
        assert opened.problems == []


def test_the_first_steps_lead_to_a_sample_film_and_do_not_come_back(fresh: Window) -> None:
    page = fresh.open()
    dialog = page.get_by_role("dialog", name="First steps")
    expect(dialog.get_by_text("Draws with")).to_be_visible()
    expect(dialog.get_by_text("cpu, 1 thread, float32")).to_be_visible()
    expect(dialog.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("radio", name="The small model")).to_be_checked()
    dialog.get_by_label("Folder of the model").fill("/nowhere/at/all")
    dialog.get_by_role("button", name="Check").click()
    expect(dialog.get_by_role("status")).to_contain_text("Cannot be used. There is no folder")
    expect(dialog.get_by_role("button", name="Use this model")).to_be_hidden()
    dialog.get_by_label("Folder of the model").fill(str(EMBEDDED_CHECKPOINT))
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("It can be used: Mnemoreel embedded")
    expect(dialog.get_by_role("button", name="Use this model")).to_be_visible()
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("button", name="Begin the sample film Two friends").click()
    expect(dialog).to_be_hidden()
    page.wait_for_function("() => mnemoreel.shots.length === 6")
    expect(page.get_by_role("button", name="Generate all (6)")).to_be_enabled()
    again = fresh.open()
    expect(again.locator("mnemo-home .card")).to_have_count(1)
    expect(again.get_by_role("dialog", name="First steps")).to_be_hidden()
    again.get_by_role("button", name="Menu").click()
    again.get_by_role("menuitem", name="First steps…").click()
    expect(again.get_by_role("dialog", name="First steps")).to_be_visible()


def test_a_sample_fills_the_empty_film_that_is_open(fresh: Window) -> None:
    project = fresh.studio.film("Nothing in it", "")
    page = fresh.open(project)
    page.get_by_role("button", name="Begin the sample film There and back").click()
    page.wait_for_function("() => mnemoreel.shots.length === 5")
    assert fresh.studio.document(project)["shots"][0]["title"] == "Home"
