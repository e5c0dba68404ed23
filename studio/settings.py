"""Everything the studio is started with: read once from arguments and the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

EMBEDDED_CHECKPOINT = Path(__file__).resolve().parent.parent / "assets" / "checkpoints" / "embedded"
"""The model that ships with the studio."""
MIB = 1 << 20


def new_token() -> str:
    """Return a token that opens the studio for this launch."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one launch of the studio works with."""

    data_folder: Path
    """Library of projects, database and blobs."""
    checkpoint: Path = EMBEDDED_CHECKPOINT
    """Folder of the model."""
    host: str = "127.0.0.1"
    port: int = 7860
    token: str = field(default_factory=new_token, repr=False)
    """Secret of this launch. Its place is the first URL and the cookie, nowhere else."""
    threads: int = 0
    """Threads of the engine. 0 = one per core."""
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
    def scratch_folder(self) -> Path:
        """Where media jobs write before their result becomes a blob. Emptied at each start."""
        return self.data_folder / "scratch"


def data_folder_of(given: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the data folder: the argument, else MNEMOREEL_DATA, else the user's own."""
    chosen = given or environment.get("MNEMOREEL_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("mnemoreel", appauthor=False))


def checkpoint_of(given: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the model's folder: the argument, else MNEMOREEL_MODEL, else the embedded model."""
    chosen = given or environment.get("MNEMOREEL_MODEL")
    return Path(chosen).expanduser().absolute() if chosen else EMBEDDED_CHECKPOINT
