"""Make again, in order, the shots whose takes were made from something else than they would be."""

from __future__ import annotations

from storage import history, settings, takes
from studio.actions.generate import generate
from studio.actions.memory_document import THRESHOLD, threshold_of
from studio.actions.reading import staleness_of
from studio.session import Session
from studio.timeline.edit import EditRefused


def set_threshold(session: Session, project_id: str, threshold: float) -> float:
    """Store the grade above which a shot is made again, and return it.

    Raises:
        EditRefused: it is not a share.
    """
    if not 0 <= threshold < 1:
        raise EditRefused(f"A threshold of {threshold}. Expected a share from 0 to below 1.")
    with session.library.write() as tx:
        history.head(tx, project_id)
        settings.put(tx, THRESHOLD, threshold)
    session.changed(project_id)
    return threshold


def update(session: Session, project_id: str) -> list[str]:
    """Queue a take of each stale shot above the stored threshold and return the jobs' ids.

    Shots that only become stale because an earlier one is made again are among them. Seeds stay.
    """
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
        known = {take.id: take for take in takes.of_project(tx, project_id)}
        threshold = threshold_of(tx)
    found = staleness_of(session, cut, known).to_update(threshold)
    return generate(session, project_id, [shot.shot_id for shot, _ in found]) if found else []
