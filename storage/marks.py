"""What an editor thinks of takes: a rating, and whether a take lies in the trash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from storage import schema
from storage.database import now

_mark = schema.take_mark
MAX_RATING = 5


@dataclass(frozen=True, kw_only=True)
class TakeMark:
    """A take's rating and whether it is in the trash."""

    take_id: str
    rating: int = 0
    """Stars, 1 to 5. 0 = not rated."""
    trashed_at: int | None = None
    """When it was put into the trash, in microseconds. None = it is not there."""


def of_takes(tx: Connection, take_ids: Iterable[str]) -> dict[str, TakeMark]:
    """Return the marks of those takes that have one, by id."""
    query = select(_mark).where(_mark.c.take_id.in_(list(take_ids)))
    return {
        row.take_id: TakeMark(take_id=row.take_id, rating=row.rating, trashed_at=row.trashed_at)
        for row in tx.execute(query)
    }


def trashed(tx: Connection, take_ids: Iterable[str]) -> frozenset[str]:
    """Return those of the takes that lie in the trash."""
    query = select(_mark.c.take_id).where(_mark.c.trashed_at.is_not(None))
    return frozenset(tx.execute(query).scalars()) & frozenset(take_ids)


def rate(tx: Connection, take_id: str, rating: int) -> TakeMark:
    """Give a take its stars; 0 takes them back.

    Raises:
        ValueError: the rating is not 0 to 5.
    """
    if not 0 <= rating <= MAX_RATING:
        raise ValueError(f"A rating of {rating}. Expected 0 to {MAX_RATING} stars.")
    before = _get(tx, take_id)
    return _put(tx, TakeMark(take_id=take_id, rating=rating, trashed_at=before.trashed_at))


def trash(tx: Connection, take_id: str) -> TakeMark:
    """Put a take into the trash; nothing of it is removed."""
    before = _get(tx, take_id)
    return _put(tx, TakeMark(take_id=take_id, rating=before.rating, trashed_at=now(tx)))


def restore(tx: Connection, take_id: str) -> TakeMark:
    """Take a take out of the trash."""
    before = _get(tx, take_id)
    return _put(tx, TakeMark(take_id=take_id, rating=before.rating))


def _get(tx: Connection, take_id: str) -> TakeMark:
    return of_takes(tx, [take_id]).get(take_id, TakeMark(take_id=take_id))


def _put(tx: Connection, mark: TakeMark) -> TakeMark:
    tx.execute(delete(_mark).where(_mark.c.take_id == mark.take_id))
    values = {"take_id": mark.take_id, "rating": mark.rating, "trashed_at": mark.trashed_at}
    tx.execute(insert(_mark).values(**values))
    return mark
