"""What jobs are asked for and what they leave behind: plain dataclasses, JSON on the pipe.

Part of the messages of engine/protocol.py. Tensors and media are digests of blobs; nothing here
imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

RecallMode = Literal["mean", "sample"]
"""`mean`: one step from pure noise, the honest picture of what memory knows. `sample`: 8 steps."""


LATER_SHARE = 0.5
"""How far a later shot of somebody reads the prompt of a shot that names them: the first shot that
showed them has the say, and what it hides is asked here (docs/decisions/0015)."""


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
    hidden: tuple[tuple[int, int], ...] = ()
    """Frames of the take that are not read: first, and the one after the last."""
    is_pinned: bool = False
    """Read even where a system of bounded length would have dropped it."""
    prompt_share: float = 1.0
    """How far it reads the shot's prompt: `LATER_SHARE` where an earlier entry has the say about
    the people in it, 0 where its prompt names nobody of the shot's."""


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
    """Share of the attention on memory tokens, measured while sampling; all sum to 1."""


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
    stopped_at: int = 0
    """Denoising step after which the editor ended it to keep what there was. 0 = ran to its end."""


@dataclass(frozen=True, kw_only=True)
class PinnedFrame:
    """A picture that a take starts from, or lands on: a frame of a take, or a still."""

    digest: str
    """The take's latents, or an image of the take's size."""
    source: Literal["take", "still"]
    frame: int = 0
    """Frame of the take, from 0. 0 for a still."""


@dataclass(frozen=True, kw_only=True)
class BaseTake:
    """An earlier take that a new one is made from."""

    latents_digest: str
    redo: tuple[int, int]
    """First latent frame that is made anew, and the one after the last; all others are held."""
    strength: float = 1.0
    """Noise level, in the model's own time, that the redone frames begin at. 0 = as they are,
    1 = from nothing."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where a shot stood when its job was last saved: another run goes on from there."""

    digest: str
    """Blob of the latents and the scheduler's tensors; once it is clean, the take's latents."""
    fits: str
    """Digest of everything the shot is made from. With anything else it begins anew."""
    step: int
    """Denoising steps that were taken."""
    num_steps: int
    mass: tuple[float, ...] = ()
    """Attention added up so far, for each past take."""
    is_clean: bool = False
    """Everything is sampled: what is left is to decode, to remember and to store."""
    solver: str = "{}"
    """The scheduler's numbers as JSON."""


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
    base: BaseTake | None = None
    """None = a take from noise alone."""
    start: PinnedFrame | None = None
    """Held as the first frame."""
    end: PinnedFrame | None = None
    """Held as the last latent frame, which is the last 4 frames."""
    resume: Checkpoint | None = None
    """Where an earlier run of this job stood. None = from the beginning."""
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


LINT_VERSION = "1"
"""Changes with everything that a score of the lint depends on, so that shots are measured anew."""


@dataclass(frozen=True, kw_only=True)
class LintTake:
    """A take as the continuity lint reads it."""

    take_id: str
    media_digest: str
    latents_digest: str = ""
    """Empty = none: only colours and brightness are measured."""


@dataclass(frozen=True, kw_only=True)
class LintSpec:
    """A take to be compared with earlier ones of the same subject."""

    take: LintTake
    past: tuple[LintTake, ...]
    kind: Literal["lint"] = "lint"


@dataclass(frozen=True, kw_only=True)
class LintNote:
    """Something that is above its threshold."""

    about: str
    """colours, features or brightness."""
    score: float
    threshold: float
    frame: int
    """Frame of the take from which it is so."""
    past_take_id: str
    """The earlier take that is nearest. Empty = the take is compared with itself."""
    before: str = ""
    after: str = ""
    """What a colour was called, and what is there instead; or how the brightness changes."""


@dataclass(frozen=True, kw_only=True)
class LintResult:
    """What the lint has to say about a take; nothing = everything is below its threshold."""

    notes: tuple[LintNote, ...]


@dataclass(frozen=True, kw_only=True)
class MeasureSpec:
    """How well memory holds a take, its entry alone: some frames are recalled and compared."""

    memory_system: str
    entry: EntryRef
    frames: tuple[int, ...]
    """Frames of the take, from 0."""
    width: int
    height: int
    media_digest: str
    kind: Literal["measure"] = "measure"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A frame of a take, recalled and compared with the real one."""

    frame: int
    psnr: float | None
    """dB over RGB 8 bit. None = memory holds no picture of it."""
    ssim: float | None


@dataclass(frozen=True, kw_only=True)
class CurveSpec:
    """What memory tokens cost and give on this machine: seconds a step, fidelity of recall."""

    memory_system: str
    entries: tuple[EntryRef, ...]
    media: tuple[str, ...]
    """Video of the take behind each entry."""
    tokens: tuple[int, ...]
    """Numbers of tokens whose step is timed, rising."""
    num_frames: int
    width: int
    height: int
    guidance: float
    strength: float
    kind: Literal["curve"] = "curve"


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """What was measured with a number of memory tokens."""

    tokens: int
    step_seconds: float | None = None
    """One denoising step. None = not measured: it would have taken too long."""
    psnr: float | None = None
    """Recall of the oldest shot, dB. None = not measured: the film has not so much memory."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a measuring job found."""

    moments: tuple[Moment, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    blobs: tuple[BlobResult, ...] = ()
    entries: tuple[EntryResult, ...] = ()
    """Entries that had to be remade."""


Spec = GenerateSpec | EncodeSpec | RecallSpec | LintSpec | MeasureSpec | CurveSpec


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a finished job hands over: `takes` of generate and encode, else what was asked for."""

    takes: tuple[TakeResult, ...] = ()
    recall: RecallResult | None = None
    measured: Measured | None = None
    lint: LintResult | None = None
