"""Training runs in the number format that this machine is faster in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine.device.probe import choose_device
from engine.train import formats
from engine.train.memory_stage import MemoryStage


@pytest.fixture(autouse=True)
def _probe_anew() -> Iterator[None]:
    formats.fast_format.cache_clear()
    yield
    formats.fast_format.cache_clear()


@pytest.mark.parametrize(("bfloat16", "is_fast"), [(4.0, True), (160.0, False)])
def test_the_faster_format_is_the_default_of_a_stage(
    monkeypatch: pytest.MonkeyPatch,
    bfloat16: float,
    is_fast: bool,  # noqa: FBT001
) -> None:
    times = {"float32": 16.0, "bfloat16": bfloat16}
    monkeypatch.setattr(formats, "time_formats", lambda: times)
    folder = Path("nowhere")
    stage = MemoryStage(checkpoint=folder, latents=folder, out=folder, next_shot_share=1.0)
    assert stage.use_bfloat16 == is_fast
    with formats.fast_autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if is_fast else torch.float32)


def test_it_is_the_one_that_the_studio_would_choose_by_the_same_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = {"float32": 16.0, "bfloat16": 160.0}
    for module in ("engine.train.formats", "engine.device.probe"):
        monkeypatch.setattr(f"{module}.time_formats", lambda: times)
    assert choose_device(threads=1).dtype == formats.fast_format() == torch.float32
