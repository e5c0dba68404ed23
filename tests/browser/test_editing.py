"""Every verb of the timeline by mouse and by key: each is one step of the history."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.studio import PROMPTS, Window, edit, settle, shot_ids, shot_place


def opened(desk: Window, name: str, *, is_made: bool = False) -> tuple[str, Page]:
    project = desk.studio.film(name, is_made=is_made)
    page = desk.open(project)
    settle(page)
    return project, page


def shots(desk: Window, project: str) -> list[Any]:
    return list(desk.studio.document(project)["shots"])


def muted(desk: Window, project: str) -> list[int]:
    return [number for number, s in enumerate(shots(desk, project), 1) if s["muted"]]


def choose(page: Page, line: str) -> None:
    page.get_by_role("menuitem", name=line).click()
    settle(page)


def test_the_menu_of_two_shots_mutes_both_in_one_step(desk: Window) -> None:
    project, page = opened(desk, "Menu")
    page.mouse.click(*shot_place(page, 1))
    page.keyboard.down("Shift")
    page.mouse.click(*shot_place(page, 2))
    page.keyboard.up("Shift")
    page.mouse.click(*shot_place(page, 2), button="right")
    choose(page, "Mute 2 shots")
    assert muted(desk, project) == [2, 3]
    assert desk.studio.document(project)["label"] == "Mute 2 shots"
    page.keyboard.press("Control+Z")
    settle(page)
    assert muted(desk, project) == []
    page.mouse.click(*shot_place(page, 4))
    page.keyboard.press("Shift+F10")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    settle(page)
    assert [s["prompt"] for s in shots(desk, project)] == list(PROMPTS[:4])


def test_solo_lock_and_mute_by_key_go_on_and_off(desk: Window) -> None:
    project, page = opened(desk, "Flags")
    page.mouse.click(*shot_place(page, 2))
    page.keyboard.press("s")
    settle(page)
    assert muted(desk, project) == [1, 2, 4, 5]
    page.keyboard.press("s")
    settle(page)
    assert muted(desk, project) == []
    page.keyboard.press("d")
    page.keyboard.press("Shift+L")
    settle(page)
    assert (muted(desk, project), shots(desk, project)[2]["locked"]) == ([3], True)
    assert "locked · muted" in page.locator(".shot.locked .badge").inner_text()


def test_backspace_keeps_the_room_and_the_prompt_and_delete_closes_it(desk: Window) -> None:
    project, page = opened(desk, "Empty", is_made=True)
    before = shots(desk, project)
    page.mouse.click(*shot_place(page, 1))
    page.keyboard.press("Backspace")
    settle(page)
    emptied = shots(desk, project)
    assert emptied[1]["take"] is None
    assert [s["start"] for s in emptied] == [s["start"] for s in before]
    assert emptied[1]["prompt"] == before[1]["prompt"]
    page.keyboard.press("Delete")
    settle(page)
    assert shot_ids(page) == [s["shot_id"] for s in before if s is not before[1]]


def test_markers_are_added_named_walked_moved_and_deleted(desk: Window) -> None:
    project, page = opened(desk, "Markers")

    def markers() -> list[tuple[int, str]]:
        return [(m["frame"], m["label"]) for m in desk.studio.document(project)["markers"]]

    page.evaluate("() => mnemoreel.seek(20)")
    page.keyboard.press("m")
    settle(page)
    page.keyboard.press("m")
    page.keyboard.type("door")
    page.keyboard.press("Enter")
    edit(page, kind="add_marker", frame=50, label="")
    assert markers() == [(20, "door"), (50, "")]
    page.keyboard.press("Shift+ArrowDown")
    assert page.evaluate("() => mnemoreel.playhead") == 50
    page.keyboard.press("Shift+ArrowUp")
    assert page.evaluate("() => mnemoreel.playhead") == 20
    flag = page.locator(".flag", has_text="door").bounding_box()
    scale = page.evaluate("() => document.querySelector('mnemo-timeline').scale")
    assert flag is not None
    page.keyboard.press("n")  # no snapping: a frame is wider than its reach here
    page.mouse.move(flag["x"] + 4, flag["y"] + 6)
    page.mouse.down()
    page.mouse.move(flag["x"] + 4 + 5 * scale, flag["y"] + 6)
    page.mouse.move(flag["x"] + 4 + 10 * scale, flag["y"] + 6)
    page.mouse.up()
    settle(page)
    assert markers() == [(30, "door"), (50, "")]
    page.locator(".flag").first.click(button="right")
    choose(page, "Delete all 2 markers")
    assert markers() == []


def test_a_rubber_band_selects_what_it_crosses_and_escape_takes_it_back(desk: Window) -> None:
    _, page = opened(desk, "Band")
    ids = shot_ids(page)
    page.mouse.click(*shot_place(page, 4))
    (x, y), (end, _) = shot_place(page, 1), shot_place(page, 3, 0.2)
    for is_kept in (False, True):
        page.mouse.move(x, y + 80)
        page.mouse.down()
        page.mouse.move(x + 20, y + 70)
        page.mouse.move(end, y + 75)
        assert page.evaluate("() => [...mnemoreel.selection]") == ids[1:4]
        if not is_kept:
            page.keyboard.press("Escape")
        page.mouse.up()
        expected = ids[1:4] if is_kept else [ids[4]]
        assert page.evaluate("() => [...mnemoreel.selection]") == expected


def test_trimming_shows_both_frames_of_the_cut_until_it_is_over(desk: Window) -> None:
    project, page = opened(desk, "Two-up", is_made=True)
    scale = page.evaluate("() => document.querySelector('mnemo-timeline').scale")
    x, y = shot_place(page, 1, 1.0)
    page.mouse.move(x - 4, y)
    page.mouse.down()
    page.mouse.move(x - 4 - scale, y)
    page.mouse.move(x - 4 - 4 * scale, y)
    panes = page.locator("mnemo-twoup figure")
    panes.nth(0).and_(page.locator('[data-frame="12"]')).wait_for()
    panes.nth(1).and_(page.locator('[data-frame="0"]')).wait_for()
    assert panes.all_inner_texts()[0].split("\n")[:2] == ["Shot 2", "last frame 12 · 4 more"]
    assert "no handle left" in panes.all_inner_texts()[1]
    page.keyboard.press("Escape")
    page.mouse.up()
    settle(page)
    assert panes.nth(0).is_hidden()
    assert shots(desk, project)[1]["out"] == 17


def test_alt_drag_and_keys_slip_a_shot_within_its_take(desk: Window) -> None:
    project, page = opened(desk, "Slip", is_made=True)
    edit(page, kind="trim", shot_id=shot_ids(page)[1], **{"in": 2, "out": 12})
    scale = page.evaluate("() => document.querySelector('mnemo-timeline').scale")
    x, y = shot_place(page, 1)
    page.keyboard.down("Alt")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - scale, y)
    page.mouse.move(x - 3 * scale, y)
    page.mouse.up()
    page.keyboard.up("Alt")
    settle(page)
    shot = shots(desk, project)[1]
    assert (shot["in"], shot["out"]) == (5, 15)
    page.keyboard.press("Alt+.")
    page.keyboard.press("Alt+.")
    settle(page)
    shot = shots(desk, project)[1]
    assert (shot["in"], shot["out"]) == (7, 17)
    assert desk.studio.document(project)["label"] == "Slip Shot 2"
    assert page.locator(".shot.bare-out:not(.bare-in)").count() == 1


def test_the_plus_on_a_cut_adds_a_shot_there_and_asks_for_its_prompt(desk: Window) -> None:
    project, page = opened(desk, "Insert")
    before = shot_ids(page)
    x, y = shot_place(page, 2, 0.0)
    page.mouse.move(x + 30, y)
    page.mouse.move(x + 5, y)
    page.get_by_role("button", name="Add a shot here").click()
    page.wait_for_function("() => mnemoreel.shots.length === 6 && !mnemoreel.busy")
    shot = "document.querySelector('mnemo-shot').shadowRoot"
    page.wait_for_function(f"() => {shot}.activeElement?.localName === 'textarea'")
    page.keyboard.type("a red ball")
    page.evaluate(f"() => {shot}.activeElement.blur()")
    page.wait_for_function("() => mnemoreel.shots[2].prompt === 'a red ball'")
    settle(page)
    after = shots(desk, project)
    assert [s["shot_id"] for s in after if s is not after[2]] == before
    assert after[2]["prompt"] == "a red ball"
    page.get_by_role("button", name="Add a shot at the end").click()
    page.wait_for_function("() => mnemoreel.shots.length === 7 && !mnemoreel.busy")


def test_a_range_selects_its_shots_and_a_held_k_steps_frames(desk: Window, made: str) -> None:
    page = desk.open(made)
    settle(page)
    page.evaluate("() => mnemoreel.seek(20)")
    page.keyboard.press("i")
    page.keyboard.down("k")
    page.keyboard.press("l")
    page.keyboard.press("l")
    page.keyboard.press("j")
    page.keyboard.up("k")
    assert page.evaluate("() => mnemoreel.playhead") == 21
    page.evaluate("() => mnemoreel.seek(40)")
    page.keyboard.press("o")
    page.keyboard.press("Alt+a")
    assert page.evaluate("() => [...mnemoreel.selection]") == shot_ids(page)[1:3]
    page.keyboard.press("Shift+I")
    assert page.evaluate("() => mnemoreel.playhead") == 20
    page.reload()
    page.wait_for_selector("mnemo-timeline[data-ready]")
    page.wait_for_function("() => window.mnemoreel?.range.in === 20 && mnemoreel.range.out === 40")
    settle(page)
    page.keyboard.press("Alt+x")
    assert page.evaluate("() => mnemoreel.range") == {"in": None, "out": None}
    page.keyboard.press("Control+G")
    page.keyboard.type("3.")
    page.keyboard.press("Enter")
    assert page.evaluate("() => mnemoreel.playhead") == 24


def test_keys_of_another_preset_hold_in_every_window(desk: Window) -> None:
    project, page = opened(desk, "Presets")
    other = desk.open(project)
    chosen = "() => document.querySelector('mnemo-help').preset.value === 'premiere'"
    try:
        page.keyboard.press("?")
        page.get_by_label("Keys of").select_option("premiere")
        for window in (other, page):
            window.wait_for_function(chosen)
        assert "S" in (other.get_by_role("button", name="Snapping").get_attribute("title") or "")
        other.mouse.click(*shot_place(other, 0))
        other.keyboard.press("Shift+Delete")
        settle(other)
        assert len(shots(desk, project)) == 4
        desk.open(project).wait_for_function(chosen)
    finally:
        desk.studio.ask("PUT", "/api/settings", {"settings": {"keys": "mnemoreel"}})
