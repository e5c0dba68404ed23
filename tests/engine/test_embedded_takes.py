"""The shipped model holds, varies and pins: what the tiny models of other tests cannot show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.bench import Bench
from engine.device.probe import Device
from engine.jobs import run_job
from engine.recipes import Model, embedded, load_model
from engine.specs import BaseTake, GenerateSpec, JobResult, PinnedFrame
from engine.takes import BlobDesk, latents_from_bytes
from engine.video import vae as video_vae
from engine.video.picture import psnr
from storage.blobs import BlobStore

SPEC = GenerateSpec(
    prompt="Mia walks in the park.",
    num_frames=17,
    width=160,
    height=96,
    rate=(8, 1),
    seed=3,
    num_steps=3,
    guidance=1.0,
    memory_system="none",
    strength=1.0,
)
LAST = 16


class Maker:
    """Makes takes with the shipped model on one blob store."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model = model
        self.store = BlobStore(folder)

    def make(self, spec: GenerateSpec) -> tuple[str, torch.Tensor, torch.Tensor]:
        """Return the digest of a take's latents, the latents and the frames decoded from them."""
        desk = BlobDesk(store=self.store, pin=lambda _: None)
        bench = Bench(model=self.model, desk=desk, is_cancelled=lambda: False)
        (result,) = [r for r in run_job(bench, spec) if isinstance(r, JobResult)]
        digest = result.takes[0].latents_digest
        latents = latents_from_bytes(self.store.read(digest), 16)
        return digest, latents, video_vae.decode(self.model.parts.vae, latents)


@pytest.mark.slow
def test_the_shipped_model_holds_varies_and_pins(tmp_path: Path) -> None:
    device = Device(name="cpu", dtype=torch.float32, threads=1, milliseconds={})
    maker = Maker(load_model(embedded(), device), tmp_path)
    digest, latents, frames = maker.make(SPEC)

    base = BaseTake(latents_digest=digest, redo=(2, 4))
    _, redone, again = maker.make(replace(SPEC, seed=4, base=base))
    assert torch.equal(redone[:, :, [0, 1, 4]], latents[:, :, [0, 1, 4]])
    assert torch.equal(again[:5], frames[:5])
    assert psnr(again[5:13], frames[5:13]) < 60

    whole = replace(SPEC, seed=5, base=replace(base, redo=(0, 5), strength=0.1))
    near = psnr(maker.make(whole)[2], frames)
    whole = replace(SPEC, seed=5, base=replace(base, redo=(0, 5), strength=0.9))
    far = psnr(maker.make(whole)[2], frames)
    assert near > far + 1

    pin = PinnedFrame(digest=digest, source="take", frame=LAST)
    _, _, pinned = maker.make(replace(SPEC, seed=6, start=pin, end=pin))
    assert psnr(pinned[:1], frames[LAST:]) > 22
    assert psnr(pinned[LAST:], frames[LAST:]) > 20
