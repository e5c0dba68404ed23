"""The messages between server and engine: plain dataclasses that travel as JSON.

The pipe carries JSON bytes only, never pickle; tensors and media travel as digests of blobs. A
message is one JSON object with a `kind`; engine/wire.py writes and reads them. Nothing here imports
torch, so the server may import it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from engine.specs import Checkpoint, JobResult, Spec

MAX_MESSAGE_BYTES = 1 << 20
"""Largest message in bytes, in both directions."""
MAX_PREVIEW_BYTES = 64 * 1024
"""Largest JPEG preview in bytes, before base64."""
Phase = Literal[
    "loading",
    "reading_memory",
    "denoising",
    "decoding",
    "remembering",
    "saving",
    "encoding",
    "measuring",
]


@dataclass(frozen=True, kw_only=True)
class MemorySystemInfo:
    """A registered memory system with its loaded weights."""

    name: str
    fingerprint: str
    scope: Literal["take", "chain"]
    can_recall: bool
    title: str
    """What an editor reads."""
    token_pixels: int = 0
    """Rows and columns of pixels that one token covers. 0 = it is not read as tokens."""
    token_frames: int = 1
    """Frames that a token covers in time, after the first frame, which has its own."""
    most_steps: int = 0
    """Token steps in time that are read in all, the newest ones. 0 = every one."""


@dataclass(frozen=True, kw_only=True)
class WordGroup:
    """Words and phrases of a closed vocabulary that belong together, as an editor browses them."""

    title: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StrengthEffect:
    """What a memory strength did to one figure when the model was measured."""

    strength: float
    figure: str
    """In an editor's words, such as "looks kept"."""
    value: float
    unit: str = ""
    """Written after the value, such as "%" or "dB"."""


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
    vocabulary: tuple[WordGroup, ...] = ()
    """The same words by theme. Empty = the model says nothing about them."""
    strength_effects: tuple[StrengthEffect, ...] = ()
    knows_names: bool = False
    """Past shots whose prompts name other people are read otherwise (docs/decisions/0010)."""
    """Measured on this model. Empty = not measured."""
    engine_version: str = "1"
    memory_system: str = "none"
    """Memory system that new shots use."""
    weights: str = ""
    """Fingerprint of every file that takes are made with. Empty = not known: not loaded yet."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Run one job."""

    job_id: str
    spec: Spec
    kind: Literal["run"] = "run"


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop the job before its next piece of work: a block, a layer of the VAE, a frame."""

    job_id: str
    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True, kw_only=True)
class StopEarly:
    """End the denoising after the current step; what there is by then becomes the take."""

    job_id: str
    kind: Literal["stop_early"] = "stop_early"


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Save where the job stands after the current step, and end it there."""

    job_id: str
    kind: Literal["pause"] = "pause"


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
    rss_mib: int = 0
    """Resident memory. 0 = this system does not tell."""
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
class Saved:
    """The job can go on from here in another process; the blob is durable and pinned."""

    job_id: str
    checkpoint: Checkpoint
    kind: Literal["saved"] = "saved"


@dataclass(frozen=True, kw_only=True)
class PausedMessage:
    """The job was paused as asked; where it stands was told by `Saved` before."""

    job_id: str
    kind: Literal["paused"] = "paused"


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
    last_events: tuple[str, ...] = ()
    """What it said last, without contents."""
    rss_mib: int = 0
    """Memory that it held when it last told. 0 = not known."""
    kind: Literal["crashed"] = "crashed"


ToEngine = Run | Cancel | StopEarly | Pause | Pinned | Shutdown
FromEngine = (
    Ready
    | Heartbeat
    | Progress
    | Preview
    | Pin
    | Saved
    | PausedMessage
    | Finished
    | CancelledMessage
    | Failed
    | Crashed
)
LAST = (Finished, CancelledMessage, PausedMessage, Failed, Crashed)
"""What ends a job."""


class Executor(Protocol):
    """Whoever runs jobs: the spawned child by default, a cluster actor by configuration."""

    @property
    def info(self) -> EngineInfo | None:
        """What the loaded model can do; None until it is loaded."""

    @property
    def worn(self) -> str:
        """Why `start` will replace the engine by a fresh one, in words; empty = it will not."""

    def start(self) -> None:
        """Start the engine if it is not running, or is worn, and wait until it is ready.

        Raises:
            EngineDied: the process ended before it was ready; the message says why.
            CheckpointError: the model cannot be loaded; the message says what to do.
        """

    def submit(self, job_id: str, spec: Spec) -> Iterator[FromEngine]:
        """Yield the job's messages in order; the last is one of `LAST`.

        `Pin` messages are answered by the consumer with `pinned` before it asks for the next one.
        """

    def pinned(self, digest: str) -> None:
        """Tell the engine that the pin of `digest` is committed."""

    def cancel(self, job_id: str) -> None:
        """Ask for a stop before the next block of the model. Any thread."""

    def pause(self, job_id: str) -> None:
        """Ask for a stop after this step that another run can go on from. Any thread."""

    def forget(self, job_id: str) -> None:
        """Forget what was asked of an earlier run of this job: a cancel that came too late."""

    def rest(self) -> None:
        """End the engine between two jobs and give its memory back; `start` loads it again."""

    def stop_early(self, job_id: str) -> None:
        """Ask for an end after this step that keeps what there is by then. Any thread."""

    def kill(self) -> None:
        """End the engine at once. Any thread."""

    def close(self) -> None:
        """End the engine in order."""
