"""Budgets, averages and curves survive a restart."""

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.train.loop import Budget, Curve, Ema, TrainState, warm_constant_decay


def test_a_budget_of_steps_ends_after_exactly_that_many() -> None:
    budget = Budget(steps=3)
    while not budget.is_spent:
        budget.step += 1
    assert (budget.step, budget.fraction) == (3, 1.0)


def test_a_budget_of_seconds_continues_where_it_was_saved() -> None:
    budget = Budget(seconds=100)
    budget.load_state_dict({"step": 7, "spent_seconds": 60.0})
    assert budget.step == 7
    assert 0.6 <= budget.fraction < 0.61
    assert not budget.is_spent


def test_paused_time_is_not_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    budget = Budget(seconds=100)
    now[0] = 10.0
    with budget.paused():
        now[0] = 500.0
    now[0] = 505.0
    assert budget.spent_seconds == 15.0


def test_a_budget_needs_exactly_one_measure() -> None:
    for measures in ({}, {"seconds": 1.0, "steps": 1}):
        with pytest.raises(ValueError, match="either"):
            Budget(**measures)  # type: ignore[arg-type]


def test_the_learning_rate_rises_stays_and_falls() -> None:
    assert warm_constant_decay(0.0, 0) == 0.05
    assert warm_constant_decay(0.4, 100) == 1.0
    assert warm_constant_decay(0.7, 100) == pytest.approx(0.5)
    assert warm_constant_decay(1.0, 100) == 0.03


def test_an_average_lies_between_old_and_new_and_gives_the_weights_back() -> None:
    module = nn.Linear(2, 1)
    nn.init.zeros_(module.weight)
    ema = Ema(module)
    nn.init.ones_(module.weight)
    ema.update(module)
    with ema.averaged(module):
        assert 0 < module.weight.min() <= module.weight.max() < 1
    assert torch.equal(module.weight.detach(), torch.ones(1, 2))


def test_an_average_reaches_weights_that_stand_still() -> None:
    module = nn.Linear(2, 1)
    ema = Ema(module, decay=0.5)
    nn.init.constant_(module.weight, 3.0)
    for _ in range(60):
        ema.update(module)
    with ema.averaged(module):
        torch.testing.assert_close(module.weight.detach(), torch.full((1, 2), 3.0))


def test_frozen_weights_are_not_averaged() -> None:
    module = nn.Linear(2, 1)
    module.bias.requires_grad_(False)
    assert set(Ema(module).state_dict()["weights"]) == {"weight"}


def test_an_average_of_other_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="2 tensors"):
        Ema(nn.Linear(2, 1, bias=False)).load_state_dict(Ema(nn.Linear(2, 1)).state_dict())


def test_a_curve_forgets_rows_after_the_saved_state(tmp_path: Path) -> None:
    curve = Curve(tmp_path / "curve.csv", ("step", "psnr"))
    curve.add(step=1, psnr=20.0)
    saved = curve.state_dict()
    curve.add(step=2, psnr=21.0)
    curve.load_state_dict(saved)
    curve.add(step=2, psnr=22.0)
    assert (tmp_path / "curve.csv").read_text().split() == ["step,psnr", "1,20.0", "2,22.0"]


def test_a_curve_refuses_a_row_with_other_columns(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="psnr"):
        Curve(tmp_path / "curve.csv", ("step", "psnr")).add(step=1)


def test_a_state_puts_every_part_and_the_random_numbers_back(tmp_path: Path) -> None:
    module, budget = nn.Linear(3, 3), Budget(steps=10)
    state = TrainState(tmp_path / "state.pt", {"module": module, "budget": budget})
    budget.step = 4
    state.save()
    expected, weight = torch.rand(3), module.weight.detach().clone()
    nn.init.zeros_(module.weight)
    budget.step = 9
    state.load()
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(module.weight.detach(), weight)
    assert budget.step == 4


def test_a_failed_save_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = Budget(steps=10)
    state = TrainState(tmp_path / "state.pt", {"budget": budget})
    state.save()
    budget.step = 5

    def run_out_of_space(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("torch.save", run_out_of_space)
    with pytest.raises(OSError, match="No space"):
        state.save()
    state.load()
    assert budget.step == 0


def test_a_state_with_other_parts_says_how_to_resume(tmp_path: Path) -> None:
    TrainState(tmp_path / "state.pt", {"budget": Budget(steps=1)}).save()
    with pytest.raises(ValueError, match="options the run was started with"):
        TrainState(tmp_path / "state.pt", {"module": nn.Linear(1, 1)}).load()
