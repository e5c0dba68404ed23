"""Frames and latent frames: the causal VAE maps 1 + 4k frames to 1 + k latents."""

from __future__ import annotations

FRAMES_PER_LATENT = 4
"""Temporal stride of the Wan VAE after its first frame."""


def num_latents(num_frames: int) -> int:
    """Return the latent frames of `num_frames` pixel frames.

    Raises:
        ValueError: not of the form 1 + 4k.
    """
    if num_frames < 1 or (num_frames - 1) % FRAMES_PER_LATENT:
        nearest = max(1, 1 + FRAMES_PER_LATENT * round((num_frames - 1) / FRAMES_PER_LATENT))
        raise ValueError(
            f"A take of {num_frames} frames has no whole number of latent frames. "
            f"Lengths are 1 + 4k; the nearest is {nearest}."
        )
    return 1 + (num_frames - 1) // FRAMES_PER_LATENT


def num_frames(num_latent_frames: int) -> int:
    """Return the pixel frames that `num_latent_frames` decode to."""
    return 1 + FRAMES_PER_LATENT * (num_latent_frames - 1)


def latent_of_frame(frame: int) -> tuple[int, int]:
    """Return (latent, frame within that latent) of pixel frame `frame` of a take."""
    if frame == 0:
        return 0, 0
    latent, offset = divmod(frame - 1, FRAMES_PER_LATENT)
    return 1 + latent, offset


def padded_frames(frames: int, multiple: int) -> int:
    """Return the smallest 1 + multiple * k that holds `frames` pixel frames."""
    return 1 + multiple * max(1, -(-(frames - 1) // multiple)) if frames > 1 else 1 + multiple
