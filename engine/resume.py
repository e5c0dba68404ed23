"""Where a shot stands, as a blob and a few numbers: another process goes on from there.

What is saved says what it fits. A shot whose memory, prompt or model changed meanwhile begins anew:
half of one shot and half of another is neither.
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import asdict, replace
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from engine.context import digest_of
from engine.errors import MemoryStateError
from engine.recipes import Model
from engine.render import Halfway
from engine.sampling.sampler import SOLVER_FIELDS, SamplerState
from engine.specs import Checkpoint, GenerateSpec
from engine.takes import BlobDesk, latents_from_bytes
from storage.blobs import BlobStore
from storage.errors import StorageError

LATENTS = "latents"
LOGGER = logging.getLogger("engine.resume")


def fits(model: Model, spec: GenerateSpec) -> str:
    """Return a digest of everything that the sampling of a shot depends on."""
    entries = tuple(replace(entry, blob_digest="") for entry in spec.entries)
    asked = asdict(replace(spec, resume=None, entries=entries))
    memory = model.memories.get(spec.memory_system)
    fingerprint = "" if memory is None else memory.info.fingerprint
    return digest_of(asked, model.parts.digest, str(model.device.dtype), fingerprint)


def save_halfway(desk: BlobDesk, fits: str, halfway: Halfway) -> Checkpoint:
    """Store where a shot stands, durably, and return what leads back to it."""
    state = halfway.sampler
    tensors = {LATENTS: _own(state.latents_BCTHW)}
    numbers = {name: _numbers(name, value, tensors) for name, value in state.solver.items()}
    # Its file goes with its job: an equal shot beside it must have a file of its own.
    mark = {"mark": secrets.token_hex(16)}
    return Checkpoint(
        digest=desk.put_aside(save(tensors, metadata=mark)),
        fits=fits,
        step=state.step,
        num_steps=halfway.num_steps,
        mass=halfway.mass,
        solver=json.dumps(numbers),
    )


def clean_checkpoint(digest: str, fits: str, halfway: Halfway) -> Checkpoint:
    """Return what leads back to latents that are kept already: only decoding is left."""
    return Checkpoint(
        digest=digest,
        fits=fits,
        step=halfway.sampler.step,
        num_steps=halfway.num_steps,
        mass=halfway.mass,
        is_clean=True,
    )


def load_halfway(store: BlobStore, model: Model, spec: GenerateSpec) -> Halfway | None:
    """Return where an earlier run of `spec` stood, or None where there is nothing to go on from."""
    saved = spec.resume
    if saved is None:
        return None
    if saved.fits != fits(model, spec):
        LOGGER.warning("What the shot is made from has changed: it begins anew.")
        return None
    try:
        data = store.read(saved.digest)
        sampler = _clean(data, model, saved) if saved.is_clean else _sampler(data, saved)
    except (StorageError, MemoryStateError, SafetensorError, ValueError, KeyError) as error:
        # Only time is lost, and the editor did not ask for this file: the shot begins anew.
        LOGGER.warning("Step %d of the shot cannot be read: %s", saved.step, error)
        return None
    return Halfway(
        sampler=sampler, num_steps=saved.num_steps, mass=saved.mass, is_clean=saved.is_clean
    )


def _clean(data: bytes, model: Model, saved: Checkpoint) -> SamplerState:
    latents = latents_from_bytes(data, model.parts.vae.config.z_dim).to(model.device.name)
    return SamplerState(step=saved.step, latents_BCTHW=latents)


def _sampler(data: bytes, saved: Checkpoint) -> SamplerState:
    tensors = load(data)
    numbers = json.loads(saved.solver)
    if not set(numbers) <= set(SOLVER_FIELDS):
        raise ValueError(f"Fields {sorted(numbers)}. Expected some of {SOLVER_FIELDS}.")
    solver = {name: _value(name, value, tensors) for name, value in numbers.items()}
    return SamplerState(step=saved.step, latents_BCTHW=tensors[LATENTS], solver=solver)


def _numbers(name: str, value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """Return `value` as JSON; tensors go to `tensors` and leave their name behind."""
    if isinstance(value, list):
        return [_numbers(f"{name}.{index}", item, tensors) for index, item in enumerate(value)]
    if isinstance(value, torch.Tensor):
        tensors[name] = _own(value)
        return {"tensor": name}
    return value


def _value(name: str, value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, list):
        return [_value(name, item, tensors) for item in value]
    return tensors[value["tensor"]] if isinstance(value, dict) else value


def _own(tensor: torch.Tensor) -> torch.Tensor:
    # A copy: a file of tensors that share their memory is refused.
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
