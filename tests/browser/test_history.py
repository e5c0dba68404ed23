"""The history panel, and two pages at once."""

from playwright.sync_api import expect

from tests.browser.studio import Window, edit, settle, shot_ids, tab

SHOWS = "ids => mnemoreel.shots.map(shot => shot.shot_id).join() === ids"


def test_a_click_in_the_history_rewinds_and_an_edit_then_keeps_the_old_future(
    desk: Window,
) -> None:
    project = desk.studio.film("Rewind", is_made=True)
    page = desk.open(project)
    tab(page, "History")
    rows = page.locator("mnemo-history ol li")
    expect(rows).to_have_count(7)
    rows.nth(5).get_by_role("button").first.click()
    page.wait_for_function("() => mnemoreel.shots.length === 5 && !mnemoreel.shots[0].take")
    expect(rows.nth(0)).to_have_class("ahead")
    expect(rows.nth(5)).to_have_class("head")
    settle(page)
    edit(page, kind="delete", shot_ids=[shot_ids(page)[0]])
    expect(rows).to_have_count(8)
    expect(rows.nth(0)).to_have_class("head")
    expect(rows.nth(1)).to_have_class("other")
    rows.nth(1).get_by_role("button").first.click()
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
    expect(page.locator("mnemo-home li").filter(has_text="window.hacked").first).to_be_visible()
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def test_a_branch_is_begun_from_a_step_and_left_for_the_one_before(desk: Window) -> None:
    page = desk.open(desk.studio.film("Branches", is_made=True))
    tab(page, "History")
    panel = page.locator("mnemo-history")
    row = panel.locator("ol li").nth(3)
    row.hover()
    row.get_by_role("button", name="More about").click()
    panel.get_by_role("menuitem", name="Branch here…").click()
    panel.get_by_role("textbox", name="Name").fill("Shorter <b>ending</b>")
    panel.get_by_role("button", name="OK").click()
    page.wait_for_function("() => mnemoreel.shots.filter(shot => shot.take).length === 2")
    expect(panel.locator(".row").first).to_contain_text("on Shorter <b>ending</b>")
    panel.get_by_text("2 branches").click()
    main = panel.locator("[data-line=Main]")
    main.get_by_role("button", name="Go there").click()
    page.wait_for_function("() => mnemoreel.shots.every(shot => shot.take)")
    expect(panel.locator("ol li.head .label")).to_have_text("Generate Shot 5")


def test_two_points_are_compared_and_a_shot_is_brought_over(desk: Window) -> None:
    page = desk.open(desk.studio.film("Compare", is_made=True))
    ids = shot_ids(page)
    edit(page, kind="delete", shot_ids=[ids[0]])
    tab(page, "History")
    panel = page.locator("mnemo-history")
    row = panel.locator("ol li").nth(1)
    row.hover()
    row.get_by_role("button", name="More about").click()
    panel.get_by_role("menuitem", name="Compare with the cut").click()
    view = page.locator("mnemo-versus")
    expect(view.locator("h3")).to_have_text("1 shot differs")
    expect(view.locator(".strip.exact")).to_have_count(2)
    view.get_by_role("button", name="Bring into the cut").click()
    page.wait_for_function(SHOWS, arg=",".join(ids))
    expect(view.locator("h3")).to_have_text("Both cuts are the same.")
    assert page.evaluate("() => mnemoreel.document.label").startswith("Graft Shot 1 from")


def test_a_deleted_shot_is_found_and_restored(desk: Window) -> None:
    page = desk.open(desk.studio.film("Deleted", is_made=True))
    ids = shot_ids(page)
    edit(page, kind="delete", shot_ids=ids[1:3])
    tab(page, "History")
    panel = page.locator("mnemo-history")
    panel.get_by_text("Deleted shots").click()
    rows = panel.locator(".deleted li")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("button", name="Restore").click()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button", name="Restore").click()
    page.wait_for_function(SHOWS, arg=",".join(ids))
    assert page.evaluate("() => mnemoreel.shots.every(shot => shot.take)")


def test_only_the_steps_in_view_exist_however_long_the_history(desk: Window) -> None:
    project = desk.studio.film("Long", "00:00:00:00 a red ball")
    page = desk.open(project)
    page.evaluate(
        """async () => {
          const shot_id = mnemoreel.shots[0].shot_id;
          for (let n = 0; n < 120; n += 1) {
            mnemoreel.edit({ kind: "set", shot_id, fields: { title: `Title ${n}` } });
          }
        }"""
    )
    settle(page)
    page.add_style_tag(content="#inspector { height: 400px } .tabitem.on { height: 400px }")
    tab(page, "History")
    panel = page.locator("mnemo-history")
    expect(panel.locator(".row").first).to_contain_text("122 steps")
    assert panel.locator("ol li").count() < 60
    panel.locator(".scroll").evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight; }")
    expect(panel.locator("ol li").last).to_have_attribute("aria-posinset", "122")
    assert panel.locator("ol li").count() < 60
