"""A take as blobs: latents, video, film strip and memory entries, in the order that loses nothing.

Every blob is pinned before its file becomes visible, so that collection never meets it half-used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from engine.context import Memory, MemoryEntry, MemoryState
from engine.errors import MemoryStateError
from engine.memory.entries import from_bytes, to_bytes
from engine.protocol import BlobResult, EntryRef, EntryResult
from engine.recipes import Model
from engine.render import shot_latents
from engine.video import vae as video_vae
from storage.blobs import BlobStore

SAFETENSORS = "application/x-safetensors"


@dataclass
class BlobDesk:
    """Writes blobs of one job and keeps the list of what was written."""

    store: BlobStore
    pin: Callable[[str], None]
    """Called with a digest before its file becomes visible; returns when the pin is committed."""
    written: dict[str, BlobResult] = field(default_factory=dict)

    def put(self, data: bytes, media_type: str) -> str:
        """Store `data` durably and return its digest."""
        stored = self.store.put(data, pin=self.pin)
        self.written[stored.digest] = BlobResult(
            digest=stored.digest, size=stored.size, media_type=media_type
        )
        return stored.digest

    @property
    def blobs(self) -> tuple[BlobResult, ...]:
        """Every blob of the job, in the order written."""
        return tuple(self.written.values())


def latents_to_bytes(latents_BCTHW: torch.Tensor, num_frames: int) -> bytes:
    """Return clean latents as a bf16 safetensors file; `num_frames` counts real frames."""
    tensor = latents_BCTHW[0].to(torch.bfloat16).contiguous().cpu()
    return save({"latents": tensor}, metadata={"num_frames": str(num_frames)})


def latents_from_bytes(data: bytes, channels: int) -> torch.Tensor:
    """Return latents 1 C T H W in float32.

    Raises:
        MemoryStateError: not latents of this model.
    """
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise MemoryStateError(f"Latents that cannot be read: {error}.") from error
    latents = tensors.get("latents")
    if set(tensors) != {"latents"} or latents is None or latents.ndim != 4:
        raise MemoryStateError(f"A latents blob with {sorted(tensors)}. Expected one C T H W.")
    if latents.shape[0] != channels:
        raise MemoryStateError(
            f"Latents with {latents.shape[0]} channels. Expected {channels}: they were made by "
            "another model, so this shot must be generated again."
        )
    return latents[None].float()


def keep_entry(desk: BlobDesk, entry: MemoryEntry, scope: str) -> EntryResult:
    """Store a memory entry and return its row."""
    data = to_bytes(entry)
    return EntryResult(
        key=entry.key,
        system=entry.system,
        fingerprint=entry.fingerprint,
        scope="chain" if scope == "chain" else "take",
        latents_digest=entry.latents_digest,
        blob_digest=desk.put(data, SAFETENSORS),
        num_tokens=entry.num_tokens,
        num_bytes=len(data),
        previous_key=entry.previous_key,
    )


def load_state(
    model: Model, memory: Memory, refs: tuple[EntryRef, ...], desk: BlobDesk
) -> tuple[MemoryState, tuple[EntryResult, ...]]:
    """Return the memory state behind `refs`, and rows of the entries that were missing.

    An entry without a blob is remade from the take's latents: another model was loaded since, or
    another memory system is asked for.

    Raises:
        MemoryStateError: an entry and its latents are both gone; says what to do.
    """
    state: list[MemoryEntry] = []
    remade: list[EntryResult] = []
    for ref in refs:
        if ref.blob_digest and desk.store.exists(ref.blob_digest):
            entry = from_bytes(desk.store.read(ref.blob_digest), memory)
        else:
            entry = _remake(model, memory, ref, tuple(state), desk.store)
            remade.append(keep_entry(desk, entry, memory.info.scope))
        state.append(entry)
    return tuple(state), tuple(remade)


def entry_of_latents(
    model: Model, memory: Memory, state: MemoryState, digest: str, source: tuple[torch.Tensor, int]
) -> MemoryEntry:
    """Return what a take leaves in memory; `source` is its latents and its real frames."""
    latents, num_frames = source
    with model.device.autocast():
        frames = video_vae.decode(model.parts.vae, latents)
    shot = shot_latents(model, memory, latents, frames, digest=digest, num_frames=num_frames)
    return memory.remember(state, shot)


def _remake(
    model: Model, memory: Memory, ref: EntryRef, state: MemoryState, store: BlobStore
) -> MemoryEntry:
    if not store.exists(ref.latents_digest):
        raise MemoryStateError(
            f"Take {ref.take_id} has neither its memory entry nor its latents. Expected one of "
            "them: generate that shot again, or mute it."
        )
    latents = latents_from_bytes(store.read(ref.latents_digest), model.parts.vae.config.z_dim)
    num_frames = ref.num_frames or 1 + 4 * (latents.shape[2] - 1)
    return entry_of_latents(model, memory, state, ref.latents_digest, (latents, num_frames))
