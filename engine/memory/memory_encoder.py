"""phi, the memory encoder of frame preservation: latents of a shot in, context tokens out.

Two branches are summed (arXiv 2512.23851, 3.1): LR, a reduced clip through the transformer's own
patch embedding, and HR, a causal convolution over the full latents. Strides first in time, then in
space. The last layer is zero at the start, so that phi begins as exactly the LR tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

PATCH = 2
"""Spatial patch of the Wan transformers."""
VAE_STRIDE = 8
"""Pixels a latent covers in rows and columns, as everywhere in the engine."""
KERNEL = 3

PatchEmbedding = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class MemoryEncoderConfig:
    """Shape of phi."""

    rate_hwt: tuple[int, int, int] = (2, 2, 2)
    """Compression on top of latent and patch grid, as in the paper: rows, columns, time."""
    latent_channels: int = 16
    width: int = 256
    """Token width of the transformer."""
    channels: tuple[int, ...] = (32, 64, 128, 256)
    """Channels after the first convolution and after each stage; the last is repeated."""
    heads: int = 4
    branches: Literal["both", "lr", "hr"] = "both"
    """Which branches are summed. `lr` and `hr` alone are the paper's ablations."""
    hr: Literal["convolutions", "patchifier", "shortcut"] = "convolutions"
    """What the HR branch is. `patchifier`: one linear map of all that a token covers, the paper's
    ablation. `shortcut`: the convolutions and that linear map, added."""

    def __post_init__(self) -> None:
        rows, columns, time = self.rate_hwt
        if rows != columns or any(r < 1 or r & (r - 1) for r in self.rate_hwt):
            raise ValueError(
                f"A memory rate of {self.rate_hwt}. Expected powers of two with equal rows and "
                "columns, for example (4, 4, 2)."
            )
        if self.channels[-1] % self.heads:
            raise ValueError(
                f"{self.channels[-1]} channels and {self.heads} heads. Expected a multiple."
            )
        if time < 1:
            raise ValueError(f"A temporal rate of {time}. Expected at least 1.")

    @property
    def frame_multiple(self) -> int:
        """Shots are 1 + frame_multiple * k frames long, so that both branches align."""
        return 4 * self.rate_hwt[2]

    def strides(self) -> list[tuple[int, int]]:
        """Return (time, space) strides of the stages: time first, then space."""
        rows, _, time = self.rate_hwt
        stages = [(2, 1)] * int(math.log2(time)) + [(1, 2)] * int(math.log2(rows * PATCH))
        # 2x2x1 has one stage fewer than the channel plan: a stride-1 stage keeps the depth.
        return stages if len(stages) >= 3 else [*stages, (1, 1)]

    def grid(self, num_latents: int, height: int, width: int) -> tuple[int, int, int]:
        """Return tokens in time, rows and columns for latents of this size, padded."""
        unit = PATCH * self.rate_hwt[0]
        return (
            1 + (num_latents - 1) // self.rate_hwt[2],
            math.ceil(height / unit),
            math.ceil(width / unit),
        )


class CausalConv(nn.Module):
    """A 3x3x3 convolution that looks back only: the last tap of output j is input stride * j."""

    def __init__(self, channels: tuple[int, int], stride_t: int, stride_s: int) -> None:
        super().__init__()
        self.stride_t = stride_t
        self.conv = nn.Conv3d(*channels, KERNEL, (stride_t, stride_s, stride_s), (0, 1, 1))

    def forward(self, x_BCTHW: torch.Tensor) -> torch.Tensor:
        """Return the whole clip at once, zeros before its start."""
        return self.conv(F.pad(x_BCTHW, (0, 0, 0, 0, KERNEL - 1, 0)))  # type: ignore[no-any-return]

    def step(
        self, x_BCTHW: torch.Tensor, tail: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the outputs of one chunk, and the inputs that the next chunk must see first."""
        if tail is None:
            x_BCTHW = F.pad(x_BCTHW, (0, 0, 0, 0, KERNEL - 1, 0))
        else:
            x_BCTHW = torch.cat([tail, x_BCTHW], dim=2)
        outputs = (x_BCTHW.shape[2] - KERNEL) // self.stride_t + 1
        return self.conv(x_BCTHW), x_BCTHW[:, :, outputs * self.stride_t :]


class LargePatchifier(nn.Module):
    """One linear map from the block of latents that a token covers to the token.

    Kept as the convolution that it is, and applied as a matrix product: with AMX, PyTorch's bf16
    convolution of 16 channels with these strides gives other numbers (docs/decisions/0013).
    """

    def __init__(self, config: MemoryEncoderConfig) -> None:
        super().__init__()
        rate, _, rate_t = config.rate_hwt
        block = (rate_t, PATCH * rate, PATCH * rate)
        self.conv = nn.Conv3d(config.latent_channels, config.width, block, block)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]  # a Conv3d has one by default

    def forward(self, latents_BCTHW: torch.Tensor) -> torch.Tensor:
        """Return tokens B L D of whole clips; the first latent stands alone behind zeros."""
        missing = self.conv.kernel_size[0] - 1
        return self.step(F.pad(latents_BCTHW, (0, 0, 0, 0, missing, 0)))

    def step(self, block_BCTHW: torch.Tensor) -> torch.Tensor:
        """Return the tokens B L D of whole blocks."""
        time, rows, columns = self.conv.kernel_size
        missing = -block_BCTHW.shape[2] % time
        block_BCTHW = F.pad(block_BCTHW, (0, 0, 0, 0, missing, 0))
        batch, channels, length, height, width = block_BCTHW.shape
        grid = (length // time, height // rows, width // columns)
        blocks = block_BCTHW.reshape(
            batch, channels, grid[0], time, grid[1], rows, grid[2], columns
        )
        covered_BLN = blocks.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(batch, math.prod(grid), -1)
        return F.linear(covered_BLN, self.conv.weight.flatten(1), self.conv.bias)


class MemoryEncoder(nn.Module):
    """phi. `forward` sees whole clips in batches (training); `stream` is the canonical program."""

    def __init__(self, config: MemoryEncoderConfig) -> None:
        super().__init__()
        self.config = config
        if config.hr != "patchifier":
            self._build_convolutions()
        self.patchifier = None if config.hr == "convolutions" else LargePatchifier(config)

    def _build_convolutions(self) -> None:
        config = self.config
        strides = [(1, 1), *config.strides()]
        plan = [*config.channels[: len(strides) - 1]]
        plan += [config.channels[-1]] * (len(strides) - len(plan))
        inputs = [config.latent_channels, *plan[:-1]]
        self.stages = nn.ModuleList(
            CausalConv((a, b), t, s) for a, b, (t, s) in zip(inputs, plan, strides, strict=True)
        )
        self.norm = nn.LayerNorm(plan[-1])
        self.attention = nn.MultiheadAttention(plan[-1], config.heads, batch_first=True)
        self.out = nn.Linear(plan[-1], config.width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, latents_BCTHW: torch.Tensor, lr_BCTHW: torch.Tensor, patch: PatchEmbedding
    ) -> torch.Tensor:
        """Return tokens B L D of whole clips.

        Args:
            latents_BCTHW: normalised latents, T = 1 + r_t * k.
            lr_BCTHW: latents of the reduced clip, T' = 1 + k.
            patch: the transformer's patch embedding.
        """
        tokens = torch.zeros(())
        if self.config.branches != "hr":
            tokens = patch(lr_BCTHW).flatten(2).transpose(1, 2)
        if self.config.branches != "lr":
            tokens = tokens + self._hr(self.pad(latents_BCTHW))
        return tokens

    def stream(
        self, latents_BCTHW: torch.Tensor, lr_BCTHW: torch.Tensor, patch: PatchEmbedding
    ) -> torch.Tensor:
        """Return tokens 1 L D by the canonical program: first latent alone, then r_t at a time.

        Append and recompute run exactly this, so they are bit-equal on one computer.
        """
        tokens = torch.zeros(())
        if self.config.branches != "hr":
            tokens = patch(lr_BCTHW).flatten(2).transpose(1, 2)
        if self.config.branches != "lr":
            tokens = tokens + torch.cat(self._stream_hr(self.pad(latents_BCTHW)), dim=1)
        return tokens

    def pad(self, latents_BCTHW: torch.Tensor) -> torch.Tensor:
        """Repeat the last rows and columns up to a multiple of one token."""
        unit = PATCH * self.config.rate_hwt[0]
        rows, columns = (-n % unit for n in latents_BCTHW.shape[-2:])
        if rows == columns == 0:
            return latents_BCTHW
        return F.pad(latents_BCTHW, (0, columns, 0, rows, 0, 0), mode="replicate")

    def _hr(self, latents_BCTHW: torch.Tensor) -> torch.Tensor:
        tokens = torch.zeros(())
        if self.patchifier is not None:
            tokens = self.patchifier(latents_BCTHW)
        if self.config.hr != "patchifier":
            for stage in self.stages:
                latents_BCTHW = F.silu(stage(latents_BCTHW))
            tokens = tokens + self._head(latents_BCTHW)
        return tokens

    def _stream_hr(self, latents_BCTHW: torch.Tensor) -> list[torch.Tensor]:
        num_stages = 0 if self.config.hr == "patchifier" else len(self.stages)
        tails: list[torch.Tensor | None] = [None] * num_stages
        outputs = []
        starts = [0, *range(1, latents_BCTHW.shape[2], self.config.rate_hwt[2])]
        for start, end in zip(starts, [*starts[1:], latents_BCTHW.shape[2]], strict=True):
            x_BCTHW = latents_BCTHW[:, :, start:end]
            tokens = torch.zeros(())
            if self.patchifier is not None:
                tokens = self.patchifier.step(x_BCTHW)
            if self.config.hr != "patchifier":
                for index, stage in enumerate(self.stages):
                    x_BCTHW, tails[index] = stage.step(x_BCTHW, tails[index])  # type: ignore[operator]
                    x_BCTHW = F.silu(x_BCTHW)
                tokens = tokens + self._head(x_BCTHW)
            outputs.append(tokens)
        return outputs

    def _head(self, x_BCTHW: torch.Tensor) -> torch.Tensor:
        # Attention inside one time step only: across time it would break "append = recompute".
        batch, _, time, height, width = x_BCTHW.shape
        x = x_BCTHW.permute(0, 2, 3, 4, 1).reshape(batch * time, height * width, -1)
        normed = self.norm(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        return self.out(x).reshape(batch, time * height * width, -1)  # type: ignore[no-any-return]


def token_positions(
    grid: tuple[int, int, int], rate_hwt: tuple[int, int, int], offset: float
) -> torch.Tensor:
    """Return L 3 (time, row, column): the centre of what each token covers, in patches.

    `offset` is the time of the shot's first latent; history is negative, the new shot starts at 0.
    Unit-norm rotation at the centre, not the averaged one of FramePack.
    """
    time, rows, columns = grid
    rate, _, rate_t = rate_hwt
    steps = torch.arange(time).double()
    times = torch.where(steps == 0, steps, rate_t * steps - (rate_t - 1) / 2) + offset
    y = (torch.arange(rows).double() + 0.5) * rate - 0.5
    x = (torch.arange(columns).double() + 0.5) * rate - 0.5
    return torch.stack(torch.meshgrid(times, y, x, indexing="ij"), -1).reshape(-1, 3)
