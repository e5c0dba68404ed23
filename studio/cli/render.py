"""Render a storyboard to a film."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.protocol import Executor
from storage import history, takes
from storage.records import Job, Project
from studio.actions.export_cut import export_cut
from studio.actions.generate import generate
from studio.actions.manage_projects import create_project
from studio.actions.storyboards import import_storyboard, problems_in_words
from studio.cli.headless import (
    PRIORITY,
    Headless,
    deliver,
    open_headless,
    read_text,
    require_target,
    seconds_of,
)
from studio.cli.output import CliError, Output
from studio.settings import Settings
from studio.timeline import storyboard
from studio.timeline.plan import plan
from studio.timeline.storyboard import StoryboardError

HELP = "Render a storyboard to a film: every shot reads the memory of those before it."
EXAMPLES = """examples:
  python app.py render assets/storyboards/mia-travels.txt --out film.mp4
  python app.py render film.txt --out film.mp4 --seed 7 --steps 8 --json
  python app.py render film.txt --out film.mp4 --memory none      each shot on its own
  echo "00:00:00:00 Mia waves in the park" | python app.py render - --out mia.mp4

A storyboard has one line for each shot, such as `00:00:12:00 she opens the door` or
`0:05-0:09 she sits down`; or it is JSON. The project stays in the library.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("storyboard", metavar="STORYBOARD", help="a text or JSON file; - = stdin")
    parser.add_argument("--out", type=Path, required=True, metavar="FILM.mp4", help="the film")
    parser.add_argument("--memory", metavar="NAME", help="memory system; `none` = no memory")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first shot; then N+1, ...")
    parser.add_argument("--steps", type=int, metavar="N", help="denoising steps of each shot")
    parser.add_argument("--name", help="of the project; default: the storyboard's or the file's")
    parser.add_argument(
        "--strict", action="store_true", help="refuse words that the model does not know"
    )


def run(given: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """Render; the film appears at `--out` only when it is complete."""
    out = require_target(given.out, ".mp4")
    text = read_text(given.storyboard)
    storyboard.parse(text, (24, 1))  # refuses what is no storyboard before a model is loaded
    with open_headless(settings, executor, output) as studio:
        studio.wait_for_engine()
        project = _import(studio, text, given)
        jobs = _generate(studio, project)
        job = studio.wait(export_cut(studio.session, project.id, priority=PRIORITY), "Film")
        deliver(studio.session.library, (job.result or {})["digest"], out)
        told = _told(studio, project, jobs, job, out)
    output.result(
        told,
        f"{out}: {told['shots']} shots, {told['frames']} frames. Project {project.id}.",
    )
    return 0


def _import(studio: Headless, text: str, given: argparse.Namespace) -> Project:
    session = studio.session
    defaults: dict[str, Any] = {}
    if given.memory is not None:
        defaults["memory_system"] = session.system(given.memory).name
    if given.steps is not None:
        defaults["num_steps"] = given.steps
    info = session.info()
    board = storyboard.parse(text, info.rate)
    if board.problems:
        raise StoryboardError(problems_in_words(board))
    planned = plan(board, session.facts(info.rate))
    for warning in planned.warnings:
        studio.output.note(f"warning: {warning}")
    unknown = sorted({w for s in planned.shots for w in s.unknown_words})
    if unknown and given.strict:
        raise CliError(
            f"The model does not know: {', '.join(unknown)}. Use other words, or leave out "
            "--strict to go on without them."
        )
    stem = "storyboard" if given.storyboard == "-" else Path(given.storyboard).stem
    project = create_project(session, given.name or board.name or stem)
    import_storyboard(session, project.id, text, mode="append", seed=given.seed, defaults=defaults)
    return project


def _generate(studio: Headless, project: Project) -> list[Job]:
    queued = generate(studio.session, project.id, None, priority=PRIORITY)
    count = len(queued)
    try:
        return [
            studio.wait(job_id, f"Shot {index} of {count}")
            for index, job_id in enumerate(queued, start=1)
        ]
    except CliError as error:
        raise CliError(
            f"{error} The finished shots are kept in project {project.id}: open the studio to "
            "go on from there."
        ) from error


def _told(
    studio: Headless, project: Project, generated: list[Job], exported: Job, out: Path
) -> dict[str, Any]:
    with studio.session.library.read() as tx:
        _, cut = history.head(tx, project.id)
        known = {t.id: t for t in takes.of_project(tx, project.id)}
    return {
        "project": project.id,
        "shots": len(cut.shots),
        "frames": (exported.result or {})["num_frames"],
        "seconds_per_shot": [seconds_of(j) for j in generated],
        "memory_tokens": [known[s.take_id].memory_tokens for s in cut.shots if s.take_id],
        "out": str(out),
    }
