"""Files in and out: an editor's own video, and the finished film."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import expect

from tests.browser.studio import Window, settle, tab


def write_video(path: Path, num_frames: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(num_frames):
            picture = np.full((64, 96, 3), number * 8, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_the_film_is_exported_as_a_file_of_exactly_its_frames(desk: Window, tmp_path: Path) -> None:
    page = desk.open(desk.studio.film("Export <me>", is_made=True))
    settle(page)
    page.get_by_role("button", name="Export", exact=True).click()
    panel = page.locator("mnemo-export")
    panel.get_by_role("button", name="Export video").click()
    link = panel.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=30_000)
    with page.expect_download() as download:
        link.click()
    target = tmp_path / "film.mp4"
    download.value.save_as(target)
    assert download.value.suggested_filename.endswith(".mp4")
    assert count_frames(target) == 85


EDIT = "async op => { await mnemoreel.edit(op); await mnemoreel.idle(); }"


def test_a_shot_without_a_take_is_named_before_the_export_is_asked_for(desk: Window) -> None:
    page = desk.open(desk.studio.film("Almost", is_made=True))
    settle(page)
    page.evaluate(EDIT, {"kind": "insert", "before": None, "prompt": "Mia sits.", "fields": {}})
    page.get_by_role("button", name="Export", exact=True).click()
    panel = page.locator("mnemo-export")
    start = panel.get_by_role("button", name="Export video")
    expect(panel.get_by_text("Shot 6 has no take yet.")).to_be_visible()
    expect(start).to_be_disabled()
    last = page.evaluate("mnemoreel.shots[5].shot_id")
    page.evaluate(EDIT, {"kind": "set", "shot_id": last, "fields": {"muted": True}})
    expect(panel.get_by_text("no take yet")).to_be_hidden()
    start.click()
    expect(panel.get_by_role("link", name="Download")).to_be_visible(timeout=30_000)


def test_a_video_is_imported_as_a_shot_that_plays(desk: Window, tmp_path: Path) -> None:
    video = tmp_path / "My own <b>clip.mp4"
    write_video(video, 17)
    page = desk.open(desk.studio.film("Footage", ""))
    with page.expect_file_chooser() as chooser:
        page.locator("mnemo-player").get_by_role("button", name="Import video…").click()
    chooser.value.set_files(video)
    page.wait_for_function("() => mnemoreel.shots[0]?.take?.kind === 'footage'", timeout=30_000)
    settle(page)
    assert page.evaluate("() => mnemoreel.total") == 17
    expect(page.locator("mnemo-player video.on")).to_have_count(1)
    tab(page, "Queue")
    expect(page.locator("mnemo-queue li.own")).to_have_count(0)


def test_a_file_that_is_no_video_is_refused_in_words(desk: Window, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video at all")
    page = desk.open(desk.studio.film("Broken", ""))
    with page.expect_file_chooser() as chooser:
        page.locator("mnemo-player").get_by_role("button", name="Import video…").click()
    chooser.value.set_files(broken)
    expect(page.locator("mnemo-bar .toast.bad")).to_be_visible(timeout=30_000)
    tab(page, "Queue")
    expect(page.locator("mnemo-queue li.own .message")).not_to_be_empty()
