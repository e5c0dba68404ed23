"""When memory runs out, one thing more is given up, and the shot goes on from where it stood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.device.offload import SMALL_TILES, Ladder, is_out_of_memory
from engine.protocol import Failed, Finished, Run
from engine.recipes import Model
from engine.specs import Checkpoint, GenerateSpec
from engine.video import vae as video_vae
from engine.worker import Worker
from tests.engine.test_jobs import SPEC

Sent = list[Any]


class Quiet(Worker):
    """A worker whose server answers every pin at once and keeps what it hears."""

    def __init__(self, folder: Path) -> None:
        self.ours, theirs = Pipe()
        super().__init__(theirs, folder)
        self.sent: Sent = []

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def _pin(self, job_id: str, digest: str) -> None:
        """Nobody has to be asked."""


@pytest.fixture
def ladder(model: Model) -> Any:
    parts = {name: getattr(model.parts, name) for name in ("transformer", "text_encoder", "vae")}
    yield Ladder(parts, "cpu")
    model.parts.vae.disable_tiling()


def failing(times: int, after: int, monkeypatch: pytest.MonkeyPatch, model: Model) -> list[float]:
    """Let the model run out of memory in some forwards; return the levels of all of them."""
    seen: list[float] = []
    stock = model.velocity
    left = [times]

    def velocity(latents: torch.Tensor, sigma: float, *rest: Any) -> torch.Tensor:
        seen.append(sigma)
        if len(set(seen)) > after and left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB.")
        return stock(latents, sigma, *rest)

    monkeypatch.setattr(model, "velocity", velocity)
    return seen


def run(worker: Quiet, model: Model, ladder: Ladder, spec: GenerateSpec) -> Any:
    worker._run(model, ladder, Run(job_id="j", spec=spec))
    return worker.sent[-1]


def test_a_shot_that_runs_out_of_memory_goes_on_on_the_next_rung_and_it_is_remembered(
    model: Model, ladder: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Quiet(tmp_path)
    worker.save_seconds = 0
    seen = failing(1, 2, monkeypatch, model)
    spec = replace(SPEC, num_steps=4, memory_system="none")
    said = run(worker, model, ladder, spec)
    assert isinstance(said, Finished)
    assert len(seen) == 5  # four steps and the one that failed: none was taken twice
    assert model.parts.vae.use_tiling
    other = replace(spec, width=32)
    ladder.use((other.width, other.height))
    assert not model.parts.vae.use_tiling
    ladder.use((spec.width, spec.height))
    assert model.parts.vae.use_tiling


def test_a_shot_that_never_fits_fails_with_advice_and_keeps_what_was_sampled(
    model: Model, ladder: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: Any) -> Any:
        raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(video_vae, "decode_stream", decode)
    monkeypatch.setattr("engine.generate._preview", lambda *_: b"")
    worker = Quiet(tmp_path)
    said = run(worker, model, ladder, SPEC)
    assert isinstance(said, Failed)
    assert said.error == "OutOfBudgetError"
    for words in ("64 x 32 with 9 frames", SMALL_TILES, "fewer frames", "Retry"):
        assert words in said.message
    saved = [m.checkpoint for m in worker.sent if m.kind == "saved"]
    assert isinstance(saved[-1], Checkpoint)
    assert saved[-1].is_clean


def test_decoding_that_runs_out_of_memory_samples_nothing_again(
    model: Model, ladder: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = failing(0, 0, monkeypatch, model)
    stock, calls = video_vae.decode_stream, []

    def decode(vae: Any, latents: torch.Tensor) -> Any:
        if latents.shape[2] > 1:
            calls.append(vae.use_tiling)
            if len(calls) == 1:
                raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB.")
        return stock(vae, latents)

    monkeypatch.setattr(video_vae, "decode_stream", decode)
    assert isinstance(run(Quiet(tmp_path), model, ladder, replace(SPEC, strength=1.0)), Finished)
    assert calls == [False, True]
    assert len(seen) == SPEC.num_steps


def test_tiles_show_nearly_the_same_picture(model: Model, ladder: Ladder) -> None:
    latents = torch.randn(1, 16, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    whole = video_vae.decode(model.parts.vae, latents)
    assert ladder.climb((128, 128)) == SMALL_TILES
    parts = list(video_vae.decode_stream(model.parts.vae, latents))
    assert [part.shape[0] for part in parts] == [1, 4, 4]
    difference = (torch.cat(parts).int() - whole.int()).abs().float()
    assert 0 < difference.mean() < 40
    assert ladder.climb((128, 128)) == ""


@pytest.mark.parametrize(
    ("error", "is_so"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_only_a_lack_of_memory_is_taken_for_one(error: Exception, *, is_so: bool) -> None:
    assert is_out_of_memory(error) is is_so


def test_a_real_lack_of_main_memory_is_recognised() -> None:
    def ask(allocate: Callable[[], object]) -> Exception:
        with pytest.raises(RuntimeError) as caught:
            allocate()
        return caught.value

    assert is_out_of_memory(ask(lambda: torch.empty(1 << 60, dtype=torch.uint8)))
