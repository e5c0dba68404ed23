"""Notes on continuity over the API: measured after a take, placed in the cut, dismissed."""

from __future__ import annotations

import time
from typing import Any

from engine.specs import LintSpec
from tests.conftest import Studio
from tests.patience import patience_ends

STORY = "0:00 Mia walks\n0:02 a red ball\n0:04 Mia waves\n0:06 In the park, Mia jumps"


def notes(studio: Studio, project_id: str) -> Any:
    return studio.get(f"/api/projects/{project_id}/notes")


def measured(studio: Studio, project_id: str) -> Any:
    """Return the notes once nothing is left to measure."""
    deadline = patience_ends(20)
    while (told := notes(studio, project_id))["unchecked"]:
        assert time.monotonic() < deadline, told
        time.sleep(0.01)
    return told


def test_a_take_is_compared_with_earlier_shots_that_name_the_same_person(studio: Studio) -> None:
    project_id = studio.project(STORY)
    document = studio.generated(project_id)
    told = measured(studio, project_id)
    assert (told["checked"], told["unchecked"]) == (2, 0)
    ids = [shot["shot_id"] for shot in document["shots"]]
    assert [note["shot_id"] for note in told["notes"]] == [ids[2], ids[3]]
    assert [note["frame"] for note in told["notes"]] == [34 + 4, 51 + 4]
    first = told["notes"][0]
    assert first["text"] == (
        "Colours of the subject: red → orange from 00:00:04:06, against Shot 1"
    )
    assert "Score 15.0, noted above 12.0" in first["detail"]
    takes = [shot["take"]["take_id"] for shot in document["shots"]]
    specs = [s for s in studio.engine.submitted if isinstance(s, LintSpec)]
    assert [[t.take_id for t in s.past] for s in specs] == [[takes[0]], [takes[0], takes[2]]]
    assert document["jobs"] == studio.document(project_id)["jobs"] == []
    assert all(job["kind"] == "generate" for job in queue_done(studio, project_id))


def queue_done(studio: Studio, project_id: str) -> Any:
    return studio.get(f"/api/projects/{project_id}/queue")["done"]


def test_a_dismissed_note_stays_away_and_a_trimmed_one_is_not_shown(studio: Studio) -> None:
    project_id = studio.project(STORY)
    shots = studio.generated(project_id)["shots"]
    first, second = measured(studio, project_id)["notes"]
    studio.post(f"/api/projects/{project_id}/notes/dismiss", id=first["id"])
    assert notes(studio, project_id)["notes"] == [second]
    op = {"kind": "trim", "shot_id": shots[3]["shot_id"], "in": 0, "out": 4}
    studio.post(f"/api/projects/{project_id}/edits", op=op)
    assert notes(studio, project_id)["notes"] == []


def test_another_order_is_measured_when_the_editor_asks_for_it(studio: Studio) -> None:
    project_id = studio.project(STORY)
    shots = studio.generated(project_id)["shots"]
    measured(studio, project_id)
    op = {"kind": "move", "shot_ids": [shots[3]["shot_id"]], "before": shots[0]["shot_id"]}
    studio.post(f"/api/projects/{project_id}/edits", op=op)
    assert notes(studio, project_id)["unchecked"] == 2
    assert studio.post(f"/api/projects/{project_id}/notes/check") == {"queued": 2}
    assert len(measured(studio, project_id)["notes"]) == 2
    assert studio.post(f"/api/projects/{project_id}/notes/check") == {"queued": 0}
    studio.post(f"/api/projects/{project_id}/undo")
    assert notes(studio, project_id)["unchecked"] == 0, "what was measured before is still known"
