"""Write a project to one file, or take one in."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from engine.protocol import Executor
from storage import projects
from storage.bundle import SUFFIX, export_project, import_bundle
from studio.cli.headless import find_project, require_target
from studio.cli.output import CliError, Output
from studio.session import open_library
from studio.settings import Settings

HELP = "Write a whole project to one file, or take one in: history, takes and memory included."
EXAMPLES = """examples:
  python app.py bundle export "My film" --out my-film.mnemoreel
  python app.py bundle import my-film.mnemoreel
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    ways = parser.add_subparsers(dest="way", metavar="export|import", required=True)
    export = ways.add_parser("export", help="a project to a file")
    export.add_argument("project", metavar="PROJECT", help="id or unique name")
    export.add_argument("--out", type=Path, required=True, metavar=f"FILM{SUFFIX}")
    take_in = ways.add_parser("import", help="a file to a project")
    take_in.add_argument("file", type=Path, metavar=f"FILM{SUFFIX}")


def run(given: argparse.Namespace, settings: Settings, _: Executor, output: Output) -> int:
    """Export or import; a file that is not exactly right changes nothing."""
    with open_library(settings) as library:
        if given.way == "export":
            out = require_target(given.out, SUFFIX)
            with library.read() as tx:
                project = find_project(projects.list_all(tx), given.project)
            told, where = export_project(library, project.id, out), out
        else:
            if not given.file.is_file():
                raise CliError(f"There is no file {given.file}.")
            told, where = import_bundle(library, given.file), given.file
    done = "written to" if given.way == "export" else "taken in from"
    output.result(
        {**dataclasses.asdict(told), "file": str(where)},
        f"{told.name}: {told.num_nodes} nodes, {told.num_takes} takes, {told.num_bytes} bytes "
        f"{done} {where}.\nManifest {told.digest}.",
    )
    return 0
