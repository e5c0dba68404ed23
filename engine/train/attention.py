"""What makes training on a CPU faster: attention as matrix products, and blocks that are fused.

PyTorch's fused CPU attention has a slow backward in bf16: forward and backward of 435 tokens take
79 CPU ms fused and 42 written out, of 735 tokens 220 and 107 (8 items, 4 heads of 64, one core with
AVX512-BF16). In float32 it is the faster one: 581 ms against 1,125 of 900 tokens (10 items, AVX2).
"""

from __future__ import annotations

from typing import Any

import torch
import torch._dynamo
import torch.nn.functional as F
from torch import Tensor

Rotary = tuple[Tensor, Tensor]
MOST_VARIANTS = 64
"""Compiled forms of a block; beyond, PyTorch would go back to single operations."""


class WrittenOutAttention:
    """A processor for `WanAttention` without image tokens: the same function as the stock one."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: Rotary | None = None,
    ) -> Tensor:
        """Return the attention output B L D of `attn`."""
        if attention_mask is not None:
            raise ValueError("An attention mask was given. Wan attends without one.")
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = _heads(_norm(attn.norm_q, attn.to_q(hidden_states)), attn.heads)
        key = _heads(_norm(attn.norm_k, attn.to_k(source)), attn.heads)
        value = _heads(attn.to_v(source), attn.heads)
        if rotary_emb is not None:
            query, key = _rotate(query, rotary_emb), _rotate(key, rotary_emb)
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))
        mixed = self.attended(query, key, value)
        out: Tensor = attn.to_out[0](mixed.transpose(1, 2).flatten(2))
        return out

    def attended(self, query_BHLK: Tensor, key_BHLK: Tensor, value_BHLK: Tensor) -> Tensor:
        """Return the values that every query attends to, B H L K, the faster way of their dtype."""
        if value_BHLK.dtype == torch.float32:
            return F.scaled_dot_product_attention(query_BHLK, key_BHLK, value_BHLK)
        weights = (query_BHLK * query_BHLK.shape[-1] ** -0.5) @ key_BHLK.transpose(-1, -2)
        mixed: Tensor = weights.softmax(-1).to(value_BHLK.dtype) @ value_BHLK
        return mixed


def write_out_attention(transformer: Any) -> None:
    """Let every block of a stock transformer attend by matrix products."""
    for block in transformer.blocks:
        block.attn1.set_processor(WrittenOutAttention())
        block.attn2.set_processor(WrittenOutAttention())


def compile_blocks(transformer: Any) -> None:
    """Let PyTorch's compiler fuse what each block does; sizes of batches may change.

    On a CPU most of a step is passing over memory between small operations. The blocks themselves
    are compiled in place: names of weights and hooks stay as they are.
    """
    # A batch may have a past or none, names or none, gradients or none: each is compiled once.
    torch._dynamo.config.recompile_limit = MOST_VARIANTS
    for block in transformer.blocks:
        block.compile(dynamic=True)


def _heads(x_BLD: Tensor, heads: int) -> Tensor:
    return x_BLD.reshape(*x_BLD.shape[:2], heads, -1)


def _norm(norm: Any, x: Tensor) -> Tensor:
    # With a weight of another dtype PyTorch leaves its fused kernel.
    return F.rms_norm(x, norm.normalized_shape, norm.weight.to(x.dtype), norm.eps)


def _rotate(x_BLNK: Tensor, rotary: Rotary) -> Tensor:
    cos, sin = (part[..., ::2] for part in rotary)
    first, second = x_BLNK[..., ::2], x_BLNK[..., 1::2]
    turned = torch.stack((first * cos - second * sin, first * sin + second * cos), dim=-1)
    return turned.flatten(-2).to(x_BLNK.dtype)
