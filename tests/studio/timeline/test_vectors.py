"""The server edits exactly as the page does ahead of it: the same vectors are run on both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storage.canonical import new_id
from storage.records import cut_from_json, cut_to_json
from studio.timeline.edit import Material
from studio.timeline.operation import Setting, run
from tests.studio.timeline.test_plan import FACTS

VECTORS = json.loads((Path(__file__).parents[2] / "js" / "edits.json").read_text())
CASES = VECTORS["cases"]
FIELDS = ("shot_id", "title", "prompt", "num_frames", "in", "out", "locked", "muted")


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_an_edit_gives_what_the_page_shows_ahead_of_it(case: Any) -> None:
    assert {name: getattr(FACTS, name) for name in VECTORS["facts"]} == VECTORS["facts"]
    before, after = case["before"], case["after"]
    shots = [s | {"take_id": s["take"] and s["take"]["take_id"]} for s in before["shots"]]
    whole = {"rate": (8, 1), "width": 96, "height": 64, "shots": shots}
    cut = cut_from_json(whole | {"markers": before["markers"]})
    materials = {
        s["take_id"]: Material(take_id=s["take_id"], number=1, num_frames=s["take"]["num_frames"])
        for s in shots
        if s["take"]
    }
    setting = Setting(facts=FACTS, materials=materials, new_id=new_id)
    edited = cut_to_json(run(cut, case["op"], setting).cut)
    assert edited["markers"] == after["markers"]
    assert [{f: s[f] for f in FIELDS} for s in edited["shots"]] == [
        {f: s[f] for f in FIELDS} for s in after["shots"]
    ]
    for got, wanted in zip(edited["shots"], after["shots"], strict=True):
        assert got["take_id"] == (wanted["take"] and wanted["take"]["take_id"])
        assert {k: got["params"][k] for k in wanted["params"]} == wanted["params"]
        assert {k: got["memory"][k] for k in wanted["memory"]} == wanted["memory"]
