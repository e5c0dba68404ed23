"""docs/api.md says every route, operation and message, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from studio.timeline import fields, operation
from studio.web import live
from tests.conftest import Studio

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "api.md").read_text("utf-8")
STATIC = ROOT / "studio" / "static"


def routes_of(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield from (f"{method} {route.path}" for method in route.methods or ())
        elif isinstance(route, APIWebSocketRoute):
            yield f"WEBSOCKET {route.path}"
        else:
            # An included router is one route of the app that holds the others.
            inner = getattr(route, "original_router", None)
            yield from routes_of(inner.routes) if inner is not None else ()


def first_cells(heading: str) -> set[str]:
    table = DOCUMENT.split(heading, 1)[1].split("\n\n| ", 1)[1].split("\n\n", 1)[0]
    return {line.split("|")[1].strip() for line in table.splitlines()[2:]}


def test_every_route_is_documented_and_every_documented_route_exists(
    shared_studio: Studio,
) -> None:
    documented = re.findall(r"^### ([A-Z]+ /\S+)$", DOCUMENT, re.MULTILINE)
    assert sorted(documented) == sorted(set(routes_of(shared_studio.app.routes)))


def test_every_operation_is_documented_with_the_fields_of_a_shot() -> None:
    operations = first_cells("### POST /api/projects/{project_id}/edits")
    assert operations == set(operation._OPERATIONS)
    row = next(line for line in DOCUMENT.splitlines() if line.startswith("| set |"))
    assert set(re.findall(r"`(\w+)`", row)) == set(fields._SETTERS)


def test_every_message_is_documented_and_the_page_hears_each() -> None:
    told = first_cells("### WEBSOCKET")
    heard = set(re.findall(r"^  _(\w+)\(", (STATIC / "store.js").read_text(), re.M))
    assert told == heard | {"ping"}
    source = Path(live.__file__).read_text("utf-8")
    # "changed" stays within the server: it asks the connection to read new events.
    assert set(re.findall(r'"kind": "(\w+)"', source)) - {"changed"} <= told
