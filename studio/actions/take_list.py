"""The takes of a shot as the page shows them: what each was made from, its stars, the trash."""

from __future__ import annotations

from storage import history, marks, takes
from storage.marks import TakeMark
from storage.records import Json, Take
from studio.actions.take_document import take_to_json
from studio.session import Session
from studio.timeline.anchors import frames_of


def takes_to_json(session: Session, project_id: str, shot_id: str) -> list[Json]:
    """Return the takes of a shot, oldest first, the one it shows included and marked."""
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
        shot = next((s for s in cut.shots if s.shot_id == shot_id), None)
        picked = shot.take_id if shot else None
        found = takes.of_shot(tx, shot_id)
        if picked and picked not in {t.id for t in found}:
            # A split or duplicated shot shows a take that was made for another one.
            found.insert(0, takes.get(tx, picked))
        marked = marks.of_takes(tx, [t.id for t in found])
        numbers = {i: number for i, number, _ in takes.lengths_of_project(tx, project_id)}
    rows = []
    for take in found:
        mark = marked.get(take.id, TakeMark(take_id=take.id))
        rows.append(
            take_to_json(take)
            | {
                "picked": take.id == picked,
                "rating": mark.rating,
                # What the cut shows is never in the trash, whatever was undone since.
                "trashed": mark.trashed_at is not None and take.id != picked,
                "made": _made(take, numbers),
            }
        )
    return rows


def _made(take: Take, numbers: dict[str, int]) -> Json:
    """Return what a take was made from, as far as an editor may want it again."""
    spec = take.spec
    base = spec.get("base")
    made = {
        name: spec.get(name)
        for name in ("num_steps", "guidance", "strength", "memory_system", "start", "end")
    }
    if base is not None:
        redone = frames_of(tuple(base["redo"]), take.num_frames)
        made["base"] = {
            "number": numbers.get(base["take_id"]),
            "in": redone[0],
            "out": redone[1],
            "strength": base["strength"],
        }
    return made
