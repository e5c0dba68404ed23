"""Ablations train every variant from one start, once, and their page has a row for each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.evaluate import ablations as page
from engine.train import ablations
from engine.train.ablations import VARIANTS, AblationPlan, AblationRun, Variant, run
from engine.train.world.story import WorldDials


@pytest.fixture
def plan(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AblationPlan:
    torch.set_num_threads(1)
    short = WorldDials(num_frames=17, min_shots=3, max_shots=3)
    some = tuple(v for v in VARIANTS if v.rate_hwt in ((2, 2, 2), (4, 4, 2)))
    monkeypatch.setattr(ablations, "DIALS", short)
    monkeypatch.setattr(ablations, "VARIANTS", some)
    return AblationPlan(
        checkpoint=tiny_checkpoint,
        out=tmp_path,
        budget_seconds=0.01,
        num_stories=2,
        num_test=1,
        batch_size=2,
        lora_rank=4,
    )


def test_results_are_kept_and_become_a_page(plan: AblationPlan, tmp_path: Path) -> None:
    names = ("2x2x2", "4x4x2", "next shot only")
    results = list(run(plan, names))
    assert [result.variant.name for result in results] == list(names)
    assert [result.tokens_per_shot for result in results] == [45, 18, 45]
    assert all(result.steps >= 1 and len(result.recalled) == 1 for result in results)
    marks = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    assert list(run(plan, names)) == results
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")} == marks
    out = tmp_path / "page.md"
    page.main(["--runs", str(tmp_path), "--out", str(out)])
    text = out.read_text("utf-8")
    assert "| 4x4x2 | 18 |" in text
    assert "| next shot only | 45 |" in text


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.rate_hwt == (2, 2, 2)])
def test_every_variant_learns_with_the_same_base(plan: AblationPlan, variant: Variant) -> None:
    ablations.prepare(plan)
    trained = AblationRun(plan, variant)
    before = {n: w.detach().clone() for n, w in trained.trainee.named_parameters()}
    trained.step(0.5, 100)
    trained.step(0.5, 100)
    changed = {n for n, w in trained.trainee.named_parameters() if not torch.equal(w, before[n])}
    assert any("lora_" in name for name in changed)
    assert any(name.startswith("encoder.") for name in changed) == (variant.branches != "lr")
    assert all("lora_" in name or name.startswith("encoder.") for name in changed)
