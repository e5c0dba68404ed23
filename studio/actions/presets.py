"""Presets: named sets of parameters, the same in every project of the library."""

from __future__ import annotations

from storage import settings
from storage.errors import NotFound
from storage.records import Json
from studio.session import Session
from studio.timeline.edit import EditRefused

NAME = "presets"
MAX_PRESETS = 100


def read_presets(session: Session) -> list[Json]:
    """Return the presets, by name."""
    with session.library.read() as tx:
        kept: list[Json] = settings.get(tx, NAME, [])
    return kept


def keep_preset(session: Session, name: str, fields: Json) -> list[Json]:
    """Keep a preset, in place of one with that name, and return all of them.

    Raises:
        EditRefused: a name without letters, or too many presets.
    """
    if not name.strip():
        raise EditRefused("A preset without a name. Write what it is for.")
    with session.library.write() as tx:
        kept: list[Json] = settings.get(tx, NAME, [])
        others = [p for p in kept if p["name"] != name.strip()]
        if len(others) >= MAX_PRESETS:
            raise EditRefused(f"{len(others)} presets. Expected at most {MAX_PRESETS}: remove one.")
        now = sorted([*others, {"name": name.strip(), **fields}], key=lambda p: p["name"].lower())
        settings.put(tx, NAME, now)
    return _tell(session, now)


def remove_preset(session: Session, name: str) -> list[Json]:
    """Forget a preset and return those that are left.

    Raises:
        NotFound: no preset has that name.
    """
    with session.library.write() as tx:
        kept: list[Json] = settings.get(tx, NAME, [])
        now = [p for p in kept if p["name"] != name]
        if len(now) == len(kept):
            raise NotFound(f"No preset {name[:40]!r}. It may be removed already.")
        settings.put(tx, NAME, now)
    return _tell(session, now)


def _tell(session: Session, now: list[Json]) -> list[Json]:
    session.publish(None, {"kind": "presets", "presets": now})
    return now
