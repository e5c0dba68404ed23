"""Queue the export of the cut as one film."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from sqlalchemy.engine import Connection

from engine.slate import Slate, SlateShot
from storage import history, jobs, projects, takes
from storage.records import Cut, Json, Shot, Take
from studio.session import Session
from studio.timeline.cut import shown_shots
from studio.timeline.edit import EditRefused

MAX_TITLE = 300


def export_cut(
    session: Session, project_id: str, *, title_card: str | None = None, priority: int = 0
) -> str:
    """Queue the export of the cut as it is now and return the job's id.

    Raises:
        EditRefused: nothing to show, shots without a take (they are named), or a title too long.
    """
    if title_card is not None and len(title_card) > MAX_TITLE:
        raise EditRefused(f"A title of {len(title_card)} characters. Expected to {MAX_TITLE}.")
    with session.library.write() as tx:
        branch, cut = history.head(tx, project_id)
        spec = _spec(tx, project_id, cut) | {
            "node_id": branch.head_node,
            "title_card": title_card.strip() or None if title_card else None,
        }
        job = jobs.add(tx, kind="export", project_id=project_id, spec=spec, priority=priority)
    session.changed(project_id)
    return job.id


def _spec(tx: Connection, project_id: str, cut: Cut) -> Json:
    shots = shown_shots(cut)
    if not shots:
        raise EditRefused("The cut shows nothing. Add a shot, or unmute one.")
    empty = [str(cut.shots.index(s) + 1) for s in shots if s.take_id is None]
    if empty:
        many = "Shots" if len(empty) > 1 else "Shot"
        raise EditRefused(
            f"{many} {', '.join(empty)} without a take. Generate them, or mute them to leave "
            "them out of the film."
        )
    known: dict[str, Take] = {t.id: t for t in takes.of_project(tx, project_id)}
    parts = [
        {
            "media_digest": known[shot.take_id or ""].media_digest,
            "num_frames": known[shot.take_id or ""].num_frames,
            "in": shot.in_,
            "out": shot.out,
        }
        for shot in shots
    ]
    name = projects.get(tx, project_id).name
    return {
        "parts": parts,
        "width": cut.width,
        "height": cut.height,
        "rate": list(cut.rate),
        "name": name,
        "slate": dataclasses.asdict(slate_of(cut, shots, known, name)),
    }


def slate_of(cut: Cut, shots: Iterable[Shot], known: Mapping[str, Take], name: str) -> Slate:
    """Return what a film says of itself: its shots, as what their takes were made from."""
    return Slate(
        rate=cut.rate,
        width=cut.width,
        height=cut.height,
        name=name,
        shots=tuple(_slate_shot(shot, known[shot.take_id or ""]) for shot in shots),
    )


def _slate_shot(shot: Shot, take: Take) -> SlateShot:
    # What the take was made from, not what the shot says now: that is what the film shows.
    spec = take.spec
    return SlateShot(
        num_frames=take.num_frames,
        in_frame=shot.in_,
        out_frame=shot.out,
        latents=take.latents_digest or "",
        title=shot.title,
        prompt=spec.get("prompt", ""),
        seed=take.seed,
        num_steps=spec.get("num_steps", 0),
        guidance=spec.get("guidance"),
        strength=spec.get("strength"),
        memory_system=spec.get("memory_system", ""),
    )
