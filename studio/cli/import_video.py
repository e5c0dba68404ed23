"""Bring a video file into a project as footage."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.protocol import Executor
from storage import takes
from studio.actions.import_footage import import_footage
from studio.cli.headless import PRIORITY, open_headless
from studio.cli.output import Output, UsageError
from studio.settings import MIB, Settings

HELP = "Bring a video file into a project: it becomes shots at the end, and part of the memory."
EXAMPLES = """examples:
  python app.py import "My film" holiday.mp4
  python app.py import "My film" holiday.mov --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("project", metavar="PROJECT", help="id or unique name")
    parser.add_argument("video", type=Path, metavar="VIDEO", help="mp4, mov, mkv, webm, avi or ts")


def run(given: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """Import the footage."""
    path: Path = given.video.expanduser()
    if not path.is_file():
        raise UsageError(f"{path} is not a file. Expected a video.")
    if path.stat().st_size > settings.max_upload_mib * MIB:
        raise UsageError(f"{path} is larger than {settings.max_upload_mib} MB. Cut it into parts.")
    with open_headless(settings, executor, output) as studio:
        project, _ = studio.project(given.project)
        studio.wait_for_engine()
        with path.open("rb") as file:
            job_id = import_footage(studio.session, project.id, file, path.name, priority=PRIORITY)
        read = studio.wait(job_id, "Reading").result or {}
        for note in read["notes"]:
            output.note(f"note: {note}")
        made = studio.wait(read["encode_job"], "Encoding").result or {}
        with studio.session.library.read() as tx:
            found = [takes.get(tx, take_id) for take_id in made["take_ids"]]
    frames = sum(t.num_frames for t in found)
    output.result(
        {
            "project": project.id,
            "shots": [t.shot_id for t in found],
            "frames": frames,
            "notes": read["notes"],
        },
        f"{path.name}: {frames} frames in {len(found)} shots at the end of {project.name}.",
    )
    return 0
