"""The outermost layer: which requests reach the studio at all, and what every answer carries.

A page open elsewhere in the same browser, or another user of this machine, must not reach it: Host
and Origin are exactly ours, Fetch metadata is obeyed, and a token of this launch is required.
"""

from __future__ import annotations

import hmac
import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.settings import Settings

CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; "
    "form-action 'self'; object-src 'none'"
)
"""Gradio compiles templates with `new Function`: this stops exfiltration, not inline script."""
HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
CLOSED = (
    *(
        f"/gradio_api/{name}"
        for name in (
            "file=http",
            "proxy=",
            "vibe",
            "undo-vibe",
            "process_recording",
            "stream",
            "run-history",
            "upload",
            "deep_link",
            "runs",
            "openapi",
        )
    ),
    "/monitoring",
)
"""Routes of Gradio that this studio never uses."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_REASONS = {
    401: "Open the studio with the address that it printed when it started: it holds a token.",
    403: "This request was refused: it did not come from the studio's own page.",
    421: "This address is not the studio's. Open the address that it printed when it started.",
}


class Guard:
    """Pure ASGI middleware for http and websocket; must be the outermost one."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Guard `app`, which is served at the host and port of `settings`."""
        port = settings.port
        names = ("127.0.0.1", "localhost", "[::1]")
        self.app = app
        self.cookie = f"mnemoreel_{port}"
        self._token = settings.token
        self._hosts = {f"{name}:{port}" for name in names}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, refuse it, or hand out the cookie for the first URL's token."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        status = self.judge(scope)
        if status in (0, 401) and self._has_url_token(scope):
            await self._welcome(scope, send)
        elif status:
            await _refuse(scope, receive, send, status)
        else:
            await self.app(scope, receive, _with_headers(send))

    def judge(self, scope: Scope) -> int:
        """Return the status to refuse a request with. 0 = pass."""
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 421
        if not scope["path"].startswith("/"):
            return 421  # a whole address, as it is sent to proxies: which host it means is unsaid
        if not self._is_ours(scope) or scope["path"].startswith(CLOSED):
            return 403
        return 0 if self._has_token(scope) else 401

    def _is_ours(self, scope: Scope) -> bool:
        origins = _values(scope, b"origin")
        if len(origins) > 1 or (origins and origins[0] not in self._origins):
            return False
        sites = _values(scope, b"sec-fetch-site")
        if not sites:
            return True
        if scope.get("method", "GET") not in SAFE_METHODS:
            return all(site in ("same-origin", "none") for site in sites)
        if any(site in ("cross-site", "same-site") for site in sites):
            return _is_top_level_get(scope)
        return True

    def _has_token(self, scope: Scope) -> bool:
        given = [v.removeprefix("Bearer ") for v in _values(scope, b"authorization")]
        for header in _values(scope, b"cookie"):
            try:
                morsel = SimpleCookie(header).get(self.cookie)
            except CookieError:
                continue
            if morsel is not None:
                given.append(morsel.value)
        return any(self._is_token(value) for value in given)

    def _is_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._token.encode())

    def _has_url_token(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return False
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        return self._is_token(query.get("token", ""))

    async def _welcome(self, scope: Scope, send: Send) -> None:
        """Swap the token in the URL for a cookie, so that it does not stay in the history."""
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        rest = urlencode([(k, v) for k, v in query if k != "token"])
        cookie = f"{self.cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
        headers = [
            (b"location", f"/?{rest}".encode() if rest else b"/"),
            (b"set-cookie", cookie.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", b"0"),
            *HEADERS,
        ]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _is_top_level_get(scope: Scope) -> bool:
    """Return whether a browser navigates to the page itself, as a link from elsewhere does."""
    is_document = all(v == "document" for v in _values(scope, b"sec-fetch-dest"))
    return bool(
        scope["type"] == "http"
        and scope["method"] == "GET"
        and scope["path"] == "/"
        and _values(scope, b"sec-fetch-mode") in (["navigate"], [])
        and is_document
    )


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in HEADERS}
            kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in names]
            message = {**message, "headers": [*kept, *HEADERS]}
        await send(message)

    return wrapped


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": _REASONS[status][:120]})
        return
    if scope["path"].startswith("/api/"):
        body = json.dumps({"message": _REASONS[status]}).encode()
        kind = b"application/json"
    else:
        body, kind = _REASONS[status].encode(), b"text/plain; charset=utf-8"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
