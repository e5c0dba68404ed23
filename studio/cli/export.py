"""Write the cut of a project as one film."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.protocol import Executor
from studio.actions.export_cut import export_cut
from studio.cli.headless import PRIORITY, deliver, open_headless, require_target
from studio.cli.output import Output
from studio.settings import Settings

HELP = "Write the cut of a project as one film. Whole takes are copied, not encoded again."
EXAMPLES = """examples:
  python app.py export "My film" --out film.mp4
  python app.py export "My film" --out film.mp4 --title "My film"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("project", metavar="PROJECT", help="id or unique name")
    parser.add_argument("--out", type=Path, required=True, metavar="FILM.mp4", help="the film")
    parser.add_argument("--title", metavar="TEXT", help="begin with a title card")


def run(given: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """Export; the film appears at `--out` only when it is complete."""
    out = require_target(given.out, ".mp4")
    with open_headless(settings, executor, output) as studio:
        project, _ = studio.project(given.project)
        job_id = export_cut(studio.session, project.id, title_card=given.title, priority=PRIORITY)
        told = studio.wait(job_id, "Film").result or {}
        deliver(studio.session.library, told["digest"], out)
    frames = told["num_frames"]
    output.result(
        {"project": project.id, "frames": frames, "out": str(out)}, f"{out}: {frames} frames."
    )
    return 0
