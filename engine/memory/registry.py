"""Every memory system by name: the only file that knows them all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file

from engine.context import Memory, Ports
from engine.errors import CheckpointError
from engine.memory import frame_preservation, sliding_window
from engine.memory.frame_preservation import FramePreservation
from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig
from engine.memory.sliding_window import SlidingWindow, SlidingWindowConfig

WEIGHTS = "model.safetensors"
_RATE_NAME = re.compile(frame_preservation.NAME + r"_\d+x\d+x\d+")


@dataclass(frozen=True, kw_only=True)
class MemorySite:
    """Where a memory system is built: what the model offers, and where its weights lie."""

    folder: Path
    """The `memory` folder of the checkpoint; a system's weights lie in a folder of its name."""
    ports: Ports
    latent_channels: int
    width: int
    """Token width of the transformer."""
    token_timestep: float | None


def build(name: str, site: MemorySite) -> Memory:
    """Return the memory system `name`.

    Raises:
        CheckpointError: no such system, or weights that do not fit.
    """
    if name in BUILDERS:
        return BUILDERS[name](site)
    if name in shipped(site.folder):
        return _frame_preservation(site, name)
    raise CheckpointError(
        f"There is no memory system {name!r}. Expected one of {shipped(site.folder)}."
    )


def names() -> list[str]:
    """Return the registered systems, the default first."""
    return list(BUILDERS)


def shipped(folder: Path) -> list[str]:
    """Return the registered systems and the extra encoders in a checkpoint's `memory` folder.

    A checkpoint may ship frame preservation at several rates: the default one, and others in
    folders named by `rate_name`. Each is a system of its own, with its own fingerprint.
    """
    extra = sorted(
        path.name
        for path in folder.glob(f"{frame_preservation.NAME}_*")
        if _RATE_NAME.fullmatch(path.name) and (path / WEIGHTS).is_file()
    )
    return [*names(), *extra]


def rate_name(rate_hwt: tuple[int, int, int]) -> str:
    """Return the name of frame preservation at another rate than the default one."""
    return f"{frame_preservation.NAME}_{'x'.join(str(r) for r in rate_hwt)}"


def load_encoder(folder: Path, site: MemorySite) -> MemoryEncoder:
    """Return phi from `folder`; without weights it is exactly the LR branch (untrained).

    Raises:
        CheckpointError: weights that do not fit the configuration.
    """
    config = MemoryEncoderConfig(latent_channels=site.latent_channels, width=site.width)
    if not (folder / WEIGHTS).is_file():
        return MemoryEncoder(config)
    try:
        values = json.loads((folder / "config.json").read_text("utf-8"))
        values = {**values, "rate_hwt": tuple(values["rate_hwt"])}
        config = MemoryEncoderConfig(**{**values, "channels": tuple(values["channels"])})
        encoder = MemoryEncoder(config)
        tensors = load_file(folder / WEIGHTS)
        encoder.load_state_dict({key: value.float() for key, value in tensors.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"The memory encoder in {folder} cannot be loaded: {error}. Expected config.json and "
            "model.safetensors of one training run."
        ) from error
    return encoder.requires_grad_(requires_grad=False)


def _frame_preservation(site: MemorySite, name: str = frame_preservation.NAME) -> Memory:
    folder = site.folder / name
    return FramePreservation(
        load_encoder(folder, site).to(site.ports.device),
        site.ports,
        name=name,
        token_timestep=site.token_timestep,
        is_trained=(folder / WEIGHTS).is_file(),
    )


def _sliding_window(site: MemorySite) -> Memory:
    config = SlidingWindowConfig(latent_channels=site.latent_channels)
    return SlidingWindow(config, site.ports, token_timestep=site.token_timestep)


BUILDERS: dict[str, Callable[[MemorySite], Memory]] = {
    frame_preservation.NAME: _frame_preservation,
    sliding_window.NAME: _sliding_window,
}
