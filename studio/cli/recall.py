"""Decode one past frame out of memory."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.protocol import Executor
from studio.actions.recall import recall
from studio.cli.headless import PRIORITY, deliver, open_headless, require_target
from studio.cli.output import CliError, Output
from studio.settings import Settings
from studio.timeline import timecode

HELP = "Decode one frame of the cut back out of memory, and measure it against the real one."
EXAMPLES = """examples:
  python app.py recall "My film" --at 00:00:03:04 --out frame.png
  python app.py recall "My film" --at 3.5s --out frame.png --json
  python app.py recall "My film" --at 0:03 --out frame.png --mode sample
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("project", metavar="PROJECT", help="id or unique name")
    parser.add_argument("--at", required=True, metavar="HH:MM:SS:FF", help="place in the cut")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG", help="the picture")
    parser.add_argument(
        "--mode",
        choices=("mean", "sample"),
        default="mean",
        help="mean: what memory knows, in one step (default). sample: a sharper guess in 8",
    )


def run(given: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """Recall the frame and write it."""
    out = require_target(given.out, ".png")
    with open_headless(settings, executor, output) as studio:
        project, cut = studio.project(given.project)
        frame = timecode.parse(given.at, cut.rate)
        job_id = recall(studio.session, project.id, frame, given.mode, priority=PRIORITY)
        studio.wait_for_engine()
        told = dict(studio.wait(job_id, "Recall").result or {})
        picture = told.get("recalled")
        if not picture:
            raise CliError(str(told.get("note") or "Memory holds nothing of this frame."))
        digest = Path(picture).stem
        deliver(studio.session.library, digest, out)
    result = {k: told[k] for k in ("source", "psnr", "ssim", "tokens", "shot_id", "frame")}
    fidelity = "" if told["psnr"] is None else f", {told['psnr']:.1f} dB, SSIM {told['ssim']:.3f}"
    output.result(
        {**result, "out": str(out)},
        f"{out}: from {told['source']}, {told['tokens']} tokens{fidelity}",
    )
    return 0
