"""The plan names every stage once, skips what is done, and runs through at a tiny size."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.recipes import load_model, wan
from engine.train.plan import TINY, PlanSize, stages
from tests.engine.conftest import CPU


def test_every_stage_is_a_command_with_a_mark_of_its_own(tmp_path: Path) -> None:
    plan = list(stages(tmp_path, PlanSize()))
    assert [stage.module.rsplit(".", 1)[1] for stage in plan] == [
        "tiny_vae",
        "latents",
        "retakes",
        "assemble",
        "pretrain_text",
        "components",
        "pretrain_memory",
        "finetune",
        "tiny_vae",
        "judge",
        "release",
    ]
    assert len({stage.done for stage in plan}) == len(plan)
    budgets = [
        float(stage.arguments[stage.arguments.index("--budget-seconds") + 1])
        for stage in plan
        if "--budget-seconds" in stage.arguments
    ]
    assert sum(budgets) == pytest.approx(PlanSize().hours * 3600)


def run(out: Path) -> str:
    command = [sys.executable, "-m", "engine.train.plan", "--tiny", "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout


@pytest.mark.slow
def test_the_whole_plan_runs_through_after_a_stop_in_the_middle(tmp_path: Path) -> None:
    out = tmp_path / "embedded"
    command = [sys.executable, "-m", "engine.train.plan", "--tiny", "--out", str(out)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if line.startswith("engine.train.assemble"):
                os.killpg(first.pid, signal.SIGKILL)  # with the stage that it has started
                break
    plan = list(stages(out, TINY))
    assert plan[0].done.exists()
    assert not plan[-1].done.exists()
    log = run(out)
    assert "engine.train.tiny_vae is done." in log
    assert all(stage.done.exists() for stage in plan)
    for folder in ("tiny_vae", "pretrain", "finetune", "tiny_vae_polish", "judge"):
        assert (out / folder / "curve.csv").is_file()
    for folder in ("tiny_vae", "pretrain", "finetune"):
        assert (out / folder / "contact_sheet.png").is_file()
    model = load_model(wan(out / "embedded"), CPU)
    assert "frame_preservation" in model.memories
    again = run(out)
    assert again.count(" is done.") == len(plan)
