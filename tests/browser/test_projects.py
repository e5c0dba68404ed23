"""The list of films."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.studio import Studio, Window, running, window


def test_an_empty_library_says_how_to_begin(
    browser: Browser, studio: Studio, tmp_path: Path
) -> None:
    del studio  # its fixture imports gradio with its warnings silenced
    with running(tmp_path) as empty, window(browser, empty) as opened:
        page = opened.open(path="/")
        expect(page.get_by_role("heading", name="Make your first film")).to_be_visible()
        page.get_by_role("button", name="New film").click()
        expect(page.get_by_role("heading", name="Start with a storyboard")).to_be_visible()
        assert "?project=" in page.url
        assert len(empty.ask("GET", "/api/projects")["projects"]) == 1
        assert opened.problems == []


def test_a_film_is_renamed_deleted_and_brought_back(desk: Window) -> None:
    name = "A film to rename"
    project = desk.studio.film(name, "")
    page = desk.open()
    card = page.locator("mnemo-home li").filter(has_text=name)
    card.get_by_role("button", name="Rename", exact=True).click()
    page.keyboard.type("Another title")
    page.keyboard.press("Enter")
    renamed = page.locator("mnemo-home li").filter(has_text="Another title")
    expect(renamed).to_be_visible()
    renamed.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("mnemo-home li").filter(has_text="Another title")).to_have_count(0)
    page.locator("mnemo-home").get_by_role("button", name="Undo").click()
    page.locator("mnemo-home li").filter(has_text="Another title").locator(".open").click()
    page.wait_for_function("() => mnemoreel.document?.project.name === 'Another title'")
    assert project in page.url


def test_a_film_that_does_not_exist_is_said_so(desk: Window) -> None:
    page = desk.open()
    page.goto(f"{desk.studio.url}/bare?project=nothing")
    expect(page.get_by_role("heading", name="This film cannot be opened")).to_be_visible()
