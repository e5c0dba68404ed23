"""The list of films."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.studio import Studio, Window, running, window
from tests.browser.test_files import write_video


@pytest.fixture
def empty(browser: Browser, studio: Studio, tmp_path: Path) -> Iterator[Window]:
    """A window in a studio whose library has no film."""
    del studio  # its fixture imports gradio with its warnings silenced
    with running(tmp_path) as started, window(browser, started) as opened:
        yield opened
        assert opened.problems == []


def card(page: Page, name: str) -> Locator:
    return page.locator("mnemo-home li.card").filter(has_text=name)


def press(place: Locator, verb: str) -> None:
    place.get_by_role("button", name=re.compile(f"^{verb}")).click()


def test_an_empty_library_says_how_to_begin(empty: Window) -> None:
    page = empty.open(path="/")
    expect(page.get_by_role("heading", name="Make your first film")).to_be_visible()
    expect(page.locator("mnemo-home").get_by_role("button", name="Begin the sample")).to_have_count(
        3
    )
    page.get_by_role("button", name="New film").click()
    expect(page.get_by_role("heading", name="Begin your film")).to_be_visible()
    assert "?project=" in page.url
    assert len(empty.studio.ask("GET", "/api/projects")["projects"]) == 1


def test_a_film_is_renamed_deleted_and_brought_back(desk: Window) -> None:
    name = "A film to rename"
    project = desk.studio.film(name, "")
    page = desk.open()
    press(card(page, name), "Rename")
    page.keyboard.type("Another title")
    page.keyboard.press("Enter")
    renamed = card(page, "Another title")
    expect(renamed).to_be_visible()
    press(renamed, "Delete")
    expect(renamed).to_have_count(0)
    page.locator("mnemo-home").get_by_role("button", name="Undo").click()
    renamed.locator(".open").click()
    page.wait_for_function("() => mnemoreel.document?.project.name === 'Another title'")
    assert project in page.url


def test_a_deleted_film_is_restored_from_the_trash_after_a_reload(desk: Window) -> None:
    name = "A film to miss"
    desk.studio.film(name, "")
    page = desk.open()
    press(card(page, name), "Delete")
    expect(card(page, name)).to_have_count(0)
    page.reload()
    page.get_by_text(re.compile(r"deleted films?$")).click()
    page.get_by_role("button", name=f"Restore {name}").click()
    expect(card(page, name)).to_be_visible()


def test_a_copy_of_a_film_has_its_picture_and_its_length(desk: Window) -> None:
    name = "A film to copy"
    desk.studio.film(name, is_made=True)
    page = desk.open()
    expect(card(page, name)).to_contain_text("5 shots · 11 s")
    press(card(page, name), "Duplicate")
    copy = card(page, f"{name} copy")
    expect(copy).to_contain_text("5 shots · 11 s")
    assert "/media/" in str(copy.locator(".thumb").get_attribute("style"))


def test_many_films_are_searched_and_sorted(empty: Window) -> None:
    for name in ("Alpha 10", "Alpha 2", "Beta", "Gamma"):
        empty.studio.film(name, "")
    page = empty.open()
    expect(page.get_by_label("Find a film")).to_be_hidden()
    empty.studio.film("Beta longer", "0:00 a red ball\n0:02 a ball")
    page.reload()
    names = page.locator("mnemo-home li.card b")
    page.get_by_label("Find a film").fill("alpha")
    expect(names).to_have_text(["Alpha 2", "Alpha 10"])
    page.get_by_label("Find a film").fill("nothing like it")
    expect(page.get_by_text("No film is called “nothing like it”.")).to_be_visible()
    page.get_by_label("Find a film").fill("")
    page.get_by_label("Order of the films").select_option("Longest")
    expect(names.first).to_have_text("Beta longer")
    page.get_by_label("Order of the films").select_option("Name")
    expect(names).to_have_text(["Alpha 2", "Alpha 10", "Beta", "Beta longer", "Gamma"])


DROP = """([name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type }));
  const root = document.querySelector("mnemo-home").shadowRoot.querySelector(".root");
  for (const kind of ["dragover", "drop"]) {
    root.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
  }
}"""


def test_a_storyboard_that_is_dropped_becomes_a_film_with_a_plan(desk: Window) -> None:
    page = desk.open()
    page.wait_for_selector("mnemo-home .begin")
    page.evaluate(
        DROP, ["My story.txt", "text/plain", "MDowMCBhIHJlZCBiYWxsCjA6MDIgYSBibHVlIGJveA=="]
    )
    dialog = page.get_by_role("dialog", name="Import a storyboard")
    dialog.get_by_role("button", name="Apply 2 shots").click()
    page.wait_for_function("() => mnemoreel.shots.length === 2")
    assert page.evaluate("() => mnemoreel.document.project.name") == "My story"


def test_a_video_that_is_dropped_becomes_a_film_of_its_own(desk: Window, tmp_path: Path) -> None:
    video = tmp_path / "holiday.mp4"
    write_video(video, 17)
    page = desk.open()
    page.wait_for_selector("mnemo-home .begin")
    page.evaluate(DROP, [video.name, "video/mp4", base64.b64encode(video.read_bytes()).decode()])
    page.wait_for_function("() => mnemoreel.shots[0]?.take?.kind === 'footage'", timeout=30_000)
    assert page.evaluate("() => mnemoreel.document.project.name") == "holiday"


def test_a_film_that_does_not_exist_is_said_so(desk: Window) -> None:
    page = desk.open()
    page.goto(f"{desk.studio.url}/bare?project=nothing")
    expect(page.get_by_role("heading", name="This film cannot be opened")).to_be_visible()


def test_a_film_is_saved_as_a_file_and_dropped_back_in(desk: Window, tmp_path: Path) -> None:
    desk.studio.film("A film to keep", "0:00 a red ball")
    page = desk.open()
    card = page.locator("mnemo-home li").filter(has_text="A film to keep")
    with page.expect_download() as waiting:
        card.get_by_role("link", name="Save A film to keep as a file").click()
    file = tmp_path / "kept.mnemoreel"
    waiting.value.save_as(file)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open a film file…").click()
    chooser.value.set_files(file)
    copy = page.locator("mnemo-home li").filter(has_text="A film to keep (imported)")
    expect(copy).to_be_visible()
    expect(copy).to_contain_text("1 shot")


def test_a_library_in_trouble_is_said_on_every_page(desk: Window) -> None:
    library = desk.studio.library
    library.backup_problem = "The disk of /films is full: 0.1 MB free."
    try:
        page = desk.open()
        notice = page.locator("mnemo-bar").get_by_role("alert").filter(has_text="Look after")
        expect(notice).to_contain_text("No backup could be taken. The disk of /films is full")
    finally:
        library.backup_problem = ""
