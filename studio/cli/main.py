"""The command line: reads the arguments, runs one verb, turns every error into words and a code.

Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from engine.client import Limits, LocalExecutor
from engine.errors import EngineError
from engine.protocol import Executor
from storage.errors import StorageError
from studio.cli import (
    backup,
    bundle,
    check,
    collect,
    doctor,
    export,
    import_video,
    projects,
    recall,
    render,
    serve,
    torture,
)
from studio.cli.output import CliError, Output, UsageError
from studio.session import MakeExecutor, NotReady
from studio.settings import (
    Settings,
    checkpoint_of,
    data_folder_of,
    database_url_of,
    engine_memory_of,
)
from studio.timeline.edit import EditRefused
from studio.timeline.storyboard import StoryboardError
from studio.timeline.timecode import TimecodeError

Run = Callable[[argparse.Namespace, Settings, Executor, Output], int]
REFUSALS = (
    CliError,
    EditRefused,
    EngineError,
    LookupError,
    NotReady,
    StorageError,
    StoryboardError,
    TimecodeError,
)
"""Errors whose message is for the person at the terminal."""

VERBS = {
    "render": render,
    "recall": recall,
    "import": import_video,
    "export": export,
    "projects": projects,
    "bundle": bundle,
    "check": check,
    "backup": backup,
    "collect": collect,
    "doctor": doctor,
    "torture": torture,
}
EXAMPLES = """examples:
  python app.py                                     open the studio in a browser
  python app.py --window                            open it in a window of its own
  python app.py --port 8000 --no-browser            only print its address
  python app.py render film.txt --out film.mp4      a storyboard to a film, without a page
  python app.py projects                            what is in the library
  python app.py render --help                       the options of a verb
"""


def local_executor(settings: Settings) -> Executor:
    """Return the executor that holds the real engine."""
    limits = Limits(memory_mib=settings.memory_limit_mib)
    return LocalExecutor(settings.engine_settings, limits=limits)


def main(arguments: Sequence[str], *, make_executor: MakeExecutor = local_executor) -> int:
    """Run the command line and return its exit code."""
    given = build_parser().parse_args(arguments)
    output = Output(is_json=given.json)
    logging.basicConfig(
        level=logging.INFO if given.verbose else logging.WARNING,
        stream=sys.stderr,
        format="%(levelname)s %(name)s: %(message)s",
    )
    try:
        settings = _settings(given)
        if given.verb is None:
            return serve.run(given, settings, make_executor, output)
        run: Run = VERBS[given.verb].run
        return run(given, settings, make_executor(settings), output)
    except UsageError as error:
        output.failed(str(error))
        return 2
    except REFUSALS as error:
        output.failed(str(error) if str(error) else type(error).__name__)
        return 1
    except OSError as error:
        output.failed(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
        return 1
    except KeyboardInterrupt:
        output.failed("Stopped. What was finished is kept; the same command goes on from there.")
        return 1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Mnemoreel: a video studio whose model has a memory you can look into.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_common(parser, default=None)
    serve.add_arguments(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, module in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_common(verb, default=argparse.SUPPRESS)
        module.add_arguments(verb)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    """Add what every verb takes, before or after its name."""
    is_off = default if default == argparse.SUPPRESS else False
    parser.add_argument(
        "--data",
        metavar="DIR",
        default=default,
        help="data folder (MNEMOREEL_DATA, else the user's own)",
    )
    parser.add_argument(
        "--model",
        metavar="DIR",
        default=default,
        help="model folder (MNEMOREEL_MODEL, else the embedded model)",
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", default=default or 0, help="of the engine; 0 = all"
    )
    parser.add_argument(
        "--json", action="store_true", default=is_off, help="one JSON object on stdout"
    )
    parser.add_argument(
        "--verbose", action="store_true", default=is_off, help="write a log to stderr"
    )


def _settings(given: argparse.Namespace) -> Settings:
    if given.threads < 0:
        raise UsageError(f"{given.threads} threads. Expected 0 (all cores) or more.")
    data_folder = data_folder_of(given.data)
    try:
        return Settings(
            data_folder=data_folder,
            database_url=database_url_of(),
            checkpoint=checkpoint_of(given.model, data_folder=data_folder),
            host=given.host,
            port=given.port,
            threads=given.threads,
            engine_memory_mib=engine_memory_of(),
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
