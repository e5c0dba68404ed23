"""The memory contract: what every memory system is to the studio and to the transformer.

A take leaves an entry; the memory of a cut is the ordered list of the entries of its takes.
Rewinding, reordering, muting and branching are nothing but choosing another list. A memory system
meets the transformer only here: it hands over a `Context`, and it is given the few callables of
`Ports` that it needs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import torch

Scope = Literal["take", "chain"]
RecallSource = Literal["memory", "probe", "archive", "none"]


@dataclass(frozen=True, kw_only=True)
class MemoryInfo:
    """What the studio must know about a memory system with its weights."""

    name: str
    title: str
    """What an editor reads."""
    fingerprint: str
    """SHA-256 over weights, configuration and dtype of everything `remember` runs."""
    scope: Scope
    """`take`: an entry depends on its take alone. `chain`: on the takes before it, too."""
    bounded: bool
    """The context does not grow with the number of past shots."""
    can_recall: bool
    needs_causal_base: bool = False
    token_pixels: int = 0
    """Rows and columns of pixels that one token covers. 0 = it is not read as tokens."""
    token_frames: int = 1
    """Frames that a token covers in time, after the first frame, which has its own."""
    most_steps: int = 0
    """Token steps in time that are read in all, the newest ones. 0 = every one."""


@dataclass(frozen=True, kw_only=True)
class ShotLatents:
    """What a finished take offers to memory: clean, normalised latents."""

    latents_BCTHW: torch.Tensor
    lr_latents_BCTHW: torch.Tensor
    """Latents of the reduced clip: frames 0, r, 2r, ... shrunk by the memory's spatial rate."""
    digest: str
    """Digest of the latents blob."""
    num_frames: int
    """Pixel frames of the take; the latents may cover more (the last frame repeated)."""


@dataclass(frozen=True, kw_only=True)
class MemoryEntry:
    """What one take left in a memory system. Immutable; one safetensors blob."""

    key: str
    system: str
    fingerprint: str
    latents_digest: str
    num_latents: int
    num_frames: int
    grid: tuple[int, int, int]
    """Tokens in time, rows and columns."""
    tensors: Mapping[str, torch.Tensor]
    previous_key: str = ""

    @property
    def num_tokens(self) -> int:
        """Context tokens this entry holds."""
        time, rows, columns = self.grid
        return time * rows * columns


MemoryState = tuple[MemoryEntry, ...]
"""The ordered entries of the takes before a shot, oldest first."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one entry is read. Rules never change an entry."""

    hidden: tuple[tuple[int, int], ...] = ()
    """Pixel frames of the take that are left out: first, and the one after the last."""
    is_pinned: bool = False
    """Read even where a system of bounded length would have dropped it."""
    prompt_share: float = 1.0
    """How far its tokens read the section's prompt, 0 to 1, and else the empty prompt. 0 where its
    prompt names people and none of this one's, so that nobody in it is taken for who is asked for
    (docs/decisions/0010); between where an earlier entry has the say (0015)."""

    def hides(self, first: int, after: int) -> bool:
        """Return whether any of the frames from `first` to before `after` is left out."""
        return any(a < after and first < b for a, b in self.hidden)


AS_IT_IS = Rule()
Rules = Mapping[int, Rule]
"""By index of the entry; entries without one are read as they are."""


@dataclass(frozen=True, kw_only=True)
class FrameRef:
    """A past frame: frame `frame` of the take behind entry `entry_index`."""

    entry_index: int
    frame: int
    rules: Rules = field(default_factory=dict)
    """How the entries are read: with a rule, recall shows what is left."""


@dataclass(frozen=True, kw_only=True)
class ContextRequest:
    """What the next section looks like, for systems whose context depends on it."""

    num_latents: int
    rows: int
    columns: int
    """Patch grid of the section."""
    rules: Rules = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ContextSource:
    """How much one entry weighs in a context."""

    entry_index: int
    weight: float
    """Share of what was read, in [0, 1]."""
    num_tokens: int = 0
    """Tokens of the entry in the context; sources stand in the order of their tokens."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What is read from memory for one section. Empty = the base model as it is."""

    tokens_BLD: torch.Tensor | None = None
    positions_L3: torch.Tensor | None = None
    """Real-valued (time, row, column) in latent frames and patches; the section starts at 0."""
    token_timestep: float | None = 0.0
    """Timestep the memory tokens are modulated with: 0 = clean. None = the section's own."""
    sources: tuple[ContextSource, ...] = ()
    prompt_share_BL: torch.Tensor | None = None
    """How far each token reads the section's prompt in cross-attention, 0 to 1, and else
    `empty_BLD`. B is 1 or that of the section. None = all of them wholly."""
    empty_BLD: torch.Tensor | None = None
    """Text embedding of the empty prompt, as long as the section's."""

    @property
    def num_tokens(self) -> int:
        """Tokens that are prepended to the section."""
        return 0 if self.tokens_BLD is None else self.tokens_BLD.shape[1]


EMPTY = Context()


@dataclass(frozen=True, kw_only=True)
class Recall:
    """A past frame as latents, and where they came from."""

    source: RecallSource
    latents_BCTHW: torch.Tensor | None = None
    """A few consecutive latents, normalised; the frame is in the decoded window."""
    is_first: bool = False
    """The window starts with the first latent of its take."""
    frame_index: int = 0
    """Which frame of the decoded window was asked for."""
    num_tokens: int = 0
    note: str = ""
    """Why there is no picture, in an editor's words."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a memory state costs."""

    tokens: int
    bytes_stored: int
    bytes_resident: int


@dataclass(frozen=True, kw_only=True)
class RecallQuery:
    """Latents to be drawn from memory alone, at their places in the past."""

    context: Context
    times: tuple[float, ...]
    """Time position of each latent, in the coordinates of the context."""
    height: int
    width: int
    """Latent rows and columns."""
    num_steps: int
    """1 = the mean of what memory knows; more = a sample."""
    seed: int


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What a memory system may use of the model: callables, never the model."""

    patch_embedding: Callable[[torch.Tensor], torch.Tensor]
    """The transformer's own: latents B C T H W -> B D T H/2 W/2."""
    draw: Callable[[RecallQuery], torch.Tensor] | None = None
    """Denoise from noise with memory tokens only; returns normalised latents B C T H W."""
    weights_digest: str = ""
    """Covers the patch embedding and the VAE, for fingerprints."""
    device: str = "cpu"


class Memory(Protocol):
    """A memory system. Reading never changes it; `remember` sees clean latents, once per shot."""

    @property
    def info(self) -> MemoryInfo:
        """Name, fingerprint, scope and abilities."""

    def remember(self, state: MemoryState, shot: ShotLatents) -> MemoryEntry:
        """Return what `shot` leaves behind, given the entries before it."""

    def context(self, state: MemoryState, request: ContextRequest) -> Context:
        """Return what the next section reads.

        Raises:
            MemoryStateError: an entry of another fingerprint, or an illegal list.
        """

    def recall(self, state: MemoryState, frame: FrameRef, *, seed: int, num_steps: int) -> Recall:
        """Return a past frame from the entries alone, or say that there is none."""

    def cost(self, state: MemoryState) -> Cost:
        """Return tokens and bytes of `state`."""

    def expected_tensors(self, entry: MemoryEntry) -> Mapping[str, tuple[int, ...]]:
        """Return name and shape of every tensor that an entry with this grid must have."""


def addressed(context: Context, rules: Rules, empty_BLD: torch.Tensor) -> Context:
    """Return `context` with the tokens of each entry as far beside the empty prompt as ruled."""
    shares = {index: rule.prompt_share for index, rule in rules.items() if rule.prompt_share < 1}
    if not shares.keys() & {source.entry_index for source in context.sources}:
        return context
    parts = [
        torch.full((1, source.num_tokens), shares.get(source.entry_index, 1.0))
        for source in context.sources
    ]
    return replace(context, prompt_share_BL=torch.cat(parts, 1), empty_BLD=empty_BLD)


def digest_of(*values: object) -> str:
    """Return H(values): SHA-256 of the canonical JSON list, lower-case hex."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def weights_digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """Return a SHA-256 over names, dtypes, shapes and bytes of `tensors`, in name order."""
    hasher = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        hasher.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        hasher.update(tensor.view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return hasher.hexdigest()
