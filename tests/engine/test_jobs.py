"""Jobs end to end on the tiny model: takes as blobs, memory read and remade, recall, cancel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.bench import Bench, Report
from engine.errors import Cancelled, MediaError, MemoryStateError
from engine.jobs import run_job
from engine.recipes import Model
from engine.specs import (
    LATER_SHARE,
    BaseTake,
    Checkpoint,
    EncodeSpec,
    EntryRef,
    GenerateSpec,
    JobResult,
    PinnedFrame,
    RecallSpec,
    Spec,
    TakeResult,
)
from engine.takes import BlobDesk, latents_from_bytes
from engine.video import vae as video_vae
from engine.video.files import read_frames, write_mp4
from engine.video.picture import png
from storage.blobs import BlobStore

SPEC = GenerateSpec(
    prompt="Mia waves in the park.",
    num_frames=9,
    width=64,
    height=32,
    rate=(8, 1),
    seed=3,
    num_steps=3,
    guidance=1.0,
    memory_system="frame_preservation",
    strength=2.0,
)


class Job:
    """Runs jobs on one blob store and keeps what happened."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model = model
        self.store = BlobStore(folder)
        self.pinned: list[str] = []
        self.reports: list[Report] = []
        self.checkpoints: list[Checkpoint] = []

    def run(
        self,
        spec: Spec,
        is_cancelled: Callable[[], bool] = lambda: False,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> JobResult:
        desk = BlobDesk(store=self.store, pin=self.pinned.append)
        bench = Bench(
            model=self.model, desk=desk, is_cancelled=is_cancelled, is_stopping=is_stopping
        )
        self.reports, self.checkpoints = [], []
        for item in run_job(bench, spec):
            if isinstance(item, JobResult):
                return item
            if isinstance(item, Checkpoint):
                self.checkpoints.append(item)
            else:
                self.reports.append(item)
        raise AssertionError("The job ended without a result.")

    def take(self, spec: GenerateSpec) -> TakeResult:
        return self.run(spec).takes[0]


@pytest.fixture
def job(model: Model, tmp_path: Path) -> Job:
    return Job(model, tmp_path / "blobs")


def ref(take: TakeResult, name: str = "t") -> EntryRef:
    return EntryRef(
        take_id=name,
        latents_digest=take.latents_digest,
        key=take.entries[-1].key,
        blob_digest=take.entries[-1].blob_digest,
        num_frames=take.num_frames,
    )


def test_a_shot_becomes_blobs_that_are_all_there(job: Job) -> None:
    take = job.take(SPEC)
    assert (take.num_frames, take.memory_tokens, take.sources) == (9, 0, ())
    for blob in take.blobs:
        assert job.store.size(blob.digest) == blob.size
        assert blob.digest in job.pinned
    named = {take.media_digest, take.latents_digest, take.strip_digest, take.entries[0].blob_digest}
    assert named == {blob.digest for blob in take.blobs}
    frames = list(read_frames(str(job.store.path(take.media_digest))))
    assert len(frames) == 9
    assert frames[0].shape == (32, 64, 3)


def test_progress_only_grows_and_shows_previews(job: Job) -> None:
    job.take(SPEC)
    done = [report.done for report in job.reports]
    assert done == sorted(done)
    assert [r.step for r in job.reports if r.phase == "denoising"] == [1, 2, 3]
    assert any(report.preview[:2] == b"\xff\xd8" for report in job.reports)


def test_the_same_seed_gives_the_same_latents(job: Job) -> None:
    assert job.take(SPEC).latents_digest == job.take(SPEC).latents_digest
    assert job.take(SPEC).latents_digest != job.take(replace(SPEC, seed=4)).latents_digest


def test_memory_is_read_and_named(job: Job) -> None:
    first = job.take(SPEC)
    second = replace(SPEC, seed=5, entries=(ref(first, "first"),))
    with_memory = job.take(second)
    assert with_memory.memory_tokens == first.entries[0].num_tokens > 0
    assert [(s.take_id, s.weight) for s in with_memory.sources] == [("first", 1.0)]
    without = job.take(replace(second, strength=0.0))
    base = job.take(replace(SPEC, seed=5))
    assert without.latents_digest == base.latents_digest != with_memory.latents_digest


def test_a_past_shot_of_others_is_read_otherwise(job: Job) -> None:
    first = job.take(SPEC)
    own, later, others = (
        job.take(replace(SPEC, seed=5, entries=(replace(ref(first), prompt_share=share),)))
        for share in (1.0, LATER_SHARE, 0.0)
    )
    assert len({take.latents_digest for take in (own, later, others)}) == 3
    assert own.memory_tokens == others.memory_tokens
    assert own.entries[-1].latents_digest == own.latents_digest  # an entry is of its take alone


def test_a_missing_entry_is_remade_from_the_latents(job: Job) -> None:
    first = job.take(SPEC)
    job.store.delete(first.entries[0].blob_digest)
    again = job.take(replace(SPEC, seed=5, entries=(ref(first),)))
    assert again.entries[0].key == first.entries[0].key
    assert again.entries[0].blob_digest == first.entries[0].blob_digest
    assert len(again.entries) == 2


def test_another_system_is_remade_from_the_latents(job: Job) -> None:
    first = job.take(SPEC)
    bare = EntryRef(take_id="t", latents_digest=first.latents_digest, num_frames=9)
    window = job.take(replace(SPEC, entries=(bare,), memory_system="sliding_window"))
    assert {entry.system for entry in window.entries} == {"sliding_window"}
    assert window.memory_tokens > 0


def test_without_entry_and_latents_the_shot_is_named(job: Job) -> None:
    first = job.take(SPEC)
    job.store.delete(first.entries[0].blob_digest)
    job.store.delete(first.latents_digest)
    with pytest.raises(MemoryStateError, match="generate that shot again"):
        job.take(replace(SPEC, entries=(ref(first),)))


def test_recall_works_with_the_latents_removed_and_says_memory(job: Job) -> None:
    first = job.take(SPEC)
    job.store.delete(first.latents_digest)
    spec = RecallSpec(
        memory_system="frame_preservation",
        entries=(ref(first),),
        entry_index=0,
        frame=5,
        width=64,
        height=32,
        media_digest=first.media_digest,
    )
    recall = job.run(spec).recall
    assert recall is not None
    assert recall.source == "memory"
    assert recall.num_tokens == first.entries[0].num_tokens
    assert recall.psnr is not None
    assert recall.ssim is not None
    assert job.store.read(recall.recalled_digest)[:4] == b"\x89PNG"
    alone = job.run(replace(spec, media_digest="")).recall
    assert alone is not None
    assert (alone.psnr, alone.real_digest) == (None, "")
    assert alone.recalled_digest == recall.recalled_digest


def test_a_window_that_forgot_says_so(job: Job) -> None:
    spec = replace(SPEC, memory_system="sliding_window")
    first, second = job.take(spec), job.take(replace(spec, seed=8))
    recall = job.run(
        RecallSpec(
            memory_system="sliding_window",
            entries=(ref(first), ref(second)),
            entry_index=0,
            frame=0,
            width=64,
            height=32,
        )
    ).recall
    assert recall is not None
    assert (recall.source, recall.recalled_digest) == ("none", "")
    assert "window" in recall.note


def test_cancel_stops_between_two_steps_and_keeps_nothing(job: Job) -> None:
    with pytest.raises(Cancelled, match="step 1 of 3"):
        job.run(SPEC, is_cancelled=lambda: len(job.reports) >= 2)
    assert job.pinned == []


def test_the_phases_come_in_order(job: Job) -> None:
    job.take(SPEC)
    phases = list(dict.fromkeys(report.phase for report in job.reports))
    expected = ["reading_memory", "denoising", "decoding", "remembering", "saving"]
    assert phases == expected


@pytest.mark.parametrize("phase", ["denoising", "decoding", "remembering", "saving"])
def test_cancel_is_heard_in_every_phase(job: Job, phase: str) -> None:
    def is_cancelled() -> bool:
        return bool(job.reports) and job.reports[-1].phase == phase

    with pytest.raises(Cancelled), job.model.stops.asking(is_cancelled):
        job.run(SPEC, is_cancelled=is_cancelled)
    assert job.reports[-1].phase == phase


def test_footage_becomes_takes_of_exactly_its_frames(job: Job) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (23, 32, 64, 3), dtype=np.uint8)
    media = job.store.put(write_mp4(iter(frames), (8, 1))).digest
    spec = EncodeSpec(
        media_digest=media,
        lengths=(17, 6),
        width=64,
        height=32,
        rate=(8, 1),
        memory_system="frame_preservation",
    )
    takes = job.run(spec).takes
    assert [take.num_frames for take in takes] == [17, 6]
    for take in takes:
        assert len(list(read_frames(str(job.store.path(take.media_digest))))) == take.num_frames
    continued = job.take(replace(SPEC, entries=tuple(ref(take) for take in takes)))
    assert continued.memory_tokens == sum(take.entries[0].num_tokens for take in takes)
    with pytest.raises(MediaError, match="ended after 6 frames"):
        job.run(replace(spec, lengths=(17, 17)))


def test_an_unknown_memory_system_is_named(job: Job) -> None:
    with pytest.raises(MemoryStateError, match="elephant"):
        job.take(replace(SPEC, memory_system="elephant"))


def test_without_memory_nothing_is_left(job: Job) -> None:
    assert job.take(replace(SPEC, memory_system="none")).entries == ()


def test_kept_latents_are_what_was_decoded(job: Job, model: Model) -> None:
    take = job.take(SPEC)
    latents = latents_from_bytes(job.store.read(take.latents_digest), 16)
    frames = video_vae.decode(model.parts.vae, latents)
    kept = torch.from_numpy(np.stack(list(read_frames(str(job.store.path(take.media_digest))))))
    # Colour is stored at half size: brightness is what H.264 must keep.
    brightness = torch.stack([frames.float().mean(-1).flatten(), kept.float().mean(-1).flatten()])
    assert torch.corrcoef(brightness)[0, 1] > 0.8
    with pytest.raises(MemoryStateError, match="another model"):
        latents_from_bytes(job.store.read(take.latents_digest), 48)


def test_a_shot_that_is_stopped_early_leaves_a_whole_take_that_says_where(job: Job) -> None:
    stops = iter((False, True))
    kept = job.run(SPEC, is_stopping=lambda: next(stops)).takes[0]
    assert kept.stopped_at == 2
    assert kept.num_frames == SPEC.num_frames
    assert len(kept.entries) == 1
    assert [r.step for r in job.reports if r.phase == "denoising"] == [1, 2]
    whole = job.take(SPEC)
    assert whole.stopped_at == 0
    assert kept.latents_digest != whole.latents_digest


def latents_of(job: Job, take: TakeResult) -> torch.Tensor:
    return latents_from_bytes(job.store.read(take.latents_digest), 16)


def test_a_range_is_made_anew_and_the_rest_is_held_bit_equal(job: Job) -> None:
    first = job.take(replace(SPEC, num_frames=17))
    base = BaseTake(latents_digest=first.latents_digest, redo=(2, 4))
    again = job.take(replace(SPEC, num_frames=17, seed=9, base=base))
    before, after = latents_of(job, first), latents_of(job, again)
    assert torch.equal(before[:, :, [0, 1, 4]], after[:, :, [0, 1, 4]])
    assert not torch.equal(before[:, :, 2], after[:, :, 2])
    assert again.entries[0].key != first.entries[0].key


def test_a_variation_of_strength_zero_is_the_take_itself(job: Job) -> None:
    first = job.take(SPEC)
    base = BaseTake(latents_digest=first.latents_digest, redo=(0, 3), strength=0.0)
    assert job.take(replace(SPEC, seed=9, base=base)).latents_digest == first.latents_digest
    full = replace(base, strength=1.0)
    new = job.take(replace(SPEC, seed=9))
    assert job.take(replace(SPEC, seed=9, base=full)).latents_digest == new.latents_digest


def test_a_take_starts_and_lands_on_frames_of_others(job: Job, model: Model) -> None:
    one, other = job.take(SPEC), job.take(replace(SPEC, seed=11))
    still = job.store.put(png(np.full((32, 64, 3), 90, np.uint8))).digest
    pinned = replace(
        SPEC,
        seed=5,
        start=PinnedFrame(digest=one.latents_digest, source="take", frame=8),
        end=PinnedFrame(digest=still, source="still"),
    )
    made = latents_of(job, job.take(pinned))
    frames = video_vae.decode(model.parts.vae, latents_of(job, one))
    first = video_vae.encode(model.parts.vae, frames[8:])
    grey = torch.full((9, 32, 64, 3), 90, dtype=torch.uint8)
    last = video_vae.encode(model.parts.vae, grey)[:, :, -1]
    assert torch.equal(made[:, :, 0], first[:, :, 0].bfloat16().float())
    assert torch.equal(made[:, :, -1], last.bfloat16().float())
    landed = replace(SPEC, end=PinnedFrame(digest=other.latents_digest, source="take"))
    assert job.take(landed).latents_digest != one.latents_digest


def test_what_cannot_be_held_says_what_to_do(job: Job) -> None:
    first = job.take(SPEC)
    gone = BaseTake(latents_digest="0" * 64, redo=(0, 1))
    with pytest.raises(MemoryStateError, match="start from another take"):
        job.take(replace(SPEC, base=gone))
    base = BaseTake(latents_digest=first.latents_digest, redo=(0, 1))
    with pytest.raises(MemoryStateError, match="own size and length"):
        job.take(replace(SPEC, num_frames=17, base=base))
    with pytest.raises(MemoryStateError, match="Expected some of 3"):
        job.take(replace(SPEC, base=replace(base, redo=(2, 4))))
    with pytest.raises(MediaError, match="Pin another frame"):
        job.take(replace(SPEC, start=PinnedFrame(digest="0" * 64, source="still")))
    with pytest.raises(MediaError, match="no frame 9"):
        pin = PinnedFrame(digest=first.latents_digest, source="take", frame=9)
        job.take(replace(SPEC, end=pin))
    small = job.store.put(png(np.zeros((16, 16, 3), np.uint8))).digest
    with pytest.raises(MediaError, match="64 x 32"):
        job.take(replace(SPEC, start=PinnedFrame(digest=small, source="still")))
    text = job.store.put(b"no picture").digest
    with pytest.raises(MediaError, match="Add the picture again"):
        job.take(replace(SPEC, start=PinnedFrame(digest=text, source="still")))
