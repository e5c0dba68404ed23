"""The JSON routes about what editors prefer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from studio.actions import preferences
from studio.web.answers import Body, Open

router = APIRouter(prefix="/api")


class Changes(Body):
    """Preferences to store, by name; those not named stay as they are."""

    settings: dict[str, Any] = Field(min_length=1, max_length=20)


@router.get("/settings")
def read_settings(session: Open) -> dict[str, Any]:
    """Return every preference."""
    return {"settings": preferences.read(session)}


@router.put("/settings")
def change_settings(session: Open, body: Changes) -> dict[str, Any]:
    """Store some preferences and return all of them."""
    return {"settings": preferences.change(session, body.settings)}
