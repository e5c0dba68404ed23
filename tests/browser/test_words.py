"""Prompts: the model's words as one types, by theme, and what it does not know."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.studio import Window, tab


def prompt(page: Page) -> Locator:
    return page.locator("mnemo-shot textarea.prompt")


def options(page: Page) -> Locator:
    return page.locator("mnemo-shot .suggestions [role=option]")


def type_prompt(page: Page, text: str) -> None:
    prompt(page).fill("")
    prompt(page).press_sequentially(text)


def test_words_are_completed_by_keys(desk: Window) -> None:
    page = desk.open(desk.studio.film("Words", "0:00 a red ball"))
    type_prompt(page, "a re")
    field = page.get_by_role("combobox", name="Prompt")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(options(page)).to_have_text(["red ballThings", "red"])
    page.keyboard.press("Tab")
    expect(prompt(page)).to_have_value("a red ball")
    expect(options(page)).to_have_count(2)
    expect(page.locator("mnemo-shot .suggestions")).to_be_hidden()
    page.keyboard.type(" ro")
    expect(options(page).first).to_contain_text("rolls")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("mnemo-shot .suggestions [aria-selected=true]")
    expect(chosen).to_have_text("rolls againActions")
    assert prompt(page).get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("Enter")
    expect(prompt(page)).to_have_value("a red ball rolls again")
    page.keyboard.press("Control+z")
    assert prompt(page).input_value() != "a red ball rolls again"


def test_escape_and_a_finished_word_leave_the_text_as_it_is(desk: Window) -> None:
    page = desk.open(desk.studio.film("Escape", "0:00 a red ball"))
    type_prompt(page, "the gra")
    expect(page.locator("mnemo-shot .suggestions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("mnemo-shot .suggestions")).to_be_hidden()
    expect(prompt(page)).to_be_focused()
    expect(prompt(page)).to_have_value("the gra")
    type_prompt(page, "rolls")
    expect(page.locator("mnemo-shot .suggestions")).to_be_visible()
    page.keyboard.press("Tab")
    expect(prompt(page)).to_have_value("rolls")
    expect(prompt(page)).not_to_be_focused()


def test_enter_makes_a_new_line_where_nothing_was_chosen(desk: Window) -> None:
    page = desk.open(desk.studio.film("Enter", "0:00 a red ball"))
    type_prompt(page, "a re")
    expect(page.locator("mnemo-shot .suggestions")).to_be_visible()
    page.keyboard.press("Enter")
    expect(prompt(page)).to_have_value("a re\n")


def test_a_word_that_the_model_lacks_is_named_underlined_and_mended(desk: Window) -> None:
    project = desk.studio.film("Lacking", "0:00 a red ball")
    page = desk.open(project)
    type_prompt(page, "a dragon and a rolsl <b>")
    prompt(page).blur()
    note = page.locator("mnemo-shot .unknown")
    expect(note).to_contain_text("The model does not know “dragon”.")
    expect(note).to_contain_text("a blank that it was never trained on")
    marked = page.locator("mnemo-shot .mirror u")
    expect(marked).to_have_text(["dragon", "and", "rolsl", "b"])
    page.get_by_role("button", name="Use rolls instead of rolsl").click()
    expect(prompt(page)).to_have_value("a dragon and a rolls <b>")
    expect(note).not_to_contain_text("rolsl")
    page.wait_for_function(
        "() => !mnemoreel.busy && mnemoreel.shots[0].prompt.includes('rolls <b>')"
    )
    assert desk.studio.document(project)["shots"][0]["prompt"] == "a dragon and a rolls <b>"


def test_words_are_browsed_by_theme_and_inserted_where_the_caret_is(desk: Window) -> None:
    page = desk.open(desk.studio.film("Themes", "0:00 a red ball"))
    prompt(page).fill("a over the grass")
    prompt(page).evaluate("(field) => field.setSelectionRange(1, 1)")
    panel = page.locator("mnemo-shot .palette")
    panel.locator("summary").click()
    expect(panel.get_by_role("group", name="Actions")).to_be_visible()
    panel.get_by_label("Find a word of the model").fill("blu")
    expect(panel.locator(".phrases button:visible")).to_have_text(["blue box", "blue"])
    panel.get_by_role("button", name="blue box").click()
    expect(prompt(page)).to_have_value("a blue box over the grass")


def test_a_model_that_reads_any_word_has_neither_list_nor_warning(desk: Window) -> None:
    page = desk.open(desk.studio.film("Open", "0:00 a purple dragon"))
    page.evaluate(
        """() => {
          const info = { ...mnemoreel.engine.info, words: [], vocabulary: [] };
          mnemoreel.engine = { ...mnemoreel.engine, info };
          mnemoreel.emit("engine");
        }"""
    )
    expect(page.locator("mnemo-shot .palette")).to_be_hidden()
    expect(page.locator("mnemo-shot .unknown p")).to_have_count(0)
    type_prompt(page, "re")
    expect(page.locator("mnemo-shot .suggestions")).to_be_hidden()


def test_the_storyboard_completes_prompts_but_not_the_keys_of_json(desk: Window) -> None:
    page = desk.open(desk.studio.film("Board", ""))
    page.get_by_role("button", name="Storyboard…").click()
    field = page.locator("mnemo-storyboard textarea")
    field.press_sequentially("0:00 a red ball ro")
    shown = page.locator("mnemo-storyboard .suggestions")
    expect(shown.locator("[role=option]").first).to_contain_text("rolls")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Import a storyboard")).to_be_visible()
    expect(shown).to_be_hidden()
    field.fill('{"shots": [{"r')
    expect(shown).to_be_hidden()
    field.fill("")
    field.press_sequentially('{"shots": [{"prompt": "a r')
    expect(shown).to_be_visible()


def test_the_prompt_of_another_take_has_the_same_words(desk: Window, made: str) -> None:
    page = desk.open(made)
    tab(page, "Takes")
    page.get_by_role("button", name="Make another…").click()
    field = page.locator("mnemo-again textarea")
    field.press_sequentially("a dragon ro")
    expect(page.locator("mnemo-again .suggestions")).to_be_visible()
    page.keyboard.press("Tab")
    expect(field).to_have_value("a dragon rolls over")
    expect(page.locator("mnemo-again .unknown")).to_contain_text("“dragon”")


def test_strength_says_what_was_measured_or_that_nothing_was(desk: Window) -> None:
    page = desk.open(desk.studio.film("Strength", "0:00 a red ball"))
    effect = page.locator("#strength-effect")
    expect(effect).to_contain_text("not measured for this model")
    page.evaluate(
        """() => {
          const row = (strength, value) => ({ strength, figure: "looks kept", value, unit: "%" });
          const info = { ...mnemoreel.engine.info, strength_effects: [row(1, 80), row(2, 91)] };
          mnemoreel.engine = { ...mnemoreel.engine, info };
          mnemoreel.emit("engine");
        }"""
    )
    expect(effect).to_have_text("Measured at 1: looks kept 80 %.")
    slider = page.get_by_role("slider", name="Memory strength")
    expect(slider).to_have_attribute("title", re.compile("2: looks kept 91 %"))
    slider.focus()
    page.keyboard.press("End")
    expect(effect).to_have_text("Measured at 2: looks kept 91 %.")
