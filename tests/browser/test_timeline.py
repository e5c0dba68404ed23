"""The timeline under an editor's hands."""

from playwright.sync_api import Page

from tests.browser.studio import Window, settle, shot_ids, shot_place


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, end[1])
    page.mouse.move(*end)
    page.mouse.up()


def test_a_shot_is_dragged_to_another_place_and_undo_puts_it_back(desk: Window) -> None:
    project = desk.studio.film("Reorder", is_made=True)
    page = desk.open(project)
    settle(page)
    before = shot_ids(page)
    drag(page, shot_place(page, 3), shot_place(page, 0, 0.2))
    moved = [before[3], before[0], before[1], before[2], before[4]]
    assert shot_ids(page) == moved
    settle(page)
    assert [s["shot_id"] for s in desk.studio.document(project)["shots"]] == moved
    page.keyboard.press("Control+Z")
    page.wait_for_function("id => mnemoreel.shots[0].shot_id === id", arg=before[0])
    assert shot_ids(page) == before


def test_escape_takes_a_drag_back(desk: Window, made: str) -> None:
    page = desk.open(made)
    settle(page)
    before = shot_ids(page)
    page.mouse.move(*shot_place(page, 3))
    page.mouse.down()
    page.mouse.move(*shot_place(page, 0, 0.2))
    page.keyboard.press("Escape")
    page.mouse.up()
    settle(page)
    assert shot_ids(page) == before


def test_the_edges_of_a_shot_trim_it_and_never_beyond_its_take(desk: Window) -> None:
    project = desk.studio.film("Trim", is_made=True)
    page = desk.open(project)
    settle(page)
    scale = page.evaluate("() => document.querySelector('mnemo-timeline').scale")
    x, y = shot_place(page, 1, 0.0)
    drag(page, (x + 3, y), (x + 3 + 4 * scale, y))
    settle(page)
    shot = desk.studio.document(project)["shots"][1]
    assert (shot["in"], shot["out"]) == (4, 17)
    x, y = shot_place(page, 1, 1.0)
    drag(page, (x - 4, y), (x + 300, y))
    settle(page)
    assert desk.studio.document(project)["shots"][1]["out"] == 17


def test_click_shift_and_control_choose_shots(desk: Window) -> None:
    page = desk.open(desk.studio.film("Select", is_made=True))
    settle(page)
    ids = shot_ids(page)
    page.mouse.click(*shot_place(page, 1))
    page.keyboard.down("Shift")
    page.mouse.click(*shot_place(page, 3))
    page.keyboard.up("Shift")
    assert page.evaluate("() => [...mnemoreel.selection]") == ids[1:4]
    page.keyboard.down("Control")
    page.mouse.click(*shot_place(page, 2))
    page.keyboard.up("Control")
    assert page.evaluate("() => [...mnemoreel.selection]") == [ids[1], ids[3]]
    page.keyboard.press("Delete")
    settle(page)
    assert shot_ids(page) == [ids[0], ids[2], ids[4]]


def test_keys_split_and_trim_at_the_playhead(desk: Window) -> None:
    project = desk.studio.film("Keys", is_made=True)
    page = desk.open(project)
    settle(page)
    page.evaluate("() => mnemoreel.seek(22)")
    page.keyboard.press("b")
    page.wait_for_function("() => mnemoreel.shots.length === 6")
    settle(page)
    page.evaluate("() => mnemoreel.seek(3)")
    page.keyboard.press("w")
    settle(page)
    shots = desk.studio.document(project)["shots"]
    assert [(s["in"], s["out"]) for s in shots[:3]] == [(0, 3), (0, 5), (5, 17)]


def test_a_typed_time_moves_the_playhead(desk: Window, made: str) -> None:
    page = desk.open(made)
    field = page.get_by_role("textbox", name="Playhead")
    field.fill("00:00:03:05")
    field.press("Enter")
    assert page.evaluate("() => mnemoreel.playhead") == 29
    field.fill("+12")
    field.press("Enter")
    assert page.evaluate("() => mnemoreel.playhead") == 41
