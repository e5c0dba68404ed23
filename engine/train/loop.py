"""What every training stage shares: budget, averaged weights, curve and exact resuming."""

import csv
import os
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn


class Stateful(Protocol):
    """Anything whose state can be saved and put back: modules, optimisers, the classes below."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state as tensors, numbers, strings and containers of them."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Put a state back."""
        ...


@dataclass(frozen=True)
class TrainState:
    """Everything a stage needs to continue exactly where it stopped, saved as one file."""

    path: Path
    """The file; its folder must exist."""
    parts: Mapping[str, Stateful]
    """Model, optimisers, average, stream, budget and whatever else changes while training."""

    def save(self) -> None:
        """Write all parts and the random state; a crash leaves the old file or the new one."""
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state["torch_random"] = {"cpu": torch.get_rng_state()}
        fresh = self.path.with_suffix(".partial")
        with fresh.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)

    def load(self) -> None:
        """Put all parts back. Raises ValueError when the file holds other parts."""
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        random_state = state.pop("torch_random")
        if set(state) != set(self.parts):
            raise ValueError(
                f"{self.path} holds {sorted(state)}. Expected {sorted(self.parts)}. "
                "Resume with the options the run was started with."
            )
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(random_state["cpu"])


class RandomState:
    """A generator of random numbers as something that is saved and loaded."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator."""
        version, numbers, gauss = self.rng.getstate()
        return {"version": version, "numbers": list(numbers), "gauss": gauss}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Continue from a saved state."""
        self.rng.setstate((state["version"], tuple(state["numbers"]), state["gauss"]))


class Budget:
    """How long a stage trains: seconds of wall time or, when every number must repeat, steps."""

    def __init__(self, *, seconds: float | None = None, steps: int | None = None) -> None:
        if (seconds is None) == (steps is None):
            raise ValueError("A budget needs either seconds or steps, not both.")
        self.seconds = seconds
        self.steps = steps
        self.step = 0
        self._spent_before = 0.0
        self._started = time.monotonic()

    @property
    def spent_seconds(self) -> float:
        """Training time so far, over all runs of the stage."""
        return self._spent_before + time.monotonic() - self._started

    @property
    def fraction(self) -> float:
        """Part of the budget that is used, 0 to 1."""
        if self.steps is not None:
            return min(1.0, self.step / self.steps)
        assert self.seconds is not None
        return min(1.0, self.spent_seconds / self.seconds)

    @property
    def is_spent(self) -> bool:
        """Whether training ends here."""
        return self.fraction >= 1.0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep what happens inside, such as an evaluation, from counting as training time."""
        spent = self.spent_seconds
        yield
        self._spent_before, self._started = spent, time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return steps and seconds used so far."""
        return {"step": self.step, "spent_seconds": self.spent_seconds}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Continue from a saved state; the size of the budget stays this one's."""
        self.step = state["step"]
        self._spent_before, self._started = state["spent_seconds"], time.monotonic()


def warm_constant_decay(fraction: float, step: int, *, decay_from: float = 0.4) -> float:
    """Return the factor on the learning rate: 20 steps up, constant, then linearly down to 0.03."""
    warm = min(1.0, (step + 1) / 20)
    if fraction <= decay_from:
        return warm
    return warm * max(0.03, (1 - fraction) / (1 - decay_from))


class Ema:
    """A moving average of a module's trainable weights, younger at the start of training."""

    def __init__(self, module: nn.Module, decay: float = 0.995) -> None:
        self.decay = decay
        self.num_updates = 0
        self._weights = {
            name: weight.detach().clone()
            for name, weight in module.named_parameters()
            if weight.requires_grad
        }

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move the average towards the weights of `module`."""
        self.num_updates += 1
        decay = min(self.decay, self.num_updates / (self.num_updates + 9))
        live = dict(module.named_parameters())
        averages = list(self._weights.values())
        torch._foreach_lerp_(averages, [live[name].detach() for name in self._weights], 1 - decay)

    @contextmanager
    def averaged(self, module: nn.Module) -> Iterator[None]:
        """Give `module` the average inside the block and its own weights back after it."""
        live = dict(module.named_parameters())
        own = {name: live[name].detach().clone() for name in self._weights}
        _copy_into(live, self._weights)
        try:
            yield
        finally:
            _copy_into(live, own)

    def state_dict(self) -> dict[str, Any]:
        """Return the average and its age."""
        return {"num_updates": self.num_updates, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Put the average back. Raises ValueError when it belongs to other weights."""
        if set(state["weights"]) != set(self._weights):
            raise ValueError(
                f"The saved average has {len(state['weights'])} tensors, this one "
                f"{len(self._weights)}. Resume with the options the run was started with."
            )
        self.num_updates = state["num_updates"]
        _copy_into(self._weights, state["weights"])


@torch.no_grad()
def _copy_into(targets: Mapping[str, torch.Tensor], sources: Mapping[str, torch.Tensor]) -> None:
    for name, source in sources.items():
        targets[name].copy_(source)


class Curve:
    """A CSV file with one row per evaluation; rows a resumed run repeats are replaced."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        if not columns or columns[0] != "step":
            raise ValueError(f"The columns are {columns}. The first must be 'step'.")
        self.path = path
        self.columns = columns
        self._rows: list[dict[str, Any]] = []

    def add(self, **values: float) -> None:
        """Append one row, then rewrite the file."""
        if set(values) != set(self.columns):
            raise ValueError(f"A row with {sorted(values)}. Expected {sorted(self.columns)}.")
        self._rows.append(dict(values))
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(self._rows)

    def state_dict(self) -> dict[str, Any]:
        """Return the rows written so far."""
        return {"rows": [dict(row) for row in self._rows]}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Continue after the saved rows; later ones in the file are forgotten at the next row."""
        self._rows = [dict(row) for row in state["rows"]]
