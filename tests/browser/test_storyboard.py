"""Importing a storyboard: the plan first, and only then the cut."""

from playwright.sync_api import expect

from tests.browser.studio import STORYBOARD, Window


def test_a_storyboard_becomes_a_plan_and_changes_nothing_until_it_is_applied(desk: Window) -> None:
    project = desk.studio.film("Plan", "")
    page = desk.open(project)
    page.get_by_role("button", name="Several shots at once…").click()
    text = STORYBOARD + "\nthis line has no time\n00:00:12:00 a purple dragon rolls"
    page.get_by_role("textbox", name="Storyboard").fill(text)
    dialog = page.get_by_role("dialog", name="Import a storyboard")
    rows = dialog.locator("tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.nth(5)).to_contain_text("The model does not know: purple, dragon")
    expect(rows.nth(3)).to_contain_text("90")
    expect(dialog.locator(".note").first).to_contain_text("Line 6")
    assert desk.studio.document(project)["shots"] == []
    expect(dialog.get_by_role("button", name="Apply 6 shots")).to_be_disabled()
    page.get_by_role("textbox", name="Storyboard").fill(text.replace("this line has no time\n", ""))
    expect(dialog.get_by_role("button", name="Apply 6 shots")).to_be_enabled()
    dialog.get_by_role("button", name="Apply 6 shots").click()
    expect(dialog).to_be_hidden()
    page.wait_for_function("() => mnemoreel.shots.length === 6")
    prompts = [shot["prompt"] for shot in desk.studio.document(project)["shots"]]
    assert prompts[0] == "the red ball rolls over the grass"
    assert prompts[5] == "a purple dragon rolls"


def test_the_sample_storyboard_has_five_shots(desk: Window) -> None:
    page = desk.open(desk.studio.film("Sample", ""))
    page.get_by_role("button", name="Several shots at once…").click()
    dialog = page.get_by_role("dialog", name="Import a storyboard")
    dialog.get_by_role("button", name="Use the sample storyboard").click()
    expect(dialog.locator("tbody tr")).to_have_count(5)
    dialog.get_by_role("button", name="Apply 5 shots").click()
    page.wait_for_function("() => mnemoreel.shots.length === 5")


def test_a_text_that_is_no_storyboard_is_refused_in_words(desk: Window) -> None:
    page = desk.open(desk.studio.film("Refused", ""))
    page.get_by_role("button", name="Several shots at once…").click()
    page.get_by_role("textbox", name="Storyboard").fill("just words without any time")
    dialog = page.get_by_role("dialog", name="Import a storyboard")
    expect(dialog.locator(".note").first).to_be_visible()
    expect(dialog.get_by_role("button", name="Apply")).to_be_disabled()
