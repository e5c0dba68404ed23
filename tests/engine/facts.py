"""What the fake engines say about their model."""

from __future__ import annotations

from engine.protocol import EngineInfo, MemorySystemInfo, WordGroup
from engine.specs import GenerateSpec

INFO = EngineInfo(
    model="fake",
    device="cpu",
    dtype="float32",
    threads=1,
    width=96,
    height=64,
    rate=(8, 1),
    default_frames=17,
    max_frames=33,
    frame_multiple=4,
    num_steps=4,
    guidance=1.0,
    strength=1.0,
    tokens_per_shot=30,
    seconds_per_shot=0.5,
    systems=(
        MemorySystemInfo(
            name="frame_preservation",
            fingerprint="f" * 64,
            scope="take",
            can_recall=True,
            title="Frame preservation",
            token_pixels=32,
            token_frames=4,
        ),
    ),
    weights="w" * 64,
    words=("a", "red", "blue", "ball", "box", "rolls", "over", "the", "grass", "again"),
    memory_system="frame_preservation",
    knows_names=True,
    vocabulary=(
        WordGroup(title="Things", phrases=("red ball", "blue box", "the grass")),
        WordGroup(title="Actions", phrases=("rolls over", "rolls again")),
    ),
)


def generate_spec(prompt: str) -> GenerateSpec:
    """Return a small job whose prompt tells a fake worker what to do."""
    return GenerateSpec(
        prompt=prompt,
        num_frames=5,
        width=96,
        height=64,
        rate=(8, 1),
        seed=1,
        num_steps=4,
        guidance=1.0,
        memory_system="none",
        strength=1.0,
    )
