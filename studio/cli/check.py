"""Verify the library: every digest and every reference; and mend what can be made again."""

from __future__ import annotations

import argparse

from engine.protocol import Executor
from storage import history, projects, references, takes
from storage.check import Problem, Report, check, check_quickly
from storage.database import Library
from studio.actions.keep_library import mend, problem_to_json
from studio.cli.headless import find_project
from studio.cli.output import Output, UsageError
from studio.session import Session, open_library
from studio.settings import Settings

HELP = "Verify a project, or everything: every digest and every reference. Changes nothing."
EXAMPLES = """examples:
  python app.py check --all --quick            tables and heads, as at every start
  python app.py check --all                    rows, references, sizes
  python app.py check --all --read-data        also reads every file again
  python app.py check "My film" --read-data --json
  python app.py check --all --read-data --repair
                                               damaged files go aside, lost takes into the queue
exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="id or unique name")
    parser.add_argument("--all", action="store_true", help="the whole library")
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--quick", action="store_true", help="less than a second: tables, heads")
    level.add_argument("--read-data", action="store_true", help="hash every file again")
    parser.add_argument(
        "--repair", action="store_true", help="queue again what can be generated; removes nothing"
    )


def run(given: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """Check, and return 1 when something is wrong."""
    if given.all == bool(given.project):
        raise UsageError("Name one project, or use --all for the whole library.")
    repaired = ""
    with open_library(settings) as library:
        subjects = None if given.all else _subjects(library, given.project)
        report = check_quickly(library) if given.quick else _check(library, given)
        found = [p for p in report.problems if subjects is None or p.subject in subjects]
        if given.repair:
            session = Session(settings=settings, library=library, executor=executor)
            repaired = _repair(session, found)
    bad = [p for p in found if not p.is_warning]
    counts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
    lines = [_line(p) for p in found] + ([repaired] if repaired else [])
    verdict = f"{len(bad)} problems" if bad else "No problems"
    output.result(
        {
            "is_clean": not bad,
            "problems": [problem_to_json(p) for p in found],
            "counts": report.counts,
            "repaired": repaired,
        },
        "\n".join([*lines, f"{verdict}. Looked at: {counts}."]),
    )
    return 1 if bad else 0


def _check(library: Library, given: argparse.Namespace) -> Report:
    return check(library, read_data=given.read_data)


def _repair(session: Session, found: list[Problem]) -> str:
    done, queued = mend(session, found)
    return (
        f"Repair: {done.num_quarantined} damaged files put aside, {len(queued)} takes queued "
        f"again (open the studio to run them), {done.num_recomputed} entries to be made again when "
        f"they are next read, {len(done.beyond)} problems left for a backup."
    )


def _line(problem: Problem) -> str:
    mark = "warning" if problem.is_warning else "PROBLEM"
    way = f"\n    {problem.command}" if problem.command else ""
    return f"{mark} {problem.kind} {problem.subject}: {problem.message} {problem.advice}{way}"


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
