"""Takes on the page: compared, rated, thrown away, made again in part, pinned."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.studio import Window, settle, tab


def made_twice(desk: Window, name: str) -> Page:
    """Open a film whose first shot has two takes, at the takes of that shot."""
    project = desk.studio.film(name, "00:00:00:00 the red ball rolls\n00:00:02:00 a blue box")
    desk.studio.make(project)
    page = desk.open(project)
    page.evaluate("() => mnemoreel.generate([mnemoreel.shots[0].shot_id], true)")
    page.wait_for_function("() => mnemoreel.shots[0].take.number === 2 && !mnemoreel.jobs.size")
    settle(page)
    tab(page, "Takes")
    expect(page.locator("mnemo-takes li")).to_have_count(2)
    return page


def test_two_takes_are_compared_frame_by_frame_and_play_in_step(desk: Window) -> None:
    page = made_twice(desk, "Compare takes")
    row = page.locator("mnemo-takes li").filter(has_text="seed").last
    row.get_by_role("button", name="Compare as B").click()
    compare = page.locator("mnemo-ab")
    expect(compare).to_be_visible()
    page.get_by_role("slider", name="Frame of both takes").fill("11")
    expect(compare).to_have_attribute("data-frame", "11")
    times = "() => [...document.querySelector('mnemo-takes').shadowRoot.querySelector('mnemo-ab')"
    same = f"{times}.videos].map(video => video.currentTime)"
    first, second = page.evaluate(same)
    assert first == second
    compare.get_by_role("button", name="Difference").click()
    compare.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        "() => document.querySelector('mnemo-takes').shadowRoot.querySelector('mnemo-ab')"
        ".dataset.frame !== '11'"
    )
    compare.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(50)
    first, second = page.evaluate(same)
    assert first == second


def test_a_take_gets_stars_and_goes_to_the_trash_and_back(desk: Window) -> None:
    page = made_twice(desk, "Trash")
    rows = page.locator("mnemo-takes li")
    rows.filter(has_text="Take 1").get_by_role("button", name="4 stars").click()
    expect(rows.filter(has_text="Take 1").locator(".stars .on")).to_have_count(4)
    rows.filter(has_text="Take 2").get_by_role("button", name="Trash").click()
    expect(rows.filter(has_text="The cut shows this take")).to_have_count(1)
    page.locator("mnemo-takes .ask").get_by_role("button", name="Take 1").click()
    page.wait_for_function("() => mnemoreel.shots[0].take.number === 1")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Show trash (1)").click()
    expect(rows).to_have_count(2)
    rows.filter(has_text="Take 2").get_by_role("button", name="Restore").click()
    expect(rows.filter(has_text="Take 2").get_by_role("button", name="Pick")).to_be_visible()
    assert page.evaluate("() => mnemoreel.document.label") == "Trash take 2 of Shot 1"


def test_a_marked_range_of_a_take_is_made_anew(desk: Window) -> None:
    page = made_twice(desk, "Range")
    page.evaluate("() => { mnemoreel.range = { in: 6, out: 9 }; mnemoreel.emit('range'); }")
    again = page.locator("mnemo-again")
    page.get_by_role("button", name="Make another…").click()
    again.get_by_role("button", name="Range").click()
    again.get_by_role("button", name="From the marks").click()
    expect(again).to_contain_text("Frames 5 to 12 of 17 are made anew")
    again.get_by_role("button", name="Make take").click()
    page.wait_for_function("() => mnemoreel.shots[0].take.number === 3")
    newest = page.locator("mnemo-takes li").filter(has_text="Take 3").first
    expect(newest).to_contain_text("frames 5 to 12 of take 2 made anew")
    again.get_by_role("button", name="New take").click()
    again.get_by_role("button", name="Same seed").click()
    again.get_by_role("button", name="Make take").click()
    expect(again).to_contain_text("Take 1 was made with exactly these settings")
    again.get_by_role("button", name="New take anyway").click()
    page.wait_for_function("() => mnemoreel.shots[0].num_takes === 4")


def test_a_frame_of_the_player_is_pinned_by_dragging_it(desk: Window) -> None:
    page = made_twice(desk, "Pins")
    tab(page, "Shot")
    page.evaluate("() => { mnemoreel.select([mnemoreel.shots[1].shot_id]); mnemoreel.seek(5); }")
    settle(page)
    start = page.locator("mnemo-pins [data-edge=start]")
    page.locator("mnemo-player .screen").drag_to(start)
    page.wait_for_function("() => mnemoreel.shots[1].params.start?.frame === 5")
    expect(start).to_contain_text("Frame 5 of Shot 1, take 2")
    settle(page)
    start.get_by_role("button", name="Continue").click()
    expect(start).to_contain_text("Last frame of the shot before")
    settle(page)
    start.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => !mnemoreel.shots[1].params.start")
    settle(page)
    assert page.evaluate("() => mnemoreel.document.label") == "Clear the start frame of Shot 2"


def test_a_preset_is_kept_and_used_in_another_shot(desk: Window) -> None:
    page = made_twice(desk, "Presets")
    tab(page, "Shot")
    page.evaluate(
        """() => mnemoreel.edit({ kind: "set", shot_id: mnemoreel.shots[0].shot_id,
             fields: { num_steps: 12, strength: 1.5 } })"""
    )
    settle(page)
    presets = page.locator("mnemo-presets")
    presets.get_by_role("button", name="Save as…").click()
    presets.get_by_role("textbox", name="Name of the preset").fill("Slow & sure")
    presets.get_by_role("button", name="Save", exact=True).click()
    expect(presets.get_by_role("combobox")).to_have_value("Slow & sure")
    page.evaluate("() => { mnemoreel.select([mnemoreel.shots[1].shot_id]); }")
    settle(page)
    presets.get_by_role("combobox").select_option("Slow & sure")
    page.wait_for_function("() => mnemoreel.shots[1].params.num_steps === 12")
    assert page.evaluate("() => mnemoreel.shots[1].memory.strength") == 1.5
