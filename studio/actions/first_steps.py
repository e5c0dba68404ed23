"""What an editor is told and asked first: this machine, its model, and another model to use."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from engine.card import load_card
from engine.errors import CheckpointError
from engine.model_folder import FolderReport, inspect_folder
from storage.errors import Refused
from storage.records import Json
from studio.session import EngineState, Session
from studio.settings import EMBEDDED_CHECKPOINT, MIB, keep_checkpoint

MAX_PATH = 4096
GIB = 1 << 30
ENOUGH_FREE_MIB = 2048
"""Free disk space below which an editor is warned: a film of an hour takes about that."""


def machine(session: Session) -> Json:
    """Return what the studio runs on: processor or card, memory, disk, model."""
    info = session.executor.info
    free = shutil.disk_usage(session.settings.data_folder).free // MIB
    return {
        "device": info.device if info else None,
        "dtype": info.dtype if info else None,
        "threads": info.threads if info else None,
        "cores": os.cpu_count(),
        "memory_mib": _memory_mib(),
        "free_mib": free,
        "is_short_of_disk": free < ENOUGH_FREE_MIB,
        "data_folder": str(session.settings.data_folder),
        "seconds_per_shot": (info.seconds_per_shot or None) if info else None,
        "model": {
            "path": str(session.settings.checkpoint),
            "is_embedded": session.settings.checkpoint == EMBEDDED_CHECKPOINT,
            "name": _name_of(session.settings.checkpoint),
        },
    }


def check_model(path: str) -> Json:
    """Return whether the folder at `path` can be used as the model, and what it would bring.

    Raises:
        Refused: not an absolute path.
    """
    report = inspect_folder(_folder(path))
    return {
        "path": str(report.folder),
        "problems": list(report.problems),
        "notes": _notes(report),
        "facts": _facts(report),
    }


def use_model(session: Session, path: str | None) -> None:
    """Load another model now and at each later start; None = the one that ships.

    What is being generated starts again with it.

    Raises:
        Refused: the folder cannot be used; the message says why.
    """
    folder = EMBEDDED_CHECKPOINT if path is None else _folder(path)
    report = inspect_folder(folder)
    if report.problems:
        raise Refused(report.problems[0])
    keep_checkpoint(session.settings.data_folder, None if path is None else folder)
    if folder == session.settings.checkpoint:
        return
    if session.make_executor is None:
        raise Refused("This studio cannot change its model while it runs. Start it with --model.")
    before = session.executor
    session.settings = dataclasses.replace(session.settings, checkpoint=folder)
    session.executor = session.make_executor(session.settings)
    session.set_engine(EngineState(state="starting", message=f"{folder.name} is being loaded."))
    before.close()
    session.wake()


def _folder(path: str) -> Path:
    folder = Path(path.strip()).expanduser()
    if "\0" in path or not path.strip() or not folder.is_absolute():
        raise Refused(
            f"{path.strip()[:200]!r} is no complete path. Expected the whole path of a folder, "
            "such as /home/me/models/Wan2.1-T2V-1.3B-Diffusers."
        )
    return folder


def _name_of(folder: Path) -> str:
    try:
        return load_card(folder).name
    except (CheckpointError, TypeError):
        return folder.name


def _facts(report: FolderReport) -> Json | None:
    card = report.card
    if card is None:
        return None
    numerator, denominator = card.rate
    return {
        "name": card.name,
        "size": f"{card.width} x {card.height}",
        "rate": numerator / denominator,
        "gigabytes": round(report.weight_bytes / GIB, 2),
        "words": len(card.words),
        "memories": list(report.memories),
    }


def _notes(report: FolderReport) -> list[str]:
    notes = []
    if report.card is not None and not report.problems and not report.memories:
        notes.append(
            "No memory was trained for this model: its shots will not know each other. Train one "
            "with engine.train, or make shots with memory off."
        )
    memory = _memory_mib()
    # Weights are held in float32 on a processor, and stored in half of that.
    needed = 2 * report.weight_bytes // MIB
    if memory is not None and needed > memory:
        notes.append(
            f"Its weights take about {needed / 1024:.1f} GB of memory without a graphics card; "
            f"this machine has {memory / 1024:.1f} GB."
        )
    return notes


def _memory_mib() -> int | None:
    """Return the memory of this machine, or None where the system does not say."""
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names:
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB
