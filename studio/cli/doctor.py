"""Say whether this machine can run the studio, and what is missing."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sqlite3
from importlib import metadata
from typing import Any

import av

from engine.errors import EngineError
from engine.protocol import Executor
from storage.errors import LibraryInUse, StorageError
from studio.cli.output import Output
from studio.cli.window import app_browser, has_display, webview_module
from studio.session import open_library
from studio.settings import MIB, Settings

HELP = "Say whether this machine can run the studio: versions, model, disk, library."
EXAMPLES = """examples:
  python app.py doctor
  python app.py doctor --quick        without loading the model
"""
PACKAGES = ("torch", "diffusers", "gradio", "fastapi", "av", "moviepy", "SQLAlchemy", "numpy")
NEEDED_MIB = 1024
"""Free disk space below which a warning is given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--quick", action="store_true", help="do not load the model")


def run(given: argparse.Namespace, settings: Settings, executor: Executor, output: Output) -> int:
    """Look at everything; 1 = the studio would not work."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: _version(name) for name in PACKAGES},
        "data": str(settings.data_folder),
        "model": str(settings.checkpoint),
        "browser": "yes" if has_display() else "none: open the printed address yourself",
        "window": _window(),
    }
    problems = _packages(found["packages"])
    if "libx264" not in av.codecs_available:
        problems.append("This build of PyAV has no libx264. Install av from requirements.txt.")
    problems += _library(settings, found)
    if not given.quick:
        problems += _engine(executor, found)
    lines = [f"{key}: {_shown(value)}" for key, value in found.items()]
    lines += [f"PROBLEM: {p}" for p in problems] or ["Everything is in order."]
    output.result({**found, "problems": problems}, "\n".join(lines))
    return 1 if problems else 0


def _window() -> str:
    if webview_module() is not None:
        return "pywebview"
    return app_browser() or "none: --window opens your browser"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _packages(found: dict[str, str | None]) -> list[str]:
    missing = [name for name, version in found.items() if version is None]
    return [f"Not installed: {', '.join(missing)}. Run `make setup`."] if missing else []


def _library(settings: Settings, found: dict[str, Any]) -> list[str]:
    try:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(settings.data_folder).free // MIB
        found["free_disk"] = f"{free} MB"
        with open_library(settings):
            found["library"] = "opens"
    except LibraryInUse as error:
        found["library"] = str(error)
        return []
    except (StorageError, OSError) as error:
        return [f"The library does not open: {error}"]
    return [f"{free} MB are free on the disk. Expected {NEEDED_MIB}."] if free < NEEDED_MIB else []


def _engine(executor: Executor, found: dict[str, Any]) -> list[str]:
    try:
        executor.start()
    except EngineError as error:
        return [f"The model does not load: {error}"]
    finally:
        executor.close()
    info = executor.info
    if info is not None:
        speed = f"{info.seconds_per_shot:.1f} s a shot" if info.seconds_per_shot else "not measured"
        found["engine"] = f"{info.model} on {info.device} ({info.dtype}), {speed}"
        found["memory_systems"] = ", ".join(s.name for s in info.systems)
    return []


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v or 'MISSING'}" for k, v in value.items())
    return str(value)
