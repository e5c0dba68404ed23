"""How routes find the session, what they demand of a request, and how errors become answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from storage.errors import (
    BlobCorrupt,
    BlobMissing,
    Conflict,
    NotFound,
    Refused,
    StorageError,
)
from studio.actions.document import document
from studio.actions.take_document import json_text
from studio.session import NotReady, Session
from studio.timeline.edit import EditRefused
from studio.timeline.storyboard import StoryboardError
from studio.timeline.timecode import TimecodeError

MAX_BODY_BYTES = 4 << 20
"""Largest JSON body of a request."""

UPLOADS = ("/footage", "/stills", "/bundles")
"""Ends of the paths whose bodies are files: streamed, with limits of their own."""

_STATUS: dict[type[Exception], int] = {
    NotFound: 404,
    BlobMissing: 404,
    BlobCorrupt: 404,
    Refused: 422,
    EditRefused: 422,
    StoryboardError: 422,
    TimecodeError: 422,
    NotReady: 503,
    StorageError: 503,
}

Handler = Callable[[Request, Exception], Awaitable[Response]]


class Body(BaseModel):
    """The JSON body of a request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


def session_of(request: Request) -> Session:
    """Return the session that the app was built with."""
    return cast(Session, request.app.state.session)


Open = Annotated[Session, Depends(session_of)]


class JsonOnly:
    """Pure ASGI middleware: a request that changes something is JSON of a known, small size.

    A form of another site cannot be JSON. It looks before the body is read, so that nothing large
    is ever taken in; only uploads, which are streamed, pass as they are.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 415 or 413."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await JSONResponse({"message": refusal[1]}, refusal[0])(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        path, method = scope["path"], scope["method"]
        if method in ("GET", "HEAD") or not path.startswith("/api/") or path.endswith(UPLOADS):
            return None
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return 415, f"The content type is {kind[:60]!r}. Expected application/json."
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            told = length[:20] or "an unknown number of"
            return 413, f"A body of {told} bytes. Expected at most {MAX_BODY_BYTES}."
        return None


def add_error_answers(app: FastAPI) -> None:
    """Make every error of the app an answer `{"message": ...}` in plain words."""
    for error, status in _STATUS.items():
        app.add_exception_handler(error, _answer(status))
    app.add_exception_handler(Conflict, _conflict)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _http)


def _answer(status: int) -> Handler:
    async def handle(_: Request, error: Exception) -> Response:
        return JSONResponse({"message": str(error)}, status)

    return handle


async def _conflict(request: Request, error: Exception) -> Response:
    project_id = request.path_params.get("project_id", "")
    newer = await asyncio.to_thread(document, session_of(request), project_id)
    text = f'{{"message":{json_text(str(error))},"document":{newer}}}'
    return Response(text.encode(), 409, media_type="application/json")


async def _invalid(_: Request, error: Exception) -> Response:
    parts = []
    for item in cast(RequestValidationError, error).errors()[:5]:
        place = ".".join(str(p) for p in item["loc"] if p != "body")
        parts.append(f"{place}: {item['msg']}" if place else item["msg"])
    return JSONResponse({"message": f"The request does not fit: {'; '.join(parts)}."}, 422)


async def _http(_: Request, error: Exception) -> Response:
    known = cast(StarletteHTTPException, error)
    message = known.detail if known.detail != "Not Found" else "There is nothing at this address."
    return JSONResponse({"message": message}, known.status_code, headers=known.headers)
