"""What is known of a take before it is sampled: frames that are held, frames that are varied."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, kw_only=True)
class Known:
    """Clean latents that sampling begins from, and which of them come out as they are."""

    latents_BCTHW: torch.Tensor
    held_T: torch.Tensor
    """True for each latent frame that is held. The others are made anew."""
    strength: float = 1.0
    """Where the others begin: 1 = pure noise, 0 = what is known, unchanged."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"A variation of strength {self.strength}. Expected 0 to 1.")
        if self.held_T.shape != self.latents_BCTHW.shape[2:3]:
            raise ValueError(
                f"{self.held_T.numel()} marks for {self.latents_BCTHW.shape[2]} latent frames. "
                "Expected one each."
            )

    @property
    def is_all(self) -> bool:
        """Whether nothing is left to be made."""
        return self.strength == 0.0 or bool(self.held_T.all())


class Hold:
    """Holds known latent frames while the others are sampled.

    Before each step they are set to their noised value at its level, and the direction there is the
    true one, so that a scheduler's history stays on the straight way to what is known.
    """

    def __init__(self, known: Known, noise_BCTHW: torch.Tensor) -> None:
        self.known = known.latents_BCTHW.to(noise_BCTHW)
        self.noise = noise_BCTHW
        self.strength = known.strength
        self.mask = known.held_T.to(noise_BCTHW.device).view(1, 1, -1, 1, 1)

    def begin(self, sigma: float) -> torch.Tensor:
        """Return what sampling starts from: noise, or what is known noised to `sigma`."""
        return self.noise if self.strength == 1.0 else self._noised(sigma)

    def at(self, latents_BCTHW: torch.Tensor, sigma: float) -> torch.Tensor:
        """Return the latents with the held frames as they are at noise level `sigma`."""
        return torch.where(self.mask, self._noised(sigma), latents_BCTHW)

    def direction(self, velocity_BCTHW: torch.Tensor) -> torch.Tensor:
        """Return the velocity with the true one in the held frames."""
        return torch.where(self.mask, self.noise - self.known, velocity_BCTHW)

    def clean(self, latents_BCTHW: torch.Tensor) -> torch.Tensor:
        """Return the latents with the held frames exactly as they are known."""
        return torch.where(self.mask, self.known, latents_BCTHW)

    def _noised(self, sigma: float) -> torch.Tensor:
        return (1.0 - sigma) * self.known + sigma * self.noise
