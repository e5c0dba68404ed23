"""Attention mass is what the attention really does, and looking changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel

from engine.models import attention_mass
from engine.models.attention_mass import AttentionMass
from engine.models.transformer import MemoryPort
from engine.train.attention import WrittenOutAttention
from tests.engine.models.test_transformer import context, inputs


@pytest.fixture(scope="module")
def transformer(tiny_checkpoint: Path) -> Any:
    torch.manual_seed(0)
    return WanTransformer3DModel.from_pretrained(tiny_checkpoint, subfolder="transformer").eval()


class Recording(WrittenOutAttention):
    """Keeps the softmax of every self-attention."""

    def __init__(self, seen: list[torch.Tensor]) -> None:
        self.seen = seen

    def attended(
        self, query_BHLK: torch.Tensor, key_BHLK: torch.Tensor, value_BHLK: torch.Tensor
    ) -> torch.Tensor:
        scores = query_BHLK @ key_BHLK.transpose(-1, -2) * query_BHLK.shape[-1] ** -0.5
        self.seen.append(scores.softmax(-1))
        return self.seen[-1] @ value_BHLK


@torch.no_grad()
def test_the_mass_is_the_softmax_on_each_segment_of_memory(transformer: Any) -> None:
    port = MemoryPort(transformer)
    mass = AttentionMass(transformer, [4, 2])
    with port.memory(context(6)):
        plain = transformer(**inputs()).sample
        with mass.measuring():
            looked = transformer(**inputs()).sample
    assert torch.equal(plain, looked)
    seen: list[torch.Tensor] = []
    stock = transformer.blocks[0].attn1.processor
    for block in transformer.blocks[:: attention_mass.BLOCK_STRIDE]:
        block.attn1.set_processor(Recording(seen))
    with port.memory(context(6)):
        transformer(**inputs())
    port.remove()
    for block in transformer.blocks:
        block.attn1.set_processor(stock)
    onto = torch.stack([s[:, :, 6:].mean((0, 1, 2))[:6] for s in seen]).sum(0)
    wanted = torch.stack([onto[:4].sum(), onto[4:].sum()])
    wanted = wanted / wanted.sum()
    assert mass.shares() == pytest.approx(wanted.tolist(), abs=1e-4)
    assert sum(mass.shares()) == pytest.approx(1)


def test_without_a_look_there_are_no_shares(transformer: Any) -> None:
    assert AttentionMass(transformer, [4, 2]).shares() == (0.0, 0.0)
