"""Remove one protection at a time and let the tests that guard it find out.

Run as `python -m benchmarks.mutation_drill --out docs/measurements/mutation-drill.md`. It works on
a copy of the tree. Tests have to pass there first; then each mutant has to make its tests fail. The
exit code is 1 if one survives.

Each suite runs in a process that is forked after everything of others was imported, and before
anything of ours was: imports would be most of the drill.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[1]
_COPIED = ("engine", "storage", "studio", "tests", "assets", "app.py", "pyproject.toml")
_OF_OTHERS = (
    *("alembic.config", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "filelock"),
    *("fastapi", "starlette.testclient", "uvicorn", "PIL.Image"),
    *("av", "av.filter", "numpy", "torch", "safetensors.torch", "diffusers", "transformers"),
)
_OURS = ("app", "engine", "storage", "studio", "tests")
_TICK = 0.05


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Whether the tests of a mutant found out."""

    mutant: Mutant
    is_caught: bool
    how: str
    """What they did. Only tests that failed have caught a mutant."""
    seconds: float


class BrokenSuite(Exception):
    """Tests that do not pass even without a mutant: nothing they say counts."""


def drill(
    mutants: tuple[Mutant, ...], timeout: float, told: Callable[[Outcome], None]
) -> list[Outcome]:
    """Try every mutant on one copy of the tree and return what came of each.

    Raises:
        BrokenSuite: tests fail, hang or are not there without any mutant.
        LookupError: the text of a mutant is not in its file exactly once.
    """
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="mnemoreel-mutants-") as name:
        folder = Path(name)
        _copy(folder)
        for mutant in mutants:
            _require_once(mutant, folder)
        sound: set[tuple[str, ...]] = set()
        for mutant in mutants:
            if mutant.suite not in sound:
                _require_passing(mutant, folder, timeout)
                sound.add(mutant.suite)
            with _without(mutant, folder):
                code, seconds = _run(mutant.suite, folder, timeout)
            # Only tests that failed count: not ones that hung, or could not even be collected.
            how = "tests failed" if code == 1 else "hung" if code is None else f"exit code {code}"
            outcomes.append(Outcome(mutant=mutant, is_caught=code == 1, how=how, seconds=seconds))
            told(outcomes[-1])
    return outcomes


def _require_once(mutant: Mutant, folder: Path) -> None:
    count = (folder / mutant.file).read_text("utf-8").count(mutant.before)
    if count != 1:
        raise LookupError(
            f"{mutant.name}: its text occurs {count} times in {mutant.file}. Expected once: adapt "
            "benchmarks/mutants.py to the code."
        )


def _require_passing(mutant: Mutant, folder: Path, timeout: float) -> None:
    code, _ = _run(mutant.suite, folder, timeout)
    if code != 0:
        raise BrokenSuite(
            f"`pytest {' '.join(mutant.suite)}` has exit code {code} without any mutant (None = "
            f"more than {timeout:.0f} s). Expected it to pass: mend it, or the drill means nothing."
        )


@contextmanager
def _without(mutant: Mutant, folder: Path) -> Iterator[None]:
    path = folder / mutant.file
    whole = path.read_text("utf-8")
    try:
        _write(path, whole.replace(mutant.before, mutant.after))
        yield
    finally:
        _write(path, whole)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    # Compiled files are known by second and size: two texts of one second could pass for one.
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _run(suite: tuple[str, ...], folder: Path, timeout: float) -> tuple[int | None, float]:
    """Return pytest's exit code and the seconds it took; None = it was stopped."""
    start = time.monotonic()
    process = os.fork()
    if process == 0:
        _run_here(suite, folder)
    while time.monotonic() - start < timeout:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), time.monotonic() - start
        time.sleep(_TICK)
    os.killpg(process, signal.SIGKILL)  # its children too
    os.waitpid(process, 0)
    return None, time.monotonic() - start


def _run_here(suite: tuple[str, ...], folder: Path) -> NoReturn:
    code = -1
    try:
        os.setsid()
        os.chdir(folder)
        sys.path[:] = [str(folder), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)]
        os.environ["PYTHONPATH"] = str(folder)  # of processes that the tests start
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        # Without rewritten assertions tests fail as well, only with fewer words.
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", *suite]))
    finally:
        os._exit(code & 0xFF)


def _import_others() -> None:
    for name in _OF_OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    ours = sorted(name for name in sys.modules if name.partition(".")[0] in _OURS)
    if ours:
        raise RuntimeError(f"{ours[0]} is imported already: no mutant of it would be seen.")


def _copy(folder: Path) -> None:
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            # Weights are only read: links keep a copy cheap.
            link = os.link if name == "assets" else shutil.copy2
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, copy_function=link, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)


def page(outcomes: list[Outcome], seconds: float) -> str:
    """Return the outcomes as a Markdown page."""
    rows = []
    for outcome in outcomes:
        mutant = outcome.mutant
        verdict = "yes" if outcome.is_caught else "**no**"
        suite = " ".join(f'"{word}"' if " " in word else word for word in mutant.suite)
        rows.append(
            f"| {mutant.name} | `{mutant.file}` | `{suite}` | {verdict}: {outcome.how} | "
            f"{outcome.seconds:.0f} |"
        )
    caught = sum(outcome.is_caught for outcome in outcomes)
    lines = [
        "# Mutation drill",
        "",
        f"`python -m benchmarks.mutation_drill`, {time.strftime('%Y-%m-%d')}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{seconds / 60:.0f} minutes on a machine that was shared.",
        "",
        f"**{caught} of {len(outcomes)} mutants caught.** One protection at a time is taken out of "
        "a copy of the tree. The tests named passed in that copy before.",
        "",
        "| removed | from | tests | caught | seconds |",
        "|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the drill from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="Markdown file for the page")
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds a suite may take")
    given = parser.parse_args()
    chosen = tuple(mutant for mutant in MUTANTS if given.only in mutant.name)

    def tell(outcome: Outcome) -> None:
        verdict = "caught" if outcome.is_caught else "SURVIVED"
        print(f"{outcome.mutant.name}: {verdict}, {outcome.how}, {outcome.seconds:.0f} s")
        sys.stdout.flush()

    _import_others()
    start = time.monotonic()
    outcomes = drill(chosen, given.timeout, tell)
    text = page(outcomes, time.monotonic() - start)
    if given.out is not None:
        given.out.write_text(text, "utf-8")
    print(text)
    return 0 if all(outcome.is_caught for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
