"""The lint on takes as they are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import MediaError
from engine.lint import lint
from engine.specs import LintSpec, LintTake
from engine.video.files import write_mp4
from storage.blobs import BlobStore
from tests.engine.test_continuity import BLUE, RED, film


def stored(store: BlobStore, name: str, frames: np.ndarray) -> LintTake:
    digest = store.put(write_mp4(list(frames), (8, 1))).digest
    return LintTake(take_id=name, media_digest=digest)


def test_a_stored_take_is_compared_with_earlier_ones(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    red, again, blue = (
        stored(store, name, film(shirt, left=left))
        for name, shirt, left in (("red", RED, 68), ("again", RED, 60), ("blue", BLUE, 68))
    )
    assert lint(store, LintSpec(take=again, past=(red,)), 16).notes == ()
    (note,) = lint(store, LintSpec(take=blue, past=(again, red)), 16).notes
    assert (note.about, note.before, note.after) == ("colours", "red", "blue")
    assert note.past_take_id in ("red", "again")
    assert note.score > note.threshold


def test_a_take_whose_video_is_gone_says_so(tmp_path: Path) -> None:
    missing = LintTake(take_id="t", media_digest="0" * 64)
    with pytest.raises(MediaError, match="cannot be decoded"):
        lint(BlobStore(tmp_path), LintSpec(take=missing, past=()), 16)
