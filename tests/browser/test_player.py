"""The player shows exactly the frame at the playhead, read back from a number in the picture."""

from itertools import pairwise

from playwright.sync_api import Page

from tests.browser.studio import Window, edit, settle, shot_ids, shot_place

READ = """() => {
  const video = document.querySelector("mnemo-player").shadowRoot.querySelector("video.on");
  const canvas = Object.assign(document.createElement("canvas"), {width: 96, height: 64});
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < 8; bit += 1) {
    if (context.getImageData(bit * 12 + 6, 58, 1, 1).data[1] > 128) number |= 1 << bit;
  }
  return number;
}"""
WATCH = """() => {
  window.seen = [];
  mnemoreel.addEventListener("playhead", () => seen.push(mnemoreel.playhead));
  mnemoreel.seek(10);
}"""
SETTLED = """() => {
  const here = mnemoreel.current;
  const shown = document.querySelector("mnemo-player").playback.settled;
  return shown === `${mnemoreel.playhead} ${here.shot.take.media} ${here.shot.in + here.offset}`;
}"""


def shown(page: Page) -> int:
    page.wait_for_function(SETTLED)
    return int(page.evaluate(READ))


def test_every_frame_of_the_film_is_exact_forwards_and_backwards(desk: Window) -> None:
    page = desk.open(desk.studio.film("Exact", is_made=True))
    settle(page)
    edit(page, kind="trim", shot_id=shot_ids(page)[1], **{"in": 3, "out": 9})
    expected = [*range(17), *range(3, 9), *range(17)]
    page.keyboard.press("Home")
    seen = [shown(page)]
    for _ in range(len(expected) - 1):
        page.keyboard.press("ArrowRight")
        seen.append(shown(page))
    assert seen == expected
    backwards = []
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
        backwards.append(shown(page))
    assert backwards == expected[-2:-22:-1]


def test_scrubbing_ends_on_the_frame_under_the_pointer(desk: Window, made: str) -> None:
    page = desk.open(made)
    settle(page)
    x, y = shot_place(page, 0, 0.1)
    end, _ = shot_place(page, 2, 0.55)
    page.mouse.move(x, y - 60)
    page.mouse.down()
    for step in range(1, 25):
        page.mouse.move(x + (end - x) * step / 24, y - 60)
    page.mouse.up()
    frame = page.evaluate("() => mnemoreel.playhead")
    assert 34 < frame < 51
    assert shown(page) == frame - 34


def test_playing_crosses_the_cuts_and_stops_at_the_end(desk: Window, made: str) -> None:
    page = desk.open(made)
    settle(page)
    page.evaluate(WATCH)
    shown(page)
    page.keyboard.press("l")
    page.keyboard.press("l")
    page.keyboard.press("l")
    page.wait_for_function("() => mnemoreel.playhead === mnemoreel.total - 1")
    page.wait_for_function("() => document.querySelector('mnemo-player').playback.rate === 0")
    seen = page.evaluate("() => seen")
    assert seen == sorted(seen)
    assert {17, 34, 51, 68} <= set(seen), "a cut was jumped over"
    assert shown(page) == 16


def test_the_marked_range_is_played_again_and_again(desk: Window, made: str) -> None:
    page = desk.open(made)
    settle(page)
    page.evaluate("() => mnemoreel.seek(12)")
    page.keyboard.press("i")
    page.evaluate("() => mnemoreel.seek(22)")
    page.keyboard.press("o")
    page.keyboard.press("Control+/")
    page.evaluate(WATCH.replace("10", "12"))
    shown(page)
    page.keyboard.press("l")
    page.keyboard.press("l")
    # The third beginning of the range, as the playhead tells it.
    page.wait_for_function("() => seen.filter((at, i) => at < seen[i - 1]).length >= 3")
    page.keyboard.press("k")
    seen = page.evaluate("() => seen")
    rounds = [at for before, at in pairwise(seen) if at < before]
    assert rounds[0] == 12
    assert set(seen) <= set(range(12, 23))
    assert {17, 22} <= set(seen), "the cut, or the end of the range, was jumped over"


def test_playing_leaves_muted_shots_out(desk: Window) -> None:
    page = desk.open(desk.studio.film("Muted", is_made=True))
    settle(page)
    edit(page, kind="set", shot_id=shot_ids(page)[1], fields={"muted": True})
    page.evaluate(WATCH)
    shown(page)
    for _ in range(3):
        page.keyboard.press("l")
    page.wait_for_function("() => mnemoreel.playhead > 40")
    page.keyboard.press("k")
    seen = set(page.evaluate("() => seen"))
    assert seen & set(range(18, 34)) == set()
    # On a busy machine frames are left out, at eight times the speed all the more.
    assert min(seen) < 17 and max(seen) >= 34


def test_a_shot_without_a_take_shows_its_prompt(desk: Window) -> None:
    page = desk.open(desk.studio.film("Draft"))
    settle(page)
    draft = page.locator("mnemo-player .draft")
    assert draft.is_visible()
    assert "the red ball rolls" in draft.inner_text()
