"""Generating: progress, previews, takes, and what happens when the page goes away."""

import re
import threading

from playwright.sync_api import expect

from tests.browser.studio import Window, edit, settle, shot_ids, tab


def test_generate_all_makes_five_shots_and_undo_takes_the_last_one_back(desk: Window) -> None:
    page = desk.open(desk.studio.film("Five"), path="/")
    page.get_by_role("button", name="Generate all (5)").click()
    page.wait_for_function("() => mnemoreel.shots.every(shot => shot.take) && !mnemoreel.jobs.size")
    timeline = page.locator("mnemo-timeline")
    expect(timeline.get_by_role("option")).to_have_count(5)
    expect(timeline.get_by_role("option").nth(4)).to_have_attribute(
        "aria-label", "Shot 5, 00:00:08:04, take 1"
    )
    settle(page)
    page.get_by_role("button", name="Undo", exact=True).first.click()
    page.wait_for_function("() => mnemoreel.shots.filter(shot => shot.take).length === 4")
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_function("() => mnemoreel.shots.every(shot => shot.take)")


def test_a_shot_shows_its_progress_and_preview_and_a_reload_keeps_both(desk: Window) -> None:
    engine = desk.studio.engine
    steps = engine.steps = threading.Semaphore(0)
    project = desk.studio.film("Progress")
    page = desk.open(project)
    page.get_by_role("button", name="Generate this shot").first.click()
    steps.release(2)
    expect(page.locator("mnemo-player .tag")).to_contain_text("step 2 of 4")
    picture = page.locator("mnemo-player img.preview")
    expect(picture).to_have_attribute("src", re.compile("^data:image/jpeg;base64,"))
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    page.evaluate("() => { mnemoreel.select([mnemoreel.shots[2].shot_id]); mnemoreel.seek(20); }")
    page.reload()
    page.wait_for_function("() => window.mnemoreel?.document && mnemoreel.online")
    assert page.evaluate("() => mnemoreel.playhead") == 20
    assert page.evaluate("() => mnemoreel.indexOf(mnemoreel.anchor)") == 2
    shot = page.locator("mnemo-timeline").get_by_role("option").first
    expect(shot).to_have_attribute("aria-label", "Shot 1, 00:00:00:00, generating, step 2 of 4")
    steps.release(2)
    page.wait_for_function("() => mnemoreel.shots[0].take && !mnemoreel.jobs.size")


def test_a_running_job_can_be_cancelled(desk: Window) -> None:
    steps = desk.studio.engine.steps = threading.Semaphore(0)
    page = desk.open(desk.studio.film("Cancel"))
    page.get_by_role("button", name="Generate this shot").first.click()
    tab(page, "Queue")
    queue = page.locator("mnemo-queue")
    expect(queue.locator("li.own")).to_contain_text("Generate · Shot 1")
    queue.get_by_role("button", name="Cancel", exact=True).click()
    steps.release(4)
    expect(queue.locator("li.own")).to_have_count(0)
    assert page.evaluate("() => mnemoreel.shots.every(shot => !shot.take)")


def test_a_failed_shot_says_why_and_can_be_tried_again(desk: Window) -> None:
    project = desk.studio.film("Failure", "00:00:00:00 fail")
    page = desk.open(project)
    page.get_by_role("button", name="Generate this shot").first.click()
    tab(page, "Queue")
    row = page.locator("mnemo-queue li.own")
    expect(row).to_contain_text("It could not be rendered.")
    tab(page, "Shot")
    page.get_by_role("textbox", name="Prompt").fill("a red ball")
    page.wait_for_function("() => mnemoreel.document.shots[0].prompt === 'a red ball'")
    settle(page)
    page.get_by_role("button", name="Generate this shot").first.click()
    page.wait_for_function("() => mnemoreel.shots[0].take")


def test_regenerating_makes_a_second_take_and_the_first_can_be_picked_again(desk: Window) -> None:
    page = desk.open(desk.studio.film("Takes", is_made=True))
    page.locator("mnemo-shot").get_by_role("button", name="Regenerate (new seed)").click()
    page.wait_for_function("() => mnemoreel.shots[0].take.number === 2")
    tab(page, "Takes")
    takes = page.locator("mnemo-takes li")
    expect(takes).to_have_count(2)
    takes.filter(has_text="Take 1").get_by_role("button", name="Pick").click()
    page.wait_for_function("() => mnemoreel.shots[0].take.number === 1")
    expect(takes.filter(has_text="In the cut")).to_contain_text("Take 1")


def test_moving_a_shot_makes_what_follows_stale_and_one_button_updates_it(desk: Window) -> None:
    page = desk.open(desk.studio.film("Stale", is_made=True))
    settle(page)
    ids = shot_ids(page)
    edit(page, kind="move", shot_ids=[ids[4]], before=ids[3])
    assert page.evaluate("() => mnemoreel.shots.map(shot => shot.stale)") == [
        *([False] * 3),
        *([True] * 2),
    ]
    page.get_by_role("button", name="Update what changed (2)").click()
    page.wait_for_function("() => mnemoreel.jobs.size === 0 && !mnemoreel.stale.length")
    numbers = page.evaluate("() => mnemoreel.shots.map(shot => shot.take.number)")
    assert numbers == [1, 1, 1, 2, 2]


def test_a_prompt_is_saved_as_it_is_typed_and_unknown_words_are_marked(desk: Window) -> None:
    project = desk.studio.film("Typing")
    page = desk.open(project)
    field = page.get_by_role("textbox", name="Prompt")
    field.fill("the red dragon rolls, b jkl io")
    expect(page.locator("mnemo-shot .unknown")).to_contain_text("dragon")
    page.wait_for_function("() => mnemoreel.document.can_undo && !mnemoreel.busy")
    assert len(page.evaluate("() => mnemoreel.shots")) == 5
    page.wait_for_function("() => mnemoreel.document.label.includes('Shot 1')")
    assert desk.studio.document(project)["shots"][0]["prompt"] == "the red dragon rolls, b jkl io"
