"""docs/keys.md names the operations that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from storage.records import Cut
from studio.timeline.edit import EditRefused
from studio.timeline.operation import run
from tests.studio.timeline.test_edits import setting

PAGE = Path(__file__).parents[3] / "docs" / "keys.md"
LANE = {
    *("move", "trim", "split", "insert", "duplicate", "delete", "clear", "set", "solo"),
    *("add_marker", "rename_marker", "move_marker", "delete_markers"),
}
"""Operations that an editor carries out on the lane."""


def test_every_operation_on_the_page_exists_and_every_verb_of_the_lane_is_on_it() -> None:
    with pytest.raises(EditRefused) as refused:
        run(Cut(rate=(8, 1), width=96, height=64), {"kind": "?"}, setting())
    kinds = set(re.findall(r"'(\w+)'", str(refused.value).partition("Expected one of")[2]))
    named = set(re.findall(r"`edits`: `(\w+)`", PAGE.read_text()))
    assert kinds >= named >= LANE
