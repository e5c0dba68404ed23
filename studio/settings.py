"""Everything the studio is started with: read once from arguments and the environment."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from engine.watch import default_limit_mib

EMBEDDED_CHECKPOINT = Path(__file__).resolve().parent.parent / "assets" / "checkpoints" / "embedded"
"""The model that ships with the studio."""
MIB = 1 << 20
CHOICE_FILE = "model.json"
"""In the data folder: the model that was chosen on the page."""


def new_token() -> str:
    """Return a token that opens the studio for this launch."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one launch of the studio works with."""

    data_folder: Path
    """Library of projects, database and blobs."""
    database_url: str = field(default="", repr=False)
    """Of a PostgreSQL database. Empty = SQLite, a file in the data folder."""
    checkpoint: Path = EMBEDDED_CHECKPOINT
    """Folder of the model."""
    host: str = "127.0.0.1"
    port: int = 7860
    token: str = field(default_factory=new_token, repr=False)
    """Secret of this launch. Its place is the first URL and the cookie, nowhere else."""
    threads: int = 0
    """Threads of the engine. 0 = one per core."""
    engine_memory_mib: int = 0
    """What the engine may hold. 0 = 80 % of this machine's memory."""
    max_upload_mib: int = 2048
    """Largest imported file."""
    max_footage_frames: int = 20_000
    """Longest imported footage, in frames of the project."""

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(
                f"The address {self.host} can be reached from other machines. "
                "Expected 127.0.0.1: use an SSH tunnel to work from elsewhere."
            )
        if not 0 < self.port < 65536:
            raise ValueError(f"Port {self.port} is not one. Expected 1 to 65535.")

    @property
    def url(self) -> str:
        """Where the page is, without its token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def engine_settings(self) -> dict[str, str | int]:
        """What the engine's process is told."""
        return {
            "checkpoint": str(self.checkpoint),
            "blobs": str(self.data_folder / "blobs"),
            "threads": self.threads or os.cpu_count() or 1,
        }

    @property
    def memory_limit_mib(self) -> int:
        """Resident memory above which the engine is ended, so that the machine is not."""
        return self.engine_memory_mib or default_limit_mib()

    @property
    def scratch_folder(self) -> Path:
        """Where media jobs write before their result becomes a blob. Emptied at each start."""
        return self.data_folder / "scratch"


def data_folder_of(given: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the data folder: the argument, else MNEMOREEL_DATA, else the user's own."""
    chosen = given or environment.get("MNEMOREEL_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("mnemoreel", appauthor=False))


def database_url_of(environment: Mapping[str, str] = os.environ) -> str:
    """Return the database's URL, which may hold a password: never an argument others can read."""
    return environment.get("MNEMOREEL_DATABASE", "")


def engine_memory_of(environment: Mapping[str, str] = os.environ) -> int:
    """Return MNEMOREEL_ENGINE_MEMORY in MiB, what the engine may hold. 0 = not said.

    Raises:
        ValueError: no whole number of MiB.
    """
    given = environment.get("MNEMOREEL_ENGINE_MEMORY", "0")
    if not given.isascii() or not given.isdigit():
        raise ValueError(
            f"MNEMOREEL_ENGINE_MEMORY is {given[:40]!r}. Expected MiB, such as 12000, or 0."
        )
    return int(given)


def checkpoint_of(
    given: str | None,
    environment: Mapping[str, str] = os.environ,
    *,
    data_folder: Path | None = None,
) -> Path:
    """Return the model's folder.

    It is the argument, else MNEMOREEL_MODEL, else what was chosen on the page and is still there,
    else the embedded model.
    """
    chosen = given or environment.get("MNEMOREEL_MODEL")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return (data_folder and _kept_checkpoint(data_folder)) or EMBEDDED_CHECKPOINT


def keep_checkpoint(data_folder: Path, folder: Path | None) -> None:
    """Remember the model for the next start, where no library is open yet; None = the embedded."""
    path = data_folder / CHOICE_FILE
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"checkpoint": None if folder is None else str(folder)}))
    part.replace(path)


def _kept_checkpoint(data_folder: Path) -> Path | None:
    try:
        kept = json.loads((data_folder / CHOICE_FILE).read_text())["checkpoint"]
        folder = Path(kept)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # A disk that is not there today must not keep the studio from opening.
    return folder if folder.is_dir() else None
