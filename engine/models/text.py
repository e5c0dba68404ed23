"""Prompts as embeddings, exactly as the stock Wan pipeline makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.pipelines.wan.pipeline_wan import prompt_clean


def embed_prompts(
    prompts: Sequence[str], tokenizer: Any, text_encoder: Any, *, length: int
) -> torch.Tensor:
    """Return B L D embeddings of `prompts`, zeros after each prompt's end.

    `length` is L: padding takes part in cross-attention, so it must be the length of training.
    """
    batch = tokenizer(
        [prompt_clean(prompt) for prompt in prompts],
        padding="max_length",
        max_length=length,
        truncation=True,
        add_special_tokens=True,
        return_attention_mask=True,
        return_tensors="pt",
    )
    device = next(text_encoder.parameters()).device
    mask = batch.attention_mask.to(device)
    hidden = text_encoder(batch.input_ids.to(device), mask).last_hidden_state
    return hidden * mask[..., None].to(hidden.dtype)  # type: ignore[no-any-return]
