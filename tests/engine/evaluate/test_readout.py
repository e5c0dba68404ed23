"""The linear read-out finds what is there, and nothing where there is nothing."""

from __future__ import annotations

import pytest
import torch

from engine.evaluate.readout import Pairs, left_by_components, left_open


@pytest.mark.usefixtures("seeded")
def test_a_linear_code_leaves_nothing_open_and_noise_everything() -> None:
    hidden = torch.randn(4000, 3, dtype=torch.float64)
    blocks = hidden @ torch.randn(3, 10, dtype=torch.float64) + 5.0
    code = hidden @ torch.randn(3, 6, dtype=torch.float64)
    noise = torch.randn(4000, 6, dtype=torch.float64)

    def share(tokens: torch.Tensor) -> float:
        return left_open(Pairs(tokens[:3000], blocks[:3000]), Pairs(tokens[3000:], blocks[3000:]))

    assert share(code) < 1e-3
    spread = float((blocks - blocks.mean(0)).pow(2).sum() / blocks.pow(2).sum())
    assert share(noise) == pytest.approx(spread, rel=0.1)


@pytest.mark.usefixtures("seeded")
def test_three_components_tell_three_causes_and_two_do_not() -> None:
    blocks = torch.randn(500, 3, dtype=torch.float64) @ torch.randn(3, 10, dtype=torch.float64)
    pair = Pairs(blocks, blocks)
    assert left_by_components(pair, pair, 3) < 1e-9
    assert left_by_components(pair, pair, 2) > 1e-3
