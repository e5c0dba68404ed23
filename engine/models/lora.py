"""LoRA on a stock transformer, through peft: all attention and ffn linears of every block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from engine.errors import CheckpointError

TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2"]
FILE_NAME = "pytorch_lora_weights.safetensors"
"""The name diffusers looks for."""


def add_lora(transformer: Any, rank: int) -> None:
    """Add a trainable LoRA named `default`; the base weights stop being trainable.

    Raises:
        ValueError: a rank below 1.
    """
    if rank < 1:
        raise ValueError(f"A LoRA of rank {rank}. Expected at least 1.")
    # `add_adapter` on the model, not a PEFT wrapper: the hooks of the memory port stay in place.
    transformer.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=TARGETS))


def save_lora(transformer: Any, folder: Path) -> Path:
    """Write the LoRA in diffusers' format and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = get_peft_model_state_dict(transformer, adapter_name="default")
    path = folder / FILE_NAME
    part = path.with_suffix(".partial")
    save_file({f"transformer.{k}": v.contiguous() for k, v in tensors.items()}, part)
    part.replace(path)
    return path


def load_lora(transformer: Any, path: Path, *, name: str = "default") -> tuple[int, int]:
    """Load a LoRA file and return (matched, keys in the file).

    Raises:
        CheckpointError: not a single key fits this transformer.
    """
    keys = list(load_file(path))
    try:
        transformer.load_lora_adapter(
            str(path.parent), weight_name=path.name, adapter_name=name, prefix="transformer"
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise CheckpointError(f"The LoRA {path} does not fit this model: {error}.") from error
    matched = sum(f".{name}." in key for key, _ in transformer.named_parameters())
    if matched == 0:
        raise CheckpointError(
            f"0 of {len(keys)} keys of the LoRA {path} match this model. Expected one made for it."
        )
    return min(matched, len(keys)), len(keys)
