"""What the memory stages train: the transformer with its port, and phi, as one module.

The text encoder stays as its own stage left it, as in every Wan: trained along, its gradients are
mostly noise, which Muon and Adam blow up to full steps, and colours are lost within 200 of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.card import read_json
from engine.context import Context
from engine.memory.memory_encoder import MemoryEncoder, token_positions
from engine.models.checkpoint import load_checkpoint
from engine.models.lora import add_lora
from engine.models.text import embed_prompts
from engine.models.transformer import MemoryPort
from engine.train.attention import write_out_attention
from engine.train.muon import Muon

WORDS_SCALE = 0.1
"""Learning rate of the projection of the text, as a part of the others': see above."""


@dataclass(frozen=True, kw_only=True)
class TraineeOptions:
    """What of the model is trained."""

    checkpoint: Path
    """Wan folder to start from."""
    lora_rank: int = 0
    """Rank of a LoRA on all attention and ffn linears; 0 = all weights (the tiny model)."""


class Trainee(nn.Module):
    """One training forward: past and target in, velocity out."""

    def __init__(self, options: TraineeOptions, encoder: MemoryEncoder) -> None:
        super().__init__()
        parts = load_checkpoint(options.checkpoint)
        self.card = parts.card
        self.tokenizer = parts.tokenizer
        self.vae = [parts.vae]  # in a list: not a part of what is trained or saved
        self.text_encoder = parts.text_encoder
        self.transformer = parts.transformer
        self.encoder = encoder.requires_grad_(requires_grad=True)
        if options.lora_rank:
            # A base stays as it is; phi and the LoRA are what is learnt.
            add_lora(self.transformer, options.lora_rank)
        else:
            self.transformer.requires_grad_(requires_grad=True)
        write_out_attention(self.transformer)
        self.port = MemoryPort(self.transformer)

    def embed(self, captions: Sequence[str]) -> Tensor:
        """Return text embeddings B L D."""
        return embed_prompts(
            captions, self.tokenizer, self.text_encoder, length=self.card.text_length
        )

    def memory_context(
        self, past_BNCTHW: Tensor, lr_BNCTHW: Tensor, prompt_share_BN: Tensor | None = None
    ) -> Context:
        """Return the context of N past shots per item, the section at time 0.

        `prompt_share_BN`: how far each reads the prompt. None = wholly: nobody said who is in it.
        """
        batch, num_past = past_BNCTHW.shape[:2]
        tokens = self.encoder(
            past_BNCTHW.flatten(0, 1), lr_BNCTHW.flatten(0, 1), self.transformer.patch_embedding
        )
        _, _, _, time, height, width = past_BNCTHW.shape
        rate = self.encoder.config.rate_hwt
        grid = self.encoder.config.grid(time, height, width)
        positions = [token_positions(grid, rate, -time * (num_past - n)) for n in range(num_past)]
        return Context(
            tokens_BLD=tokens.unflatten(0, (batch, num_past)).flatten(1, 2),
            positions_L3=torch.cat(positions),
            token_timestep=self.card.token_timestep,
            prompt_share_BL=_of_tokens(prompt_share_BN, tokens.shape[1]),
            empty_BLD=self.embed([""]),
        )

    def window_context(
        self, past_BNCTHW: Tensor, prompt_share_BN: Tensor | None = None, num_latents: int = 3
    ) -> Context:
        """Return the context of a sliding window: the newest latents at full rate.

        A window has lost earlier shots, so it reads the prompt wholly or not at all.
        """
        newest = past_BNCTHW[:, -1, :, -num_latents:]
        embedded = self.transformer.patch_embedding(newest)
        _, _, time, rows, columns = embedded.shape
        tokens = embedded.flatten(2).transpose(1, 2)
        return Context(
            tokens_BLD=tokens,
            positions_L3=token_positions((time, rows, columns), (1, 1, 1), -float(time)),
            token_timestep=self.card.token_timestep,
            prompt_share_BL=_of_tokens(
                None if prompt_share_BN is None else prompt_share_BN[:, -1:].ceil(),
                tokens.shape[1],
            ),
            empty_BLD=self.embed([""]),
        )

    def forward(
        self,
        noisy_BCTHW: Tensor,
        sigma_B: Tensor,
        text_BLD: Tensor,
        context: Context,
        times: Tensor,
    ) -> Tensor:
        """Return the velocity of `noisy_BCTHW` at `sigma_B`, latents at `times` (B T)."""
        with self.port.memory(context, times):
            out: Tensor = self.transformer(
                hidden_states=noisy_BCTHW,
                timestep=sigma_B * 1000.0,
                encoder_hidden_states=text_BLD,
                return_dict=False,
            )[0]
        return out


def _of_tokens(share_BN: Tensor | None, num_tokens: int) -> Tensor | None:
    """Return the share of every token of past shots of `num_tokens` each."""
    return None if share_BN is None else share_BN.repeat_interleave(num_tokens, 1)


def token_width(checkpoint: Path) -> int:
    """Return the width of the transformer in a Wan folder, which is that of memory tokens."""
    config = read_json(checkpoint / "transformer" / "config.json")
    return int(config["num_attention_heads"]) * int(config["attention_head_dim"])


def optimisers(trainee: nn.Module, learning_rate: float) -> tuple[Muon, torch.optim.AdamW]:
    """Return Muon for block matrices and convolution kernels, AdamW for everything else."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    words: list[Tensor] = []
    for name, weight in trainee.named_parameters():
        if not weight.requires_grad:
            continue
        if "text_embedder" in name:
            words.append(weight)
            continue
        is_inner = any(
            part in name for part in ("blocks.", "encoder.block", "stages.", "patchifier.")
        )
        # Small matrices too (a LoRA of low rank): only vectors and embeddings go to AdamW.
        is_matrix = weight.ndim >= 2 and min(weight.flatten(1).shape) >= 4 and is_inner
        (matrices if is_matrix else others).append(weight)
    groups = [{"params": others, "scale": 1.0}, {"params": words, "scale": WORDS_SCALE}]
    groups = [group for group in groups if group["params"]]
    adamw = torch.optim.AdamW(groups, lr=learning_rate / 4, betas=(0.9, 0.98), weight_decay=0.0)
    return Muon(matrices, lr=learning_rate), adamw


def set_learning_rate(pair: Sequence[Any], learning_rate: float) -> None:
    """Set the rates of `optimisers`, Muon first; AdamW runs at a quarter."""
    for optimiser, factor in zip(pair, (1.0, 0.25), strict=True):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * factor * group.get("scale", 1.0)
