"""Pictures of the studio's page in both themes and at both sizes, each checked as it is taken."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browser.layout import SIZES, problems
from tests.browser.looks import low_contrasts

THEMES = ("dark", "light")
MINUTES = 5 * 60_000
MOST_BYTES = 22_000
"""Of one picture at the better quality: all of them together stay below 3 MiB."""
QUALITIES = (30, 10)
_FIT = "window.mnemoreel?.total && document.querySelector('mnemo-timeline').fit()"
_READY = """async () => {
  const deep = function* (root) {
    for (const one of root.querySelectorAll("*")) {
      yield one;
      if (one.shadowRoot) yield* deep(one.shadowRoot);
    }
  };
  const images = [...deep(document)].filter((one) => one.localName === "img" && one.src);
  await Promise.all(images.map((one) => one.decode().catch(() => null)));
  for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
}"""


class Camera:
    """Looks at one page in every theme and size that was asked for, and keeps the pictures."""

    def __init__(self, page: Page, out: Path, themes: Sequence[str]) -> None:
        self.page = page
        self.problems: list[str] = []
        self._out = out
        self._views = list(itertools.product(SIZES, themes))
        self._writer = ThreadPoolExecutor(1)
        self._written: list[Future[int]] = []
        page.set_default_timeout(MINUTES)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def look(
        self,
        name: str,
        *,
        arrange: Callable[[], object] | None = None,
        is_checked: bool = True,
        has_toasts: bool = False,
        is_minor: bool = False,
    ) -> None:
        """Keep `name` in every view; a minor screen is checked in each, and kept in two of them.

        `arrange` is called in each, once the window has its size.
        """
        for (width, height), theme in self._views:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            self.page.evaluate(_FIT)
            if arrange:
                arrange()
            else:
                # What lies under a pointer that rests looks as if it were pressed.
                self.page.mouse.move(2, 2)
            if not has_toasts:
                self.page.evaluate("document.querySelector('mnemo-bar').toasts.replaceChildren()")
            self.page.evaluate(_READY)
            view = f"{name}-{theme}-{width}x{height}"
            if is_checked:
                wrong = [*problems(self.page), *map("pale: {}".format, low_contrasts(self.page))]
                self.problems += [f"{view}: {one}" for one in wrong]
            shot = self.page.screenshot(animations="disabled", caret="hide")
            # Each theme and each size once: the large window dark, the small one light.
            if is_minor and (theme == "dark") != ((width, height) == SIZES[0]):
                continue
            target = self._out / f"{view}.webp"
            self._written.append(self._writer.submit(keep, shot, target))
        self.page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
        print(name, flush=True)

    def develop(self) -> int:
        """Wait until every picture is written, and return how many bytes they have together."""
        self._writer.shutdown()
        return sum(one.result() for one in self._written)


def keep(shot: bytes, target: Path) -> int:
    """Write a picture as WebP, as good as `MOST_BYTES` allows, and return its bytes."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    data = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=4)
        data = buffer.getvalue()
        if len(data) <= MOST_BYTES:
            break
    target.write_bytes(data)
    return len(data)
