"""Muon for matrices and convolution kernels: momentum whose singular values are all made one.

Jordan et al., 2024 (https://kellerjordan.github.io/posts/muon/), with the update scaled to the size
of AdamW's, so that both share one learning rate (Liu et al., 2025, arXiv:2502.16982).
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from engine.train.formats import fast_format


def muon_and_adamw(module: nn.Module, learning_rate: float) -> tuple["Muon", torch.optim.AdamW]:
    """Return Muon for the large convolution kernels of `module` and AdamW for everything else."""
    kernels: list[Tensor] = []
    others: list[Tensor] = []
    for weight in module.parameters():
        if weight.requires_grad:
            is_kernel = weight.ndim >= 4 and weight.shape[0] >= 16 and weight.numel() > 4000
            (kernels if is_kernel else others).append(weight)
    adamw = torch.optim.AdamW(others, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
    return Muon(kernels, lr=learning_rate), adamw


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return `matrix` with its singular values pushed close to one (quintic Newton-Schulz)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.to(fast_format())
    x = x.T if is_tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        # Fused sums: as products and sums apart, a quarter more time went into passing over memory.
        polynomial = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.addmm(x, polynomial, x, beta=a)
    result: Tensor = x.T if is_tall else x
    return result.to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay.

    Every parameter needs two dimensions or more; all after the first are flattened into one.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient. A closure is not supported."""
        if closure is not None:
            raise ValueError("Muon was given a closure. It takes one step from present gradients.")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, float]) -> None:
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        average = state["momentum"].mul_(group["momentum"]).add_(gradient)
        ahead = gradient.add(average, alpha=group["momentum"]).flatten(1)
        # An orthogonal matrix has RMS 1 / sqrt(longer side); AdamW's updates have about 0.2.
        update = orthogonalised(ahead) * (0.2 * max(ahead.shape) ** 0.5)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update.view_as(parameter), alpha=-group["lr"])
