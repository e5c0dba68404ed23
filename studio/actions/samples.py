"""The storyboards that come with the studio, as an editor chooses among them."""

from __future__ import annotations

import json
from pathlib import Path

from storage.records import Json
from studio.session import NotReady, Session
from studio.timeline import storyboard
from studio.timeline.plan import plan

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "storyboards"
"""Folder of the storyboards, of their index and of their pictures; served at `/storyboards`."""
PICTURES = "pictures"


def samples(session: Session) -> list[Json]:
    """Return the samples with their text and what this model would make of them.

    Where the model's folder cannot be read there is no plan: counts and times are None.
    """
    rows: list[Json] = json.loads((FOLDER / "samples.json").read_text("utf-8"))
    return [_sample(session, row) for row in rows]


def picture_of(file: str) -> Path:
    """Return where the picture of a sample is kept: frames of three shots, side by side."""
    return FOLDER / PICTURES / f"{Path(file).stem}.jpg"


def _sample(session: Session, row: Json) -> Json:
    text = (FOLDER / row["file"]).read_text("utf-8")
    picture = picture_of(row["file"])
    return {
        "id": Path(row["file"]).stem,
        "title": row["title"],
        "shows": row["shows"],
        "look": row["look"],
        "text": text,
        "picture": f"/storyboards/{PICTURES}/{picture.name}" if picture.is_file() else None,
        **_planned(session, text),
    }


def _planned(session: Session, text: str) -> Json:
    try:
        facts = session.facts()
    except NotReady:
        return {"shots": None, "seconds": None, "estimated_seconds": None, "unknown_words": []}
    planned = plan(storyboard.parse(text, facts.rate), facts)
    numerator, denominator = facts.rate
    unknown = {word for shot in planned.shots for word in shot.unknown_words}
    return {
        "shots": len(planned.shots),
        "seconds": planned.total_frames * denominator / numerator,
        "estimated_seconds": planned.total_seconds or None,
        "unknown_words": sorted(unknown),
    }
