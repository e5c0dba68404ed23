"""Chance edits: the page shows ahead of the server exactly what the server then says."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from storage.records import Cut, Json, Marker, Shot, cut_to_json
from studio.timeline.cut import total_frames
from studio.timeline.edit import EditRefused
from studio.timeline.operation import run
from tests.studio.timeline.test_edits import MATERIALS, setting
from tests.studio.timeline.test_plan import FACTS

NODE = shutil.which("node")
REPLAY = Path(__file__).parents[2] / "js" / "replay.mjs"
NUM_CASES = 600


def chance_cut(chance: random.Random) -> Cut:
    shots = []
    for index in range(chance.randint(1, 7)):
        take = chance.choice([None, *MATERIALS])
        length = MATERIALS[take].num_frames if take else chance.choice([5, 9, 17, 33])
        in_ = chance.randrange(length) if take else 0
        out = chance.randint(in_ + 1, length) if take else length
        num_frames = 17 if take else length
        shots.append(
            Shot(
                shot_id=f"s{index}",
                num_frames=num_frames,
                in_=in_,
                out=out,
                take_id=take,
                muted=chance.random() < 0.3,
            )
        )
    frames = sorted(chance.sample(range(200), chance.randint(0, 5)))
    markers = tuple(Marker(frame=frame, label=f"m{frame}") for frame in frames)
    return Cut(rate=(8, 1), width=96, height=64, shots=tuple(shots), markers=markers)


def chance_op(chance: random.Random, cut: Cut) -> Json:
    ids = [s.shot_id for s in cut.shots]
    some = chance.sample(ids, chance.randint(1, len(ids)))
    shot = chance.choice(cut.shots)
    frames = [m.frame for m in cut.markers] or [0]
    marker, free = chance.choice(frames), chance.randrange(total_frames(cut) + 20)
    fields: list[Json] = [{"muted": True}, {"locked": True}, {"num_frames": 9}, {"seed": 3}]
    ops: list[Json] = [
        {"kind": "move", "shot_ids": some, "before": chance.choice([None, *ids])},
        {"kind": "delete", "shot_ids": some},
        {"kind": "clear", "shot_ids": some},
        {"kind": "solo", "shot_ids": chance.choice([[], some])},
        {"kind": "set", "shot_ids": some, "fields": chance.choice(fields)},
        {
            "kind": "trim",
            "shot_id": shot.shot_id,
            "in": chance.randint(0, 20),
            "out": chance.randint(1, 41),
        },
        {"kind": "set_memory", "shot_id": shot.shot_id, "pins": [], "forgotten": some},
        {"kind": "add_marker", "frame": free, "label": "new"},
        {"kind": "move_marker", "frame": marker, "to": free},
        {"kind": "rename_marker", "frame": marker, "label": "other"},
        {"kind": "delete_markers", "frames": [marker]},
    ]
    return chance.choice(ops)


def as_page(cut: Cut) -> Json:
    """The part of the document that edits ahead of the server are made on."""
    whole = cut_to_json(cut)
    for shot in whole["shots"]:
        take = MATERIALS[shot["take_id"]] if shot["take_id"] else None
        shot["take"] = take and {"take_id": take.take_id, "num_frames": take.num_frames}
    return {"shots": whole["shots"], "markers": whole["markers"]}


@pytest.mark.skipif(NODE is None, reason="node is not installed: the page's edits cannot be run")
def test_six_hundred_chance_edits_are_the_same_on_the_page_and_on_the_server() -> None:
    chance = random.Random(20)
    facts = asdict(FACTS) | {"words": []}
    cases: list[Json] = []
    expected: list[Any] = []
    while len(cases) < NUM_CASES:
        cut = chance_cut(chance)
        op = chance_op(chance, cut)
        try:
            after = run(cut, op, setting()).cut
        except EditRefused:
            continue
        cases.append({"before": as_page(cut), "op": op, "facts": facts})
        expected.append(as_page(after))
    told = subprocess.run(
        [str(NODE), str(REPLAY)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    kinds = set()
    for case, shown, said in zip(cases, json.loads(told.stdout), expected, strict=True):
        assert shown == said, case
        kinds.add(case["op"]["kind"])
    assert len(kinds) == 11
