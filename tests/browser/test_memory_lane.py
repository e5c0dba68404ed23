"""The memory lane, what fed a shot, grades and the budget, as an editor meets them."""

from __future__ import annotations

from playwright.sync_api import expect

from engine.specs import LATER_SHARE, GenerateSpec
from tests.browser.studio import Window, edit, settle, shot_ids, tab


def test_a_stale_shot_shows_how_much_and_why_and_is_accepted_as_it_is(desk: Window) -> None:
    project = desk.studio.film("Graded", is_made=True)
    page = desk.open(project)
    settle(page)
    ids = shot_ids(page)
    edit(page, kind="set", shot_id=ids[1], fields={"muted": True})
    page.evaluate("id => mnemoreel.select([id])", ids[4])
    tab(page, "Shot")
    panel = page.locator("mnemo-stale")
    expect(panel.locator(".head b")).to_have_text("25 %")
    expect(panel.locator("li")).to_have_text(["Shot 2 is muted"])
    option = page.locator(f"mnemo-timeline [data-id='{ids[4]}']")
    expect(option).to_have_attribute("aria-label", "Shot 5, 00:00:08:04, take 1, stale 25 %")
    assert "Shot 2 is muted" in (option.get_attribute("title") or "")
    panel.get_by_role("button", name="Accept as is").click()
    page.wait_for_function("() => mnemoreel.shots[4].grade === 0")
    expect(panel).to_be_hidden()
    page.evaluate("() => mnemoreel.step('undo')")
    page.wait_for_function("() => mnemoreel.shots[4].stale")


def test_whose_look_is_read_where_is_said_and_forgetting_it_asks_the_next(desk: Window) -> None:
    told = (
        "0:00 Mia rolls the ball\n0:02 Leo rolls the ball\n0:04 the ball\n"
        "0:06 Mia rolls again\n0:08 Mia waves"
    )
    page = desk.open(desk.studio.film("Two people", told, is_made=True))
    settle(page)
    ids = shot_ids(page)
    page.evaluate("id => mnemoreel.select([id])", ids[4])
    tab(page, "Shot")
    marks = page.locator("mnemo-reads .who:visible")
    expect(marks).to_have_text(["Leo", "Look of Mia"])  # the newest shot stands first
    asked = [spec for spec in desk.studio.engine.submitted if isinstance(spec, GenerateSpec)]
    assert [entry.prompt_share for entry in asked[-1].entries] == [1, 0, 1, LATER_SHARE]
    first = page.locator(f"mnemo-reads [data-shot='{ids[0]}']")
    first.get_by_role("button", name="Forget", exact=True).click()
    expect(marks).to_have_text(["Look of Mia", "Leo"])
    later = page.locator(f"mnemo-reads [data-shot='{ids[3]}']")
    expect(later.locator(".who")).to_have_text("Look of Mia")
    page.locator("mnemo-reads").get_by_role("button", name="Roll again, same seed").click()
    page.wait_for_function("() => mnemoreel.shots[4].take.number === 2")
    asked = [spec for spec in desk.studio.engine.submitted if isinstance(spec, GenerateSpec)]
    assert [entry.prompt_share for entry in asked[-1].entries] == [0, 1, 1]


def test_what_fed_a_shot_is_pinned_forgotten_and_rolled_without(desk: Window) -> None:
    project = desk.studio.film("Fed", is_made=True)
    page = desk.open(project)
    settle(page)
    ids = shot_ids(page)
    page.evaluate("id => mnemoreel.select([id])", ids[2])
    tab(page, "Shot")
    row = page.locator(f"mnemo-reads [data-shot='{ids[0]}']")
    expect(row.locator(".percent")).to_have_text("50 %")
    row.get_by_role("button", name="Pin").click()
    page.wait_for_function("id => mnemoreel.shots[2].memory.pins[0] === id", arg=ids[0])
    row.get_by_role("button", name="More").click()
    row.get_by_label("First frame to forget").fill("3")
    row.get_by_label("Last frame to forget").fill("6")
    row.get_by_role("button", name="Forget these frames").click()
    expect(row.locator(".chip")).to_contain_text("6 forgotten")
    row.get_by_role("button", name="What is left of it?").click()
    expect(row.locator("figure")).to_have_count(3)
    seed = page.evaluate("() => mnemoreel.shots[2].take.seed")
    row.get_by_role("button", name="Exclude and roll again").click()
    page.wait_for_function("() => mnemoreel.shots[2].take.number === 2")
    shot = desk.studio.document(project)["shots"][2]
    assert shot["take"]["seed"] == seed
    assert [s["take_id"] for s in shot["take"]["sources"]] == [
        desk.studio.document(project)["shots"][1]["take_id"]
    ]
    page.locator("mnemo-reads").get_by_role("button", name="Cut", exact=True).click()
    page.wait_for_function("() => mnemoreel.shots[2].memory.strength === 0")


def test_the_budget_is_an_edit_and_shows_what_was_measured(desk: Window) -> None:
    page = desk.open(desk.studio.film("Budget", is_made=True))
    settle(page)
    budget = page.locator("mnemo-budget")
    budget.get_by_role("button", name="of 5,000 tokens").click()
    expect(budget.get_by_text("Not measured for this model")).to_be_visible()
    budget.get_by_role("button", name="Measure for this model").click()
    expect(budget.get_by_text("At 5,000 tokens: 0.60 s a step")).to_be_visible()
    slider = budget.get_by_role("slider", name="Memory budget in tokens")
    slider.fill("2000")
    page.wait_for_function("() => mnemoreel.document.memory.budget === 2000 && !mnemoreel.busy")
    assert page.evaluate("() => mnemoreel.document.label") == "Set the memory budget to 2,000"
    expect(budget.get_by_text("At 2,000 tokens: 0.30 s a step")).to_be_visible()


def test_the_lane_draws_how_well_each_shot_is_held(desk: Window, made: str) -> None:
    page = desk.open(made)
    settle(page)
    colour = """([share, down]) => {
      const timeline = document.querySelector("mnemo-timeline");
      const canvas = timeline.shadowRoot.querySelector("canvas");
      const x = mnemoreel.starts[1] * timeline.scale * share;
      return [...canvas.getContext("2d").getImageData(x, down, 1, 1).data.slice(0, 3)];
    }"""
    strip = 128 + 36
    page.wait_for_function(
        f"() => ({colour})([0.02, {strip}])[1] > ({colour})([0.02, {strip}])[0] + 40"
    )
    first = page.evaluate(colour, [0.02, strip])
    last = page.evaluate(colour, [0.95, strip])
    assert first[1] > first[0], "what is held well is green"
    assert last[0] > last[1], "what is lost is red"
    tab(page, "Memory")
    heat = page.locator("mnemo-memory .heat")
    assert "linear-gradient" in heat.evaluate("e => getComputedStyle(e).backgroundImage")


def test_two_memory_systems_stand_side_by_side_with_their_numbers(desk: Window) -> None:
    project = desk.studio.film("Two", is_made=True)
    page = desk.open(project)
    settle(page)
    page.evaluate("() => mnemoreel.select([mnemoreel.shots[3].shot_id])")
    tab(page, "Memory")
    panel = page.locator("mnemo-systems")
    panel.get_by_role("button", name="Compare", exact=True).click()
    tokens = panel.locator("tbody tr").first.locator("td")
    expect(tokens).to_have_text(["90", "0"])
    expect(panel.locator("video")).to_have_count(2)
    assert desk.studio.document(project)["shots"][3]["take"]["number"] == 1
