"""What the VAE alone costs: PSNR and SSIM of whole test clips through encoder and decoder.

Run as `python -m engine.evaluate.vae --out docs/measurements/vae.md`. Clips are drawn, encoded,
kept in bfloat16 and decoded as the studio does with footage and takes.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from engine.evaluate.films import open_model, table_parser, words_of_command
from engine.evaluate.report import Report, Table, facts_of, run_facts, write_report
from engine.evaluate.scores import score
from engine.recipes import Model
from engine.train.world.draw import draw_shot
from engine.train.world.script import ShotScript
from engine.train.world.story import TEST_SEEDS, WorldDials, tell
from engine.video import vae as video_vae
from engine.video.picture import psnr, ssim

_THREE = [0, 8, 16]
DIETS = {
    "simple": WorldDials(text=0.35),
    "two people, props, weather": WorldDials(two_people=0.5, max_count=3, weather=0.3, text=0.35),
}


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """One clip after the VAE."""

    story: int
    diet: str
    framing: str
    clip_psnr: float
    """dB of one mean error over the whole clip."""
    frame_psnr: float
    """Mean of the dB of its frames."""
    ssim: float
    """Of its first, middle and last frame."""
    first_psnr: float
    last_psnr: float


def measure(model: Model, num_stories: int) -> Iterator[Decoded]:
    """Yield one clip of every test story of either diet."""
    for diet, dials in DIETS.items():
        for story in range(num_stories):
            script = random.Random(story).choice(tell(TEST_SEEDS[story], dials).shots)
            yield _decoded(model, story, diet, script)


@torch.no_grad()
def _decoded(model: Model, story: int, diet: str, script: ShotScript) -> Decoded:
    drawn = torch.from_numpy(draw_shot(script).frames_FHW3)
    with model.device.autocast():
        latents = video_vae.encode(model.parts.vae, drawn).to(torch.bfloat16).float()
        frames = video_vae.decode(model.parts.vae, latents)
    error = float((frames.double() - drawn.double()).pow(2).mean())
    return Decoded(
        story=story,
        diet=diet,
        framing=script.framing,
        clip_psnr=10 * math.log10(255**2 / max(error, 1e-9)),
        frame_psnr=psnr(frames, drawn),
        ssim=ssim(frames[_THREE], drawn[_THREE]),
        first_psnr=psnr(frames[:1], drawn[:1]),
        last_psnr=psnr(frames[-1:], drawn[-1:]),
    )


def table(rows: Sequence[Decoded]) -> Table:
    """Return PSNR and SSIM by diet and, for the simple one, by framing."""
    groups = [(diet, [row for row in rows if row.diet == diet]) for diet in DIETS]
    simple = next(iter(DIETS))
    for framing in ("wide", "medium", "close"):
        here = [row for row in rows if row.diet == simple and row.framing == framing]
        groups.append((f"{simple}, {framing}", here))
    fields = ("clip_psnr", "frame_psnr", "ssim", "first_psnr", "last_psnr")
    lines = []
    for name, group in groups:
        cells = []
        for field in fields:
            value = score((row.story, getattr(row, field)) for row in group)
            cells.append("-" if value is None else value.text())
        lines.append((name, str(len(group)), *cells))
    return Table(
        title="Whole clips through the VAE",
        columns=("clips", "number", "PSNR of the clip", "of its frames", "SSIM", "first", "last"),
        rows=tuple(lines),
        note="dB over 8-bit RGB of 17 frames, SSIM of three, with 95 % intervals over stories.",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line."""
    parser = table_parser(__doc__, num_stories=48)
    options = parser.parse_args(arguments)
    start = time.monotonic()
    model = open_model(options)
    rows = list(measure(model, 2 if options.quick else options.stories))
    facts = (
        *facts_of(model, "engine.evaluate.vae", words_of_command(arguments)),
        *run_facts((), len(rows), start),
    )
    write_report(Report(title="VAE", facts=facts, tables=(table(rows),)), options.out)


if __name__ == "__main__":
    main()
