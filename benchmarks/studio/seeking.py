"""Is it the exact frame? Each take says its frames' numbers in its picture."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass, field

from playwright.sync_api import Page

SEEK = """async (frame) => {
  const player = document.querySelector("mnemo-player");
  const film = window.mnemoreel;
  const begun = performance.now();
  film.seek(frame);
  const { shot, offset } = film.current;
  const wanted = shot.in + offset;
  const wish = `${film.playhead} ${shot.take.media} ${wanted}`;
  const deadline = begun + 30000;
  while (player.playback.settled !== wish) {
    if (performance.now() > deadline) return { wanted, seen: -1, ms: 30000 };
    await new Promise(requestAnimationFrame);
  }
  const ms = performance.now() - begun;
  const { video } = player.playback;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  const side = canvas.width / 8;
  let seen = 0;
  for (let bit = 0; bit < 8; bit += 1) {
    const [, green] = context.getImageData((bit + 0.5) * side, canvas.height - side / 4, 1, 1).data;
    if (green > 128) seen |= 1 << bit;
  }
  return { wanted, seen, ms, rightTake: film.at(frame).shot.take.media === video.dataset.media };
}"""


@dataclass
class Seeks:
    """What came of seeking to random frames."""

    misses: list[tuple[int, int]] = field(default_factory=list)
    """Frame that was wanted and the one that was seen, where they differ."""
    milliseconds: list[float] = field(default_factory=list)
    """From the wish to the frame on screen."""


def seek(page: Page, count: int, seed: int) -> Seeks:
    """Seek to `count` random frames of the film that `page` shows."""
    draw = random.Random(seed)
    total = page.evaluate("() => mnemoreel.total")
    found = Seeks()
    for _ in range(count):
        got = page.evaluate(SEEK, draw.randrange(total))
        found.milliseconds.append(got["ms"])
        if got["seen"] != got["wanted"] or not got["rightTake"]:
            found.misses.append((got["wanted"], got["seen"]))
    return found


def play(page: Page, seconds: float) -> list[float]:
    """Play over the cuts and return the times between the playhead's frames, in milliseconds."""
    page.evaluate("() => { mnemoreel.seek(0); window.moves = []; }")
    page.evaluate(
        "() => mnemoreel.addEventListener('playhead', () => moves.push(performance.now()))"
    )
    page.evaluate("() => document.querySelector('mnemo-player').toggle()")
    time.sleep(seconds)
    page.evaluate("() => document.querySelector('mnemo-player').stop()")
    moves: list[float] = page.evaluate("() => moves")
    return [after - before for before, after in itertools.pairwise(moves)]
