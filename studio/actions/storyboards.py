"""Plan a storyboard, which changes nothing, and import it into the cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy.engine import Connection

from storage import history
from storage.canonical import new_id
from storage.records import Cut
from studio.actions.committing import Done, commit
from studio.session import Session
from studio.timeline import edits, storyboard
from studio.timeline.edit import Edit
from studio.timeline.plan import Plan, plan
from studio.timeline.reading import DEFAULT_BUDGET
from studio.timeline.storyboard import Storyboard, StoryboardError

Mode = Literal["append", "replace"]


def plan_storyboard(session: Session, project_id: str, text: str) -> tuple[Storyboard, Plan]:
    """Return what `text` would become in this project, with the lines that could not be read.

    Raises:
        StoryboardError: nothing in it can be used at all.
    """
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
    board = storyboard.parse(text, cut.rate)
    budget = cut.memory_budget or DEFAULT_BUDGET
    facts = dataclasses.replace(session.facts(cut.rate), memory_budget=budget)
    return board, plan(board, facts)


def import_storyboard(  # noqa: PLR0913 - how its shots are to be
    session: Session,
    project_id: str,
    text: str,
    *,
    mode: Mode,
    base_rev: int | None = None,
    seed: int | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Done:
    """Add the shots of a storyboard to the cut, or put them in place of what is not locked.

    Raises:
        StoryboardError: nothing in it, or lines that cannot be read: none is left out silently.
    """
    board, planned = plan_storyboard(session, project_id, text)
    if board.problems:
        raise StoryboardError(problems_in_words(board))

    given = {"memory_system": session.facts().memory_system, **(defaults or {})}

    def make(_: Connection, cut: Cut) -> Edit:
        return edits.apply_storyboard(
            cut, planned, mode=mode, new_id=new_id, seed=seed, defaults=given
        )

    op = {"kind": "apply_storyboard", "mode": mode, "text": text}
    return commit(session, project_id, op, make, base_rev=base_rev)


def problems_in_words(board: Storyboard) -> str:
    """Return the lines that could not be read, each with its number."""
    shown = [f"line {p.line} ({p.text[:60]!r}): {p.message}" for p in board.problems[:5]]
    more = len(board.problems) - len(shown)
    tail = f" And {more} more." if more > 0 else ""
    count = len(board.problems)
    lines = "1 line" if count == 1 else f"{count} lines"
    return f"The storyboard has {lines} that cannot be read: " + " ".join(shown) + tail
