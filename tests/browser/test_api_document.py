"""The page asks for nothing that docs/api.md does not say."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Request, expect

from tests.browser.studio import Window, settle, tab

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
# The shell and its files: not verbs.
FILES = re.compile(r"/(studio-static|storyboards|assets|gradio_api|static|theme\.css|favicon|bare)")


def documented() -> list[tuple[str, re.Pattern[str]]]:
    found = re.findall(r"^### ([A-Z]+) (/\S+)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    return [
        (method, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))))
        for method, path in found
    ]


def test_every_request_of_a_session_is_documented(desk: Window) -> None:
    seen: set[tuple[str, str]] = set()

    def note(request: Request) -> None:
        if request.url.startswith(desk.studio.url):
            seen.add((request.method, urlsplit(request.url).path))

    desk.context.on("request", note)
    page = desk.open()
    page.get_by_role("button", name="New film").first.click()
    page.wait_for_function("() => window.mnemoreel?.document && mnemoreel.online")
    page.on("websocket", lambda socket: seen.add(("WEBSOCKET", urlsplit(socket.url).path)))
    page.get_by_role("button", name="Several shots at once…").click()
    page.get_by_role("button", name="Use the sample storyboard").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Apply")).click()
    page.wait_for_function("() => mnemoreel.shots.length > 1 && !mnemoreel.busy")
    page.evaluate("() => mnemoreel.select([mnemoreel.shots[0].shot_id])")
    page.get_by_role("button", name=re.compile("^Generate this shot|^Generate$")).first.click()
    page.wait_for_function("() => mnemoreel.shots[0].take && !mnemoreel.jobs.size")
    for name in page.locator("[role=tab]").all_text_contents():
        tab(page, name)
        settle(page)
    for key in ("g", "Control+d", "Delete", "Control+z", "Control+Shift+Z", "r", "m"):
        page.keyboard.press(key)
        settle(page)
    page.wait_for_function("() => !mnemoreel.jobs.size")
    page.reload()
    page.wait_for_function("() => window.mnemoreel?.document && mnemoreel.online")
    expect(page.locator("mnemo-timeline").get_by_role("option").first).to_be_visible()
    asked = {(method, path) for method, path in seen if path != "/" and not FILES.match(path)}
    assert len(asked) > 12, "the session did too little to mean anything"
    known = documented()
    missing = [
        f"{method} {path}"
        for method, path in sorted(asked)
        if not any(method == m and pattern.fullmatch(path) for m, pattern in known)
    ]
    assert missing == []
