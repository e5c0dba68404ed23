"""The continuity lint on takes as they are stored: frames out of the video, latents of the blob."""

from __future__ import annotations

import numpy as np

from engine import continuity
from engine.continuity import Floats, Look
from engine.errors import MediaError
from engine.specs import LintNote, LintResult, LintSpec, LintTake
from engine.takes import latents_from_bytes
from engine.video.files import read_frames
from storage.blobs import BlobStore


def lint(store: BlobStore, spec: LintSpec, channels: int) -> LintResult:
    """Return what is above its threshold in a take, against earlier ones.

    Raises:
        MediaError: the video of a take cannot be read.
    """
    past = [_look(store, take, channels) for take in spec.past]
    found = continuity.drifts(_look(store, spec.take, channels), past)
    return LintResult(
        notes=tuple(
            LintNote(
                about=drift.kind,
                score=drift.score,
                threshold=drift.threshold,
                frame=drift.frame,
                past_take_id=spec.past[drift.past].take_id if drift.past >= 0 else "",
                before=drift.before,
                after=drift.after,
            )
            for drift in found
        )
    )


def _look(store: BlobStore, take: LintTake, channels: int) -> Look:
    frames = list(read_frames(str(store.path(take.media_digest))))
    if not frames:
        raise MediaError(f"Take {take.take_id} has no frames. Generate its shot again.")
    first: Floats | None = None
    if take.latents_digest and store.exists(take.latents_digest):
        latents = latents_from_bytes(store.read(take.latents_digest), channels)
        first = latents[0, :, 0].numpy()
    return continuity.look_at(np.stack(frames), first)
