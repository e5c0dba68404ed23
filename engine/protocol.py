"""The messages between server and engine: plain dataclasses that travel as JSON.

The pipe carries JSON bytes only, never pickle; tensors and media travel as digests of blobs. A
message is one JSON object with a `kind`; engine/wire.py writes and reads them. Nothing here imports
torch, so the server may import it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

MAX_MESSAGE_BYTES = 1 << 20
"""Largest message in bytes, in both directions."""
MAX_PREVIEW_BYTES = 64 * 1024
"""Largest JPEG preview in bytes, before base64."""
Phase = Literal[
    "loading", "reading_memory", "denoising", "decoding", "remembering", "saving", "encoding"
]
RecallMode = Literal["mean", "sample"]
"""`mean`: one step from pure noise, the honest picture of what memory knows. `sample`: 8 steps."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How every take and export is encoded, so that takes can be joined without re-encoding."""

    codec: str = "libx264"
    crf: int = 16
    preset: str = "veryfast"
    pixel_format: str = "yuv420p"
    colour: int = 1
    """Number of BT.709 in primaries, transfer and matrix. The range is limited (tv)."""
    keyframe_interval: int = 6
    """Frames between key frames: short, so that a player steps exactly."""


PINNED = Encoding()
"""The encoding of every take. A change makes older takes re-encode on export, never wrong."""


@dataclass(frozen=True, kw_only=True)
class EntryRef:
    """One remembered take in the memory of a cut, oldest first in a list."""

    take_id: str
    latents_digest: str
    key: str = ""
    """Key of the entry under the system that is asked for. Empty = the engine computes it."""
    blob_digest: str = ""
    """Digest of the entry's safetensors blob. Empty = no entry yet: remade from the latents."""
    num_frames: int = 0
    """Pixel frames of the take. The latents may cover more (repeated last frame)."""


@dataclass(frozen=True, kw_only=True)
class EntryResult:
    """A memory entry that a job left in the blob store."""

    key: str
    system: str
    fingerprint: str
    scope: Literal["take", "chain"]
    latents_digest: str
    blob_digest: str
    num_tokens: int
    num_bytes: int
    previous_key: str = ""


@dataclass(frozen=True, kw_only=True)
class BlobResult:
    """A blob that a job wrote, for the row that must follow."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """How much a shot read from one past take, for "what fed this shot"."""

    take_id: str
    weight: float
    """Share of the memory tokens that were read, in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class TakeResult:
    """One take as blobs: what generating a shot, or encoding a piece of footage, leaves behind."""

    media_digest: str
    """mp4 with the pinned encoding, `num_frames` frames."""
    latents_digest: str
    strip_digest: str
    """JPEG film strip: up to 24 tiles in one row."""
    strip_tiles: int
    num_frames: int
    width: int
    height: int
    rate: tuple[int, int]
    entries: tuple[EntryResult, ...]
    blobs: tuple[BlobResult, ...]
    sources: tuple[Source, ...] = ()
    memory_tokens: int = 0
    """Context tokens the shot was conditioned on."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall seconds by phase, plus `step` (median of one denoising step) and `first_preview`."""


@dataclass(frozen=True, kw_only=True)
class GenerateSpec:
    """Everything one generated take is made from."""

    prompt: str
    num_frames: int
    """1 + 4k."""
    width: int
    height: int
    rate: tuple[int, int]
    seed: int
    num_steps: int
    guidance: float
    """Text guidance scale. 1 = off."""
    memory_system: str
    """Registered memory system; `none` = no memory."""
    strength: float
    """Memory guidance scale: 0 = empty memory, 1 = as it is, above 1 = guided towards memory."""
    entries: tuple[EntryRef, ...] = ()
    kind: Literal["generate"] = "generate"


@dataclass(frozen=True, kw_only=True)
class EncodeSpec:
    """Footage in normal form that becomes takes: latents, pinned video, strip and entries."""

    media_digest: str
    """Normal-form video: project rate and size, upright, square pixels."""
    lengths: tuple[int, ...]
    """Frames of each piece, in order; their sum is the length of the footage."""
    width: int
    height: int
    rate: tuple[int, int]
    memory_system: str
    kind: Literal["encode"] = "encode"


@dataclass(frozen=True, kw_only=True)
class RecallSpec:
    """One past frame to be decoded out of memory."""

    memory_system: str
    entries: tuple[EntryRef, ...]
    """The memory state; `entries[entry_index]` covers the frame."""
    entry_index: int
    frame: int
    """Frame within the take, from 0."""
    width: int
    height: int
    mode: RecallMode = "mean"
    seed: int = 0
    media_digest: str = ""
    """The take's own video, for the real frame beside it. Empty = no comparison."""
    kind: Literal["recall"] = "recall"


@dataclass(frozen=True, kw_only=True)
class RecallResult:
    """A recalled frame, with the real one beside it where there is one."""

    source: Literal["memory", "probe", "archive", "none"]
    recalled_digest: str
    """PNG. Empty when `source` is `none`."""
    real_digest: str
    """PNG. Empty when there is no real frame."""
    psnr: float | None
    """dB over RGB 8 bit, recalled against real."""
    ssim: float | None
    num_tokens: int
    """Memory tokens the picture was computed from."""
    blobs: tuple[BlobResult, ...]
    entries: tuple[EntryResult, ...] = ()
    """Entries that had to be remade."""
    note: str = ""
    """Why there is no picture, in an editor's words."""


Spec = GenerateSpec | EncodeSpec | RecallSpec


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a finished job hands over: `takes` of generate and encode, `recall` of recall."""

    takes: tuple[TakeResult, ...] = ()
    recall: RecallResult | None = None


@dataclass(frozen=True, kw_only=True)
class MemorySystemInfo:
    """A registered memory system with its loaded weights."""

    name: str
    fingerprint: str
    scope: Literal["take", "chain"]
    can_recall: bool
    title: str
    """What an editor reads."""


@dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """What the loaded model can do: everything the studio shows and plans with."""

    model: str
    device: str
    dtype: str
    threads: int
    width: int
    height: int
    rate: tuple[int, int]
    default_frames: int
    max_frames: int
    frame_multiple: int
    """Lengths are 1 + frame_multiple * k."""
    num_steps: int
    guidance: float
    strength: float
    tokens_per_shot: int
    """Memory tokens of one shot of default length, default system."""
    seconds_per_shot: float
    """Measured when the model was loaded on this machine, default length; 0 = not measured."""
    systems: tuple[MemorySystemInfo, ...]
    words: tuple[str, ...]
    """Words the text encoder was trained on. Empty = open vocabulary."""
    engine_version: str = "1"


@dataclass(frozen=True, kw_only=True)
class Run:
    """Run one job."""

    job_id: str
    spec: Spec
    kind: Literal["run"] = "run"


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop the job between two steps."""

    job_id: str
    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """The blob row pin asked for by `Pin` is committed: the file may become visible."""

    digest: str
    kind: Literal["pinned"] = "pinned"


@dataclass(frozen=True, kw_only=True)
class Shutdown:
    """End the process after the current message."""

    kind: Literal["shutdown"] = "shutdown"


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The model is loaded."""

    info: EngineInfo
    kind: Literal["ready"] = "ready"


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """The process is alive; `step` counts denoising steps since it started."""

    step: int
    kind: Literal["heartbeat"] = "heartbeat"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is: `step` of `num_steps` in `phase`; `done` is the share of the whole."""

    job_id: str
    phase: Phase
    step: int
    num_steps: int
    done: float
    eta_seconds: float | None = None
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A small JPEG of what the shot looks like so far."""

    job_id: str
    jpeg_base64: str
    step: int
    kind: Literal["preview"] = "preview"


@dataclass(frozen=True, kw_only=True)
class Pin:
    """The engine is about to make this blob visible and waits for `Pinned`."""

    job_id: str
    digest: str
    kind: Literal["pin"] = "pin"


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The job is done; its blobs are durable."""

    job_id: str
    result: JobResult
    kind: Literal["finished"] = "finished"


@dataclass(frozen=True, kw_only=True)
class CancelledMessage:
    """The job was stopped as asked."""

    job_id: str
    kind: Literal["cancelled"] = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The job could not be done, or (with an empty job id) the model could not be loaded."""

    job_id: str
    error: str
    """Class name of the error."""
    message: str
    """What happened, what was expected, what to do: shown to the editor as it is."""
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, kw_only=True)
class Crashed:
    """Made by the client, never sent: the engine process ended while the job ran."""

    job_id: str
    message: str
    exit_code: int | None
    kind: Literal["crashed"] = "crashed"


ToEngine = Run | Cancel | Pinned | Shutdown
FromEngine = (
    Ready | Heartbeat | Progress | Preview | Pin | Finished | CancelledMessage | Failed | Crashed
)


class Executor(Protocol):
    """Whoever runs jobs: the spawned child by default, a cluster actor by configuration."""

    @property
    def info(self) -> EngineInfo | None:
        """What the loaded model can do; None until it is loaded."""

    def start(self) -> None:
        """Start the engine if it is not running and wait until it is ready.

        Raises:
            EngineDied: the process ended before it was ready; the message says why.
            CheckpointError: the model cannot be loaded; the message says what to do.
        """

    def submit(self, job_id: str, spec: Spec) -> Iterator[FromEngine]:
        """Yield the job's messages in order; the last is Finished, Cancelled, Failed or Crashed.

        `Pin` messages are answered by the consumer with `pinned` before it asks for the next one.
        """

    def pinned(self, digest: str) -> None:
        """Tell the engine that the pin of `digest` is committed."""

    def cancel(self, job_id: str) -> None:
        """Ask for a stop between two steps. Any thread."""

    def kill(self) -> None:
        """End the engine at once. Any thread."""

    def close(self) -> None:
        """End the engine in order."""
