"""A Wan folder, opened by our own loader: known classes, known keys, safetensors only, offline.

`from_pretrained` is never called on a folder: a configuration file alone has been enough to run
code. Here a class comes from `CLASSES`, a configuration keeps only the arguments that the class
declares, and weights are safetensors that must match the class key by key.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
    WanTransformer3DModel,
)
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from engine.card import Card, load_card, read_json
from engine.context import weights_digest
from engine.errors import CheckpointError

MODELS = {"AutoencoderKLWan": AutoencoderKLWan, "WanTransformer3DModel": WanTransformer3DModel}
SCHEDULERS = {
    "FlowMatchEulerDiscreteScheduler": FlowMatchEulerDiscreteScheduler,
    "UniPCMultistepScheduler": UniPCMultistepScheduler,
}


@dataclass(frozen=True, kw_only=True)
class WanParts:
    """The loaded parts of a Wan folder."""

    folder: Path
    tokenizer: Any
    text_encoder: Any
    transformer: Any
    vae: Any
    scheduler: Any
    card: Card
    digest: str
    """SHA-256 over all weights that latents and tokens depend on: VAE and patch embedding."""


def load_checkpoint(folder: Path, *, device: str = "cpu") -> WanParts:
    """Return the parts of the Wan folder at `folder`, on `device`, in eval mode, fp32 masters.

    Raises:
        CheckpointError: missing, not a Wan folder, pickled, or with keys that do not fit.
    """
    if not folder.is_dir():
        raise CheckpointError(
            f"There is no model folder at {folder}. Expected a Wan folder with model_index.json; "
            "name one with --model or MNEMOREEL_MODEL, or restore assets/checkpoints/embedded."
        )
    index = read_json(folder / "model_index.json")
    if index.get("_class_name") != "WanPipeline":
        raise CheckpointError(
            f"{folder} holds a {index.get('_class_name')!r}. Expected a WanPipeline folder."
        )
    vae = _load_model(folder / "vae", "AutoencoderKLWan", device)
    transformer = _load_model(folder / "transformer", "WanTransformer3DModel", device)
    return WanParts(
        folder=folder,
        tokenizer=_load_tokenizer(folder / "tokenizer"),
        text_encoder=_load_text_encoder(folder / "text_encoder", device),
        transformer=transformer,
        vae=vae,
        scheduler=load_scheduler(folder / "scheduler"),
        card=load_card(folder),
        digest=weights_digest(
            {
                **{f"vae.{k}": v for k, v in vae.state_dict().items()},
                **{f"patch.{k}": v for k, v in transformer.patch_embedding.state_dict().items()},
            }
        ),
    )


def load_vae(folder: Path, *, device: str = "cpu") -> Any:
    """Return the VAE in `folder` alone, frozen, in float32.

    Raises:
        CheckpointError: as for `load_checkpoint`.
    """
    return _load_model(folder, "AutoencoderKLWan", device)


def load_scheduler(folder: Path) -> Any:
    """Return the scheduler described in `folder`."""
    config = read_json(folder / "scheduler_config.json")
    cls = SCHEDULERS.get(str(config.get("_class_name")))
    if cls is None:
        raise CheckpointError(
            f"{folder} wants the scheduler {config.get('_class_name')!r}. Expected one of "
            f"{sorted(SCHEDULERS)}."
        )
    return cls(**_allowed(cls, config))


def load_weights(folder: Path, stem: str) -> dict[str, torch.Tensor]:
    """Return the tensors of a component: one safetensors file, or the shards of an index.

    Raises:
        CheckpointError: no safetensors, or pickled weights only.
    """
    single = folder / f"{stem}.safetensors"
    index = folder / f"{stem}.safetensors.index.json"
    if single.is_file():
        return _load_safetensors(single)
    if index.is_file():
        shards = sorted(set(read_json(index).get("weight_map", {}).values()))
        tensors: dict[str, torch.Tensor] = {}
        for shard in shards:
            if Path(shard).name != shard:
                raise CheckpointError(f"{index} names the shard {shard!r}. Expected a file name.")
            tensors.update(_load_safetensors(folder / shard))
        return tensors
    pickled = sorted(p.name for p in folder.glob("*") if p.suffix in {".bin", ".pt", ".pth"})
    if pickled:
        raise CheckpointError(
            f"{folder} holds pickled weights ({', '.join(pickled)}), which can run code. "
            "Expected safetensors: convert them on a machine you trust."
        )
    raise CheckpointError(f"There are no weights at {single}. Expected a complete Wan folder.")


def _load_model(folder: Path, expected: str, device: str) -> Any:
    config = read_json(folder / "config.json")
    if config.get("_class_name") != expected:
        raise CheckpointError(
            f"{folder} holds a {config.get('_class_name')!r}. Expected {expected}."
        )
    cls = MODELS[expected]
    model = cls(**_allowed(cls, config))
    _fill(model, load_weights(folder, "diffusion_pytorch_model"), folder)
    return model.to(device).eval().requires_grad_(requires_grad=False)


def _load_text_encoder(folder: Path, device: str) -> Any:
    config = read_json(folder / "config.json")
    known = inspect.signature(UMT5Config.__init__).parameters
    fields = getattr(UMT5Config, "__dataclass_fields__", {})
    allowed = {k: v for k, v in config.items() if k in known or k in fields}
    model = UMT5EncoderModel(UMT5Config(**{k: v for k, v in allowed.items() if k[0] != "_"}))
    tensors = load_weights(folder, "model")
    for name in ("shared.weight", "encoder.embed_tokens.weight"):  # the two are one tensor
        if name not in tensors:
            other = {"shared.weight", "encoder.embed_tokens.weight"} - {name}
            tensors.setdefault(name, tensors.get(other.pop(), torch.empty(0)))
    _fill(model, tensors, folder)
    return model.to(device).eval().requires_grad_(requires_grad=False)


def _load_tokenizer(folder: Path) -> Any:
    path = folder / "tokenizer.json"
    read_json(path)
    return PreTrainedTokenizerFast(
        tokenizer_file=str(path), pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def _fill(model: Any, tensors: Mapping[str, torch.Tensor], folder: Path) -> None:
    expected = model.state_dict()
    missing = sorted(set(expected) - set(tensors))
    unexpected = sorted(set(tensors) - set(expected))
    if missing or unexpected:
        raise CheckpointError(
            f"The weights in {folder} lack {len(missing)} of {len(expected)} tensors "
            f"({', '.join(missing[:3])}) and have {len(unexpected)} unknown ones "
            f"({', '.join(unexpected[:3])}). Expected exactly those of the class."
        )
    for name, value in expected.items():
        if value.shape != tensors[name].shape:
            raise CheckpointError(
                f"{name} in {folder} is {tuple(tensors[name].shape)}. Expected "
                f"{tuple(value.shape)} from config.json."
            )
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}). Expected safetensors; fetch the file again."
        ) from error


def _allowed(cls: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    known = set(inspect.signature(cls.__init__).parameters) - {"self"}
    return {key: value for key, value in config.items() if key in known}
