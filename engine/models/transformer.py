"""The Wan seam: memory tokens enter a stock transformer through hooks.

The stock `WanTransformer3DModel` is never copied or subclassed. The seams of the tokens lie outside
the blocks (output of `patch_embedding`, output of `rope`, input of `proj_out`, and the timestep),
and the model takes the sizes of its output from its input. One seam lies inside: past shots of
other people read the empty prompt in cross-attention (docs/decisions/0010). With gradient
checkpointing the backward pass must therefore run inside `MemoryPort.memory`, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from engine.context import Context

ROPE_THETA = 10000.0


def rope_at(rope: Any, positions_L3: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (cos, sin), each 1 L 1 K, of the stock rotary embedding at real-valued positions.

    Computed in float64 like the stock table, so that integer positions are bit-equal to it.
    Positions B L 3 give B L 1 K.
    """
    cos, sin = [], []
    for axis, width in enumerate((rope.t_dim, rope.h_dim, rope.w_dim)):
        exponent = torch.arange(0, width, 2, dtype=torch.float64, device=positions_L3.device)
        frequency = 1.0 / (ROPE_THETA ** (exponent / width))
        angle = positions_L3[..., axis, None].double() * frequency
        cos.append(angle.cos().repeat_interleave(2, dim=-1).float())
        sin.append(angle.sin().repeat_interleave(2, dim=-1).float())
    shape = (-1, positions_L3.shape[-2], 1, rope.attention_head_dim)
    return torch.cat(cos, -1).view(shape), torch.cat(sin, -1).view(shape)


def grid_positions(times: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return L 3 positions of a patch grid whose latent frames stand at `times` (or B T)."""
    if times.ndim == 2:
        return torch.stack([grid_positions(row, rows, columns) for row in times])
    grid = torch.meshgrid(
        times.double(), torch.arange(rows).double(), torch.arange(columns).double(), indexing="ij"
    )
    return torch.stack(grid, -1).reshape(-1, 3)


class MemoryPort:
    """Prepends the tokens of a `Context` to what a stock transformer sees.

    One forward at a time per transformer: the context is held by the port during one call.
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer
        self._context = Context()
        self._times: torch.Tensor | None = None
        self._empty_BLD: torch.Tensor | None = None
        self._handles = [
            transformer.register_forward_pre_hook(self._widen_timestep, with_kwargs=True),
            transformer.rope.register_forward_hook(self._prepend_positions),
            transformer.patch_embedding.register_forward_hook(self._prepend_tokens),
            transformer.proj_out.register_forward_pre_hook(self._drop_tokens),
            transformer.condition_embedder.text_embedder.register_forward_hook(self._embed_empty),
            *(block.attn2.register_forward_hook(self._read_empty) for block in transformer.blocks),
        ]

    @contextmanager
    def memory(self, context: Context, times: torch.Tensor | None = None) -> Iterator[None]:
        """Let every forward inside read `context`.

        Args:
            context: what to prepend. Without tokens no hook does anything.
            times: time positions of the section's latent frames. None = 0, 1, 2, ... as in the
                base model, or B T for a place of its own per item. Frame retrieval asks at
                places in the past.
        """
        self._context, self._times = context, times
        try:
            yield
        finally:
            self._context, self._times, self._empty_BLD = Context(), None, None

    def remove(self) -> None:
        """Take the hooks off; the transformer is stock again."""
        for handle in self._handles:
            handle.remove()

    def _prepend_tokens(self, _: Any, __: Any, out_BDTHW: torch.Tensor) -> torch.Tensor | None:
        tokens_BLD = self._context.tokens_BLD
        if self._context.num_tokens == 0 or tokens_BLD is None:
            return None
        out_BDL = out_BDTHW.flatten(2)
        tokens_BLD = tokens_BLD.to(out_BDL.device, out_BDL.dtype)
        tokens_BLD = tokens_BLD.expand(out_BDL.shape[0], -1, -1)
        return torch.cat([tokens_BLD.transpose(1, 2), out_BDL], dim=2)

    def _prepend_positions(
        self, rope: Any, args: Any, out: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        cos, sin = out
        if self._times is not None:
            _, _, _, height, width = args[0].shape
            _, patch_rows, patch_columns = rope.patch_size
            grid = grid_positions(self._times, height // patch_rows, width // patch_columns)
            cos, sin = (part.to(cos.device) for part in rope_at(rope, grid))
        if self._context.num_tokens and self._context.positions_L3 is not None:
            extra = rope_at(rope, self._context.positions_L3.to(cos.device))
            more_cos, more_sin = (part.expand(cos.shape[0], -1, -1, -1) for part in extra)
            cos, sin = torch.cat([more_cos, cos], 1), torch.cat([more_sin, sin], 1)
        return cos, sin

    def _embed_empty(self, embedder: Any, args: tuple[Any, ...], out_BLD: torch.Tensor) -> None:
        # Here, and not before the forward: offloading has just put the weights in place.
        empty_BLD = self._context.empty_BLD
        self._empty_BLD = None
        if self._context.prompt_share_BL is not None and empty_BLD is not None:
            empty_BLD = embedder.forward(empty_BLD.to(args[0]))
            self._empty_BLD = empty_BLD.expand(out_BLD.shape[0], -1, -1)

    def _read_empty(
        self, attn2: Any, args: tuple[Any, ...], out_BLD: torch.Tensor
    ) -> torch.Tensor | None:
        share_BL = self._context.prompt_share_BL
        if share_BL is None or self._empty_BLD is None:
            return None
        count = self._context.num_tokens
        # By the processor, not by `attn2` itself: its hook is this.
        beside_BLD = attn2.processor(attn2, args[0][:, :count], self._empty_BLD)
        share_BL1 = share_BL.to(out_BLD)[..., None]
        read_BLD = torch.lerp(beside_BLD, out_BLD[:, :count], share_BL1)
        return torch.cat([read_BLD, out_BLD[:, count:]], 1)

    def _drop_tokens(self, _: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if self._context.num_tokens == 0:
            return None
        return (args[0][:, self._context.num_tokens :],)

    def _widen_timestep(
        self, transformer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        value = self._context.token_timestep
        if self._context.num_tokens == 0 or value is None:
            return None
        hidden = args[0] if args else kwargs["hidden_states"]
        timestep = args[1] if len(args) > 1 else kwargs["timestep"]
        time, rows, columns = transformer.config.patch_size
        length = (
            (hidden.shape[2] // time) * (hidden.shape[3] // rows) * (hidden.shape[4] // columns)
        )
        if timestep.ndim == 1:
            timestep = timestep[:, None].expand(-1, length)
        clean = timestep.new_full((timestep.shape[0], self._context.num_tokens), value)
        timestep = torch.cat([clean, timestep], 1)
        if len(args) > 1:
            return (args[0], timestep, *args[2:]), kwargs
        return args, {**kwargs, "timestep": timestep}
