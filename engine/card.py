"""The model card a checkpoint carries: what it was trained for, readable without loading it.

The server plans and makes projects with it while the engine is still loading, so nothing here
imports torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import CheckpointError
from engine.protocol import EngineInfo, StrengthEffect, WordGroup

MAX_JSON_BYTES = 64 << 20
"""A tokenizer of 256,000 pieces takes 17 MB."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """The model card's machine-readable part (`card.json`): what the model was trained for."""

    name: str = "Wan"
    words: tuple[str, ...] = ()
    """Words of a closed vocabulary. Empty = open."""
    vocabulary: tuple[WordGroup, ...] = ()
    """The same words by theme, for an editor to browse."""
    strength_effects: tuple[StrengthEffect, ...] = ()
    """What memory strength does, measured with `engine.evaluate`. Empty = not measured."""
    text_length: int = 512
    """Wan's cross-attention has no mask: the length used in training must be used later."""
    width: int = 832
    height: int = 480
    rate: tuple[int, int] = (16, 1)
    default_frames: int = 81
    max_frames: int = 81
    num_steps: int = 30
    guidance: float = 5.0
    strength: float = 1.0
    """Memory guidance; above 1 leans towards memory."""
    guidance_floor: float = 0.3
    """Memory guidance acts while sigma is above this: identity is decided early."""
    token_timestep: float | None = 0.0
    memory: str = "none"
    """Memory system that a new project uses."""
    knows_names: bool = False
    """Trained to read past shots of other people beside the empty prompt (docs/decisions/0010)."""
    frame_multiple: int = 4
    """Shot lengths are 1 + frame_multiple * k, so that the memory aligns."""
    tokens_per_shot: int = 0
    """Memory tokens of a shot of default length."""


def load_card(folder: Path) -> Card:
    """Return the card of `folder`; a folder without `card.json` is a real Wan with its defaults.

    Raises:
        CheckpointError: there is no Wan folder, or its card cannot be read.
    """
    read_json(folder / "model_index.json")
    path = folder / "card.json"
    if not path.is_file():
        return Card()
    values = read_json(path)
    known = {k: v for k, v in values.items() if k in Card.__dataclass_fields__}
    for name in ("words", "rate"):
        if name in known:
            known[name] = tuple(known[name])
    try:
        known["vocabulary"] = tuple(_group(row) for row in known.get("vocabulary", ()))
        effects = known.get("strength_effects", ())
        known["strength_effects"] = tuple(StrengthEffect(**row) for row in effects)
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} has a vocabulary or strength_effects that cannot be read ({error}). Expected "
            "lists of {title, phrases} and of {strength, figure, value, unit}."
        ) from error
    return Card(**known)


def _group(row: dict[str, Any]) -> WordGroup:
    return WordGroup(title=row["title"], phrases=tuple(row["phrases"]))


def unloaded_info(card: Card) -> EngineInfo:
    """Return what can be said of a model before it is loaded: no device, no memory systems yet."""
    return EngineInfo(
        model=card.name,
        device="",
        dtype="",
        threads=0,
        width=card.width,
        height=card.height,
        rate=card.rate,
        default_frames=card.default_frames,
        max_frames=card.max_frames,
        frame_multiple=card.frame_multiple,
        num_steps=card.num_steps,
        guidance=card.guidance,
        strength=card.strength,
        tokens_per_shot=card.tokens_per_shot,
        seconds_per_shot=0.0,
        systems=(),
        words=card.words,
        memory_system=card.memory,
        vocabulary=card.vocabulary,
        strength_effects=card.strength_effects,
        knows_names=card.knows_names,
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a small JSON file.

    Raises:
        CheckpointError: missing, too large, or no JSON object; the message says what to do.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(
                f"{path} has {path.stat().st_size} bytes. Expected at most {MAX_JSON_BYTES}."
            )
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"There is no {path.name} in {path.parent}. Expected a complete Wan folder; restore "
            "it or name another with --model."
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Expected JSON.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no object. Expected a configuration.")
    return value
