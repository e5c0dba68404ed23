"""The history panel, and two pages at once."""

from playwright.sync_api import expect

from tests.browser.studio import Window, edit, settle, shot_ids, tab


def test_a_click_in_the_history_rewinds_and_an_edit_then_keeps_the_old_future(
    desk: Window,
) -> None:
    project = desk.studio.film("Rewind", is_made=True)
    page = desk.open(project)
    tab(page, "History")
    rows = page.locator("mnemo-history li")
    expect(rows).to_have_count(7)
    rows.nth(5).get_by_role("button").click()
    page.wait_for_function("() => mnemoreel.shots.length === 5 && !mnemoreel.shots[0].take")
    expect(rows.nth(0)).to_have_class("ahead")
    expect(rows.nth(5)).to_have_class("head")
    settle(page)
    edit(page, kind="delete", shot_ids=[shot_ids(page)[0]])
    expect(rows).to_have_count(8)
    expect(rows.nth(0)).to_have_class("head")
    expect(rows.nth(1)).to_have_class("other")
    rows.nth(1).get_by_role("button").click()
    page.wait_for_function("() => mnemoreel.shots.every(shot => shot.take)")


def test_two_tabs_show_the_same_film_after_edits_in_both(desk: Window) -> None:
    project = desk.studio.film("Two tabs", is_made=True)
    first, second = desk.open(project), desk.open(project)
    ids = shot_ids(first)
    edit = "([id, before]) => { mnemoreel.edit({kind: 'move', shot_ids: [id], before}); }"
    rename = "id => { mnemoreel.edit({kind: 'set', shot_id: id, fields: {title: 'Second'}}); }"
    first.evaluate(edit, [ids[4], ids[0]])
    second.evaluate(rename, ids[2])
    first.evaluate(edit, [ids[1], None])
    for page in (first, second):
        page.wait_for_function(
            "() => !mnemoreel.busy && mnemoreel.shots.some(s => s.title === 'Second')"
        )
    truth = desk.studio.document(project)
    for page in (first, second):
        page.wait_for_function(
            "rev => mnemoreel.document.rev === rev && !mnemoreel.busy", arg=truth["rev"]
        )
        shots = page.evaluate("() => mnemoreel.document.shots")
        assert shots == truth["shots"]
    assert [s["shot_id"] for s in truth["shots"]] == [ids[4], ids[0], ids[2], ids[3], ids[1]]


def test_a_stranger_s_text_is_shown_as_text_everywhere(desk: Window) -> None:
    text = (
        "<img src=x onerror=window.hacked=1> \u202eabc 🎬 </script><script>window.hacked=1</script>"
    )
    project = desk.studio.film(text, f"00:00:00:00 {text}\n00:00:02:00 a red ball", is_made=True)
    page = desk.open(project)
    edit(page, kind="set", shot_id=shot_ids(page)[0], fields={"title": text})
    for title in ("Takes", "Memory", "History", "Queue", "Export", "Shot"):
        tab(page, title)
        settle(page)
    page.get_by_role("button", name="Storyboard…").click()
    page.get_by_role("textbox", name="Storyboard").fill(f"00:00:00:00 {text}\n{text}")
    expect(page.get_by_role("dialog").locator("tbody tr")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Mnemoreel").click()
    expect(page.locator("mnemo-home li").filter(has_text="<img src=x")).to_be_visible()
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
