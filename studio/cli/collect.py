"""Free the space of blobs that nothing names any more."""

from __future__ import annotations

import argparse
import dataclasses

from engine.protocol import Executor
from storage.collect import GRACE_MICROSECONDS, collect
from studio.cli.output import Output, UsageError
from studio.session import open_library
from studio.settings import MIB, Settings

HELP = "Free the space of what no film, take, memory or job names any more. Says what, by itself."
EXAMPLES = """examples:
  python app.py collect --dry-run          what would go; nothing is changed
  python app.py collect --remove           it goes to the trash, for 7 days
"""
_DAY = 86_400_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--dry-run", action="store_true", help="only say what would go (default)")
    way.add_argument("--remove", action="store_true", help="move it to the trash")
    parser.add_argument(
        "--grace", type=int, default=GRACE_MICROSECONDS // _DAY, metavar="DAYS",
        help="only what is older than that (default 14)",
    )  # fmt: skip


def run(given: argparse.Namespace, settings: Settings, _: Executor, output: Output) -> int:
    """Collect, or say what would be collected."""
    if given.grace < 1:
        raise UsageError(f"A grace of {given.grace} days. Expected 1 or more.")
    with open_library(settings) as library:
        done = collect(library, dry_run=not given.remove, grace=given.grace * _DAY)
    verb = "moved to the trash" if given.remove else "would go"
    output.result(
        dataclasses.asdict(done) | {"removed": bool(given.remove)},
        f"{len(done.digests)} blobs, {done.num_bytes / MIB:.1f} MB {verb}. "
        f"{done.num_purged} files left the trash.",
    )
    return 0
