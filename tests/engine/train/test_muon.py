"""Muon makes updates of one size in every direction."""

import pytest
import torch

from engine.train.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (20, 20)])
def test_singular_values_come_close_to_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalised(torch.randn(*shape) * 37))
    assert 0.4 < values.min() <= values.max() < 1.5


def test_an_update_has_the_size_of_adamws() -> None:
    torch.manual_seed(0)
    kernel = torch.zeros(32, 16, 3, 3, requires_grad=True)
    kernel.grad = torch.randn(32, 16, 3, 3)
    Muon([kernel], lr=1.0, weight_decay=0.0).step()
    assert 0.1 < kernel.detach().square().mean().sqrt() < 0.3


def test_it_finds_the_minimum_of_a_quadratic() -> None:
    torch.manual_seed(0)
    target, weight = torch.randn(8, 8), torch.zeros(8, 8, requires_grad=True)
    optimiser = Muon([weight], lr=0.1, weight_decay=0.0)
    for step in range(150):
        optimiser.param_groups[0]["lr"] = 0.3 * (1 - step / 150)
        optimiser.zero_grad()
        torch.autograd.backward((weight - target).square().sum())
        optimiser.step()
    assert (weight - target).detach().abs().max() < 0.1


def test_a_weight_without_gradient_is_left_alone() -> None:
    weight = torch.ones(4, 4, requires_grad=True)
    Muon([weight], lr=1.0).step()
    assert torch.equal(weight.detach(), torch.ones(4, 4))


def test_a_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="closure"):
        Muon([torch.ones(4, 4, requires_grad=True)], lr=1.0).step(lambda: 0.0)
