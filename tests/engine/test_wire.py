"""Messages travel as JSON and come back equal, or are refused by name."""

import json

import pytest

from engine.errors import ProtocolError
from engine.protocol import (
    Cancel,
    EngineInfo,
    Failed,
    Finished,
    MemorySystemInfo,
    Progress,
    Ready,
    Run,
    ToEngine,
)
from engine.specs import EntryRef, GenerateSpec, JobResult, RecallResult
from engine.wire import decode_from_engine, decode_to_engine, encode, from_json

SPEC = GenerateSpec(
    prompt="Mia waves <img onerror=x> ‮ in the park",
    num_frames=17,
    width=160,
    height=96,
    rate=(8, 1),
    seed=2**53,
    num_steps=8,
    guidance=1.0,
    memory_system="frame_preservation",
    strength=2.0,
    entries=(EntryRef(take_id="t", latents_digest="d", num_frames=17),),
)


@pytest.mark.parametrize("message", [Run(job_id="j", spec=SPEC), Cancel(job_id="j")])
def test_messages_to_the_engine_come_back_equal(message: ToEngine) -> None:
    assert decode_to_engine(encode(message)) == message


def test_messages_from_the_engine_come_back_equal() -> None:
    info = EngineInfo(
        model="m", device="cpu", dtype="bfloat16", threads=2, width=160, height=96, rate=(8, 1),
        default_frames=17, max_frames=41, frame_multiple=8, num_steps=8, guidance=1.0, strength=2.0,
        tokens_per_shot=45, seconds_per_shot=1.5, words=("a", "park"),
        systems=(
            MemorySystemInfo(name="s", fingerprint="f", scope="take", can_recall=True, title="t"),
        ),
    )  # fmt: skip
    recall = RecallResult(
        source="none", recalled_digest="", real_digest="", psnr=None, ssim=None, num_tokens=0,
        blobs=(), note="gone",
    )  # fmt: skip
    for message in (
        Ready(info=info),
        Progress(job_id="j", phase="denoising", step=1, num_steps=8, done=0.1),
        Finished(job_id="j", result=JobResult(recall=recall)),
        Failed(job_id="", error="CheckpointError", message="gone"),
    ):
        assert decode_from_engine(encode(message)) == message


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "erase"}, "erase"),
        ({"kind": "progress", "phase": "thinking"}, "phase"),
        ({"kind": "progress", "step": "one"}, "step"),
        ({"kind": "progress", "step": True}, "step"),
        ({"kind": "progress", "extra": 1}, "extra"),
        ({"kind": "crashed"}, "crashed"),
    ],
)
def test_a_wrong_message_is_refused_by_name(change: dict[str, object], named: str) -> None:
    message = {"job_id": "j", "phase": "denoising", "step": 1, "num_steps": 2, "done": 0.5}
    with pytest.raises(ProtocolError, match=named):
        decode_from_engine(json.dumps({**message, **change}).encode())


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ProtocolError, match="latents_digest"):
        from_json(EntryRef, {"take_id": "t"})


def test_bytes_that_are_no_json_are_refused() -> None:
    with pytest.raises(ProtocolError, match="not JSON"):
        decode_to_engine(b"\x80\x04pickle")


def test_a_message_over_the_limit_is_refused_with_its_size() -> None:
    with pytest.raises(ProtocolError, match="1048576"):
        encode(Failed(job_id="j", error="E", message="x" * (1 << 20)))
