"""Verify the library: every digest and every reference."""

from __future__ import annotations

import argparse
import dataclasses

from engine.protocol import Executor
from storage import history, projects, references, takes
from storage.check import Problem, check
from storage.database import Library
from studio.cli.headless import find_project
from studio.cli.output import Output, UsageError
from studio.settings import Settings

HELP = "Verify a project, or everything: every digest and every reference. Changes nothing."
EXAMPLES = """examples:
  python app.py check --all                    rows, references, sizes
  python app.py check --all --read-data        also reads every file again
  python app.py check "My film" --read-data --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="id or unique name")
    parser.add_argument("--all", action="store_true", help="the whole library")
    parser.add_argument("--read-data", action="store_true", help="hash every file again")


def run(given: argparse.Namespace, settings: Settings, _: Executor, output: Output) -> int:
    """Check, and return 1 when something is wrong."""
    if given.all == bool(given.project):
        raise UsageError("Name one project, or use --all for the whole library.")
    with Library.open(settings.data_folder) as library:
        subjects = None if given.all else _subjects(library, given.project)
        report = check(library, read_data=given.read_data)
    found = [p for p in report.problems if subjects is None or p.subject in subjects]
    bad = [p for p in found if not p.is_warning]
    counts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
    lines = [_line(p) for p in found]
    verdict = f"{len(bad)} problems" if bad else "No problems"
    output.result(
        {
            "is_clean": not bad,
            "problems": [dataclasses.asdict(p) for p in found],
            "counts": report.counts,
        },
        "\n".join([*lines, f"{verdict}. Looked at: {counts}."]),
    )
    return 1 if bad else 0


def _line(problem: Problem) -> str:
    mark = "warning" if problem.is_warning else "PROBLEM"
    return f"{mark} {problem.kind} {problem.subject}: {problem.message} Repair: {problem.repair}."


def _subjects(library: Library, named: str) -> set[str]:
    """Return the ids and digests that belong to a project, and those that concern all of them."""
    with library.read() as tx:
        project = find_project(projects.list_all(tx), named)
        nodes = history.nodes(tx, project.id)
        found = takes.of_project(tx, project.id)
        pinned = references.pinned(tx)
    subjects = {project.id, "pages", *pinned}
    for node in nodes:
        subjects |= {node.id, node.state_digest}
    for take in found:
        subjects |= {take.id, take.media_digest, take.strip_digest, take.latents_digest or ""}
    return subjects
