"""The benchmark of the page: its figures mean what their names say, and all of it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Error as PlaywrightError

from benchmarks.studio import __main__ as benchmark
from benchmarks.studio.seeking import Seeks
from benchmarks.studio.smoothness import rates_of
from benchmarks.studio.verbs import times_of

ROOT = Path(__file__).resolve().parents[2]


def test_rates_are_those_of_the_median_frame_and_of_one_in_twenty() -> None:
    rates = rates_of([16.0] * 19 + [100.0], busy_seconds=0.06)
    assert rates.median == pytest.approx(62.5)
    assert rates.low == pytest.approx(10.0)
    assert rates.longest == 100.0
    assert rates.busy == pytest.approx(3.0)


def test_a_page_that_drew_nothing_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="fewer than two frames"):
        rates_of([])


def test_times_are_told_by_median_and_by_one_in_twenty() -> None:
    times = times_of([float(n) for n in range(1, 41)])
    assert (times.median, times.high) == (21.0, 39.0)


def test_a_part_that_fails_is_named_and_the_others_stand_beside_it() -> None:
    class Broken:
        found = benchmark.Found(seeks=Seeks(milliseconds=[8.0, 12.0]))

        def tabs(self) -> None:
            raise PlaywrightError("Timeout 30000ms exceeded.\nCall log: ...")

    benchmark._measure(Broken(), "tabs")  # type: ignore[arg-type]
    table = benchmark.table(Broken.found)
    assert "| not measured: tabs | Error: Timeout 30000ms exceeded. |" in table
    assert "| wrong frames of 2 seeks | 0 | 0 |" in table


@pytest.mark.slow
def test_every_part_runs_on_a_small_film(tmp_path: Path) -> None:
    out = tmp_path / "made" / "studio.md"
    command = [sys.executable, "-m", "benchmarks.studio", "--quick", "--out", str(out)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    page = out.read_text("utf-8")
    for figure in ("scroll", "page ready", "engine step", "wrong frames of 6 seeks | 0", "8 tabs"):
        assert figure in page
    assert str(tmp_path) not in page
