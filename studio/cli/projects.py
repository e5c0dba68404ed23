"""List what is in the library."""

from __future__ import annotations

import argparse

from engine.protocol import Executor
from studio.actions.document import project_list
from studio.cli.output import Output
from studio.session import Session, open_library
from studio.settings import Settings

HELP = "List the projects of the library."
EXAMPLES = """examples:
  python app.py projects
  python app.py projects --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb: there are none."""


def run(_: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """List the projects."""
    with open_library(settings) as library:
        session = Session(settings=settings, library=library, executor=executor)
        found = project_list(session)["projects"]
    lines = [
        f"{p['id']}  {p['shots']:4d} shots  {p['frames']:6d} frames  {_name(p)}" for p in found
    ]
    output.result({"projects": found}, "\n".join(lines) or "No projects yet.")
    return 0


def _name(project: dict[str, object]) -> str:
    damaged = project["damaged"]
    return f"{project['name']}" + (f"  DAMAGED: {damaged}" if damaged else "")
