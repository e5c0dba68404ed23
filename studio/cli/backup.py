"""Take a backup of the database, list those there are, or put one back."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.protocol import Executor
from storage import backup, lock
from storage.database import system_clock
from studio.cli.output import CliError, Output
from studio.session import open_library
from studio.settings import Settings

HELP = "Take a backup of the database now, list the backups, or put one back."
EXAMPLES = """examples:
  python app.py backup                            take one now
  python app.py backup --out /media/usb/a.sqlite3
  python app.py backup --list
  python app.py backup --restore library-20270115T080000000000.sqlite3
"""
_DATABASE, _FOLDER = "library.sqlite3", "backups"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--out", type=Path, metavar="FILE", help="write it there")
    way.add_argument("--list", action="store_true", help="say which there are")
    way.add_argument("--restore", metavar="FILE", help="a name of the list, or a path")


def run(given: argparse.Namespace, settings: Settings, _: Executor, output: Output) -> int:
    """Do one of the three; the studio must not be running."""
    folder = settings.data_folder / _FOLDER
    if given.list:
        names = [path.name for path in sorted(folder.glob("*.sqlite3"))]
        output.result({"backups": names}, "\n".join(names) or "No backups yet.")
    elif given.restore:
        _restore(settings, folder, given.restore, output)
    else:
        with open_library(settings) as library:
            at = system_clock()
            made = given.out or folder / backup.name_at(at)
            library.backup(made)
        output.result({"backup": str(made)}, f"{made}")
    return 0


def _restore(settings: Settings, folder: Path, named: str, output: Output) -> None:
    file = folder / named if (folder / named).is_file() else Path(named)
    if not file.is_file():
        raise CliError(f"There is no backup {named}. See which there are: backup --list.")
    held = lock.acquire(settings.data_folder, "")
    try:
        kept = backup.restore(settings.data_folder / _DATABASE, file, system_clock())
    finally:
        held.release()
    output.result(
        {"restored": str(file), "kept": str(kept)},
        f"{file.name} is the database now. The one before is kept as {kept.name}.\n"
        "Run `python app.py check --all --read-data` next.",
    )
