"""The JSON routes of the first minute: samples, this machine, its model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from studio.actions import first_steps
from studio.actions.samples import samples
from studio.web.answers import Body, Open

router = APIRouter(prefix="/api")


class ModelFolder(Body):
    """Where a model is on this machine."""

    path: str = Field(max_length=first_steps.MAX_PATH)


class ModelChoice(Body):
    """The model to use; null = the one that ships."""

    path: str | None = Field(max_length=first_steps.MAX_PATH)


@router.get("/samples")
def read_samples(session: Open) -> dict[str, Any]:
    """Return the storyboards that come with the studio."""
    return {"samples": samples(session)}


@router.get("/machine")
def read_machine(session: Open) -> dict[str, Any]:
    """Return what the studio runs on."""
    return first_steps.machine(session)


@router.post("/model/check")
def check_model(body: ModelFolder) -> dict[str, Any]:
    """Return whether a folder can be used as the model. Nothing is loaded or changed."""
    return first_steps.check_model(body.path)


@router.put("/model")
def use_model(session: Open, body: ModelChoice) -> dict[str, Any]:
    """Load another model, now and at each later start."""
    first_steps.use_model(session, body.path)
    return first_steps.machine(session)
