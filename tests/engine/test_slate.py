"""Slates: what a video says of itself, and what a stranger may have written there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine.slate import MAX_CHARACTERS, TAG, Slate, SlateError, SlateShot, read_slate, write_slate
from engine.video.files import write_mp4

SHOT = SlateShot(
    num_frames=17,
    in_frame=2,
    out_frame=17,
    latents="a" * 64,
    prompt='she says "no" \n<b>ü</b>',
    seed=7,
    num_steps=8,
    guidance=2.0,
    strength=None,
    memory_system="frame_preservation",
)
SLATE = Slate(rate=(8, 1), width=96, height=64, shots=(SHOT, SHOT), name="Film", card_frames=16)


def changed(**fields: Any) -> str:
    return json.dumps(json.loads(write_slate(SLATE)) | fields)


def with_shot(**fields: Any) -> str:
    return changed(shots=[dataclasses.asdict(SHOT) | fields])


def test_a_slate_is_read_as_it_was_written() -> None:
    assert read_slate(write_slate(SLATE)) == SLATE
    assert SLATE.num_frames == 16 + 15 + 15


def test_a_slate_travels_in_the_file(tmp_path: Path) -> None:
    frames = np.zeros((2, 16, 16, 3), np.uint8)
    path = tmp_path / "take.mp4"
    path.write_bytes(write_mp4(iter(frames), (8, 1), tags={TAG: write_slate(SLATE)}))
    with av.open(str(path)) as container:
        assert read_slate(container.metadata[TAG]) == SLATE


def test_a_film_with_too_much_to_say_says_nothing() -> None:
    long = dataclasses.replace(SHOT, prompt="x" * 4000)
    assert write_slate(dataclasses.replace(SLATE, shots=(long,) * 200)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Holiday 2019",
        "[]",
        '{"title": "x"}',
        '{"mnemoreel": NaN}',
        "[" * 100_000,
        "x" * (MAX_CHARACTERS + 1),
        changed(mnemoreel=2),
        changed(shots=[]),
        changed(shots=[{}] * 2001),
        changed(shots={"a": 1}),
        changed(path="/etc/passwd"),
        changed(rate=[8]),
        changed(rate=[0, 1]),
        changed(width=-5),
        changed(height=10**30),
        changed(card_frames=-1),
        with_shot(in_frame=17),
        with_shot(out_frame=18),
        with_shot(seed="7"),
        with_shot(seed=True),
        with_shot(latents="../../etc"),
        with_shot(prompt=["a"]),
        with_shot(guidance=1e999),
        with_shot(unknown=1),
    ],
)
def test_what_cannot_be_a_slate_is_refused(text: str) -> None:
    with pytest.raises(SlateError):
        read_slate(text)
