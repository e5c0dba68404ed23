"""The memory inspector."""

from playwright.sync_api import expect

from tests.browser.studio import Window, edit, settle, shot_ids, tab


def test_a_past_frame_is_recalled_beside_the_real_one_with_its_numbers(
    desk: Window, made: str
) -> None:
    page = desk.open(made)
    settle(page)
    page.evaluate("() => mnemoreel.seek(40)")
    tab(page, "Memory")
    panel = page.locator("mnemo-memory")
    expect(panel.locator("[data-source=memory]")).to_have_text("From memory")
    expect(panel.locator("[data-number=PSNR]")).to_have_text("50.0 dB")
    expect(panel.locator("[data-number=SSIM]")).to_have_text("0.990")
    expect(panel.locator("[data-number=Tokens]")).to_have_text("150")
    images = panel.locator("img")
    expect(images).to_have_count(2)
    for name in ("Recalled frame", "Real frame"):
        image = panel.get_by_role("img", name=name)
        expect(image).to_be_visible()
        # A picture is visible before it has come: its width is waited for.
        expect(image).to_have_js_property("naturalWidth", 96)
    panel.get_by_role("button", name="Difference").click()
    expect(panel.locator("mnemo-compare").first).to_have_attribute("data-mode", "difference")


def test_the_panel_follows_the_playhead_until_its_own_scrubber_is_used(
    desk: Window, made: str
) -> None:
    page = desk.open(made)
    settle(page)
    tab(page, "Memory")
    panel = page.locator("mnemo-memory")
    page.evaluate("() => mnemoreel.seek(20)")
    expect(panel).to_have_attribute("data-recalled", "20")
    panel.get_by_role("slider", name="Past frame").fill("5")
    expect(panel).to_have_attribute("data-recalled", "5")
    assert page.evaluate("() => mnemoreel.playhead") == 20


def test_the_memory_lane_opens_the_frame_that_was_clicked(desk: Window, made: str) -> None:
    page = desk.open(made)
    settle(page)
    box = page.locator("mnemo-timeline .viewport").bounding_box()
    assert box is not None
    x, y = box["x"] + 300, box["y"] + 145
    page.mouse.click(x, y)
    frame = page.evaluate("() => mnemoreel.playhead")
    assert frame > 0
    expect(page.locator("mnemo-memory")).to_have_attribute("data-recalled", str(frame))


def test_a_shot_without_a_take_has_nothing_to_recall_and_says_so(desk: Window) -> None:
    project = desk.studio.film("Half", is_made=True)
    page = desk.open(project)
    settle(page)
    edit(page, kind="insert", before=shot_ids(page)[1], prompt="a box")
    page.evaluate("() => mnemoreel.seek(20)")
    tab(page, "Memory")
    expect(page.locator("mnemo-memory")).to_contain_text("This shot has no take yet")
