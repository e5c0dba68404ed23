"""A take as blobs: latents, video, film strip and memory entries, in the order that loses nothing.

Every blob is pinned before its file becomes visible, so that collection never meets it half-used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from engine.context import Memory, MemoryEntry, MemoryState, Rule, Rules
from engine.errors import MediaError, MemoryStateError
from engine.latent_time import FRAMES_PER_LATENT, latent_of_frame, num_latents
from engine.memory.entries import from_bytes, to_bytes
from engine.recipes import Model
from engine.render import shot_latents
from engine.sampling.known import Known
from engine.specs import (
    BaseTake,
    BlobResult,
    EntryRef,
    EntryResult,
    GenerateSpec,
    PinnedFrame,
)
from engine.video import vae as video_vae
from engine.video.picture import read_image
from storage.blobs import BlobStore

SAFETENSORS = "application/x-safetensors"
STILL_FRAMES = 1 + 2 * FRAMES_PER_LATENT
"""How long a still is shown to the VAE for the latent of its last 4 frames."""


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

    def put_aside(self, data: bytes) -> str:
        """Store what is no part of the result, durably and pinned, and return its digest."""
        return self.store.put(data, pin=self.pin).digest

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


def rules_of(refs: tuple[EntryRef, ...]) -> Rules:
    """Return how the entries behind `refs` are to be read."""
    return {
        index: Rule(hidden=ref.hidden, is_pinned=ref.is_pinned, prompt_share=ref.prompt_share)
        for index, ref in enumerate(refs)
        if ref.hidden or ref.is_pinned or ref.prompt_share < 1
    }


def entry_of_latents(
    model: Model, memory: Memory, state: MemoryState, digest: str, source: tuple[torch.Tensor, int]
) -> MemoryEntry:
    """Return what a take leaves in memory; `source` is its latents and its real frames."""
    latents, num_frames = source
    with model.device.autocast():
        frames = video_vae.decode(model.parts.vae, latents)
    shot = shot_latents(model, memory, latents, frames, digest=digest, num_frames=num_frames)
    return memory.remember(state, shot)


def known_of(model: Model, spec: GenerateSpec, store: BlobStore) -> Known | None:
    """Return what is known of the take that `spec` asks for; None = nothing.

    Raises:
        MediaError: a pinned frame that is gone or does not fit.
        MemoryStateError: the base take's latents are gone or do not fit.
    """
    if spec.base is None and spec.start is None and spec.end is None:
        return None
    time = num_latents(spec.num_frames)
    shape = (1, model.parts.vae.config.z_dim, time, spec.height // 8, spec.width // 8)
    latents, held_T = torch.zeros(shape), torch.zeros(time, dtype=torch.bool)
    strength = 1.0
    if spec.base is not None:
        latents = _base_latents(store, spec.base, shape)
        held_T[:] = True
        held_T[slice(*spec.base.redo)] = False
        strength = spec.base.strength
    for pin, place in ((spec.start, 0), (spec.end, time - 1)):
        if pin is not None:
            latents[:, :, place] = _pinned_latent(model, pin, spec, store, is_first=place == 0)
            held_T[place] = True
    return Known(latents_BCTHW=latents, held_T=held_T, strength=strength)


def _base_latents(store: BlobStore, base: BaseTake, shape: tuple[int, ...]) -> torch.Tensor:
    if not store.exists(base.latents_digest):
        raise MemoryStateError(
            f"The latents {base.latents_digest[:12]} of the take to start from are not in the "
            "library. Expected them beside its video: start from another take."
        )
    latents = latents_from_bytes(store.read(base.latents_digest), shape[1])
    if latents.shape != shape:
        raise MemoryStateError(
            f"The take to start from has latents {tuple(latents.shape)}. Expected {shape}: choose "
            "one of the shot's own size and length."
        )
    first, stop = base.redo
    if not 0 <= first < stop <= shape[2]:
        raise MemoryStateError(
            f"Latent frames {first} to {stop} are to be made anew. Expected some of {shape[2]}."
        )
    return latents


def _pinned_latent(
    model: Model, pin: PinnedFrame, spec: GenerateSpec, store: BlobStore, *, is_first: bool
) -> torch.Tensor:
    """Return the latent 1 C H W of a still: as a take's first frame, or as its last 4."""
    frame = _pinned_frame(model, pin, store)
    if frame.shape[1:3] != (spec.height, spec.width):
        raise MediaError(
            f"A pinned frame of {frame.shape[2]} x {frame.shape[1]} pixels. Expected "
            f"{spec.width} x {spec.height}: pin one of this film."
        )
    # A latent after the first stands for 4 frames and follows others: the still is shown that long.
    clip = frame if is_first else frame.expand(STILL_FRAMES, -1, -1, -1)
    with model.device.autocast():
        return video_vae.encode(model.parts.vae, clip)[:, :, -1].cpu()


def _pinned_frame(model: Model, pin: PinnedFrame, store: BlobStore) -> torch.Tensor:
    if not store.exists(pin.digest):
        raise MediaError(
            f"The pinned frame {pin.digest[:12]} is not in the library. Pin another frame."
        )
    data = store.read(pin.digest)
    if pin.source == "still":
        return torch.from_numpy(read_image(data))[None]
    latents = latents_from_bytes(data, model.parts.vae.config.z_dim)
    last, _ = latent_of_frame(pin.frame)
    if last >= latents.shape[2]:
        raise MediaError(f"The pinned take has no frame {pin.frame}. Pin one that it shows.")
    # Out of the latents, not the video: the VAE decodes a prefix to the very same frames.
    latents = latents[:, :, : last + 1].to(model.device.name)
    with model.device.autocast():
        return video_vae.decode(model.parts.vae, latents)[pin.frame : pin.frame + 1]


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
