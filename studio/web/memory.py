"""The JSON routes about memory: update what changed, fidelity, two systems side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import Field

from studio.actions.budget_curve import curve, measure_curve
from studio.actions.compare_systems import compare_systems, take_grade
from studio.actions.fidelity import fidelity
from studio.actions.update import set_threshold, update
from studio.web.answers import Body, Open
from studio.web.api import Id, Json

router = APIRouter(prefix="/api")


class ThresholdBody(Body):
    """The grade above which a shot is made again."""

    threshold: float = Field(ge=0, lt=1)


class SystemsBody(Body):
    """A shot, and the two memory systems that it is made with."""

    shot_id: str = Field(max_length=64)
    systems: list[Annotated[str, Field(max_length=64)]] = Field(min_length=2, max_length=2)


@router.post("/projects/{project_id}/update")
def queue_update(session: Open, project_id: Id) -> Json:
    """Queue a take of each shot that is stale above the threshold, in order."""
    return {"jobs": update(session, project_id)}


@router.post("/projects/{project_id}/update/threshold")
def put_threshold(session: Open, project_id: Id, body: ThresholdBody) -> Json:
    """Store the threshold, for every project."""
    return {"threshold": set_threshold(session, project_id, body.threshold)}


@router.post("/projects/{project_id}/fidelity")
def read_fidelity(session: Open, project_id: Id) -> Json:
    """Return how well memory holds each shot; what is not known is measured while nothing waits."""
    return fidelity(session, project_id)


@router.get("/projects/{project_id}/curve")
def read_curve(session: Open, project_id: Id) -> Json:
    """Return what memory tokens cost and give, as far as it was measured here."""
    return curve(session, project_id)


@router.post("/projects/{project_id}/curve")
def queue_curve(session: Open, project_id: Id) -> Json:
    """Queue the measurement of what memory tokens cost and give."""
    return {"job": measure_curve(session, project_id)}


@router.post("/projects/{project_id}/systems")
def queue_systems(session: Open, project_id: Id, body: SystemsBody) -> Json:
    """Queue the same shot under two memory systems."""
    try:
        return {"jobs": compare_systems(session, project_id, body.shot_id, body.systems)}
    except LookupError as error:
        raise HTTPException(422, str(error)) from error


@router.get("/projects/{project_id}/shots/{shot_id}/takes/{take_id}/grade")
def read_grade(session: Open, project_id: Id, shot_id: Id, take_id: Id) -> Json:
    """Return how stale a shot would be with a take, and what the take's memory holds."""
    return take_grade(session, project_id, shot_id, take_id)
