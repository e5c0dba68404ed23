"""The guard answers every attack of the table (S1-S9) as expected, and lets the owner in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from studio.settings import Settings
from studio.web.guard import CLOSED, CSP, Guard
from tests.conftest import Studio

TOKEN = "secret-of-this-launch"
OWNER = {"authorization": f"Bearer {TOKEN}"}


async def answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("in")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("in")
    await websocket.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(data_folder=tmp_path, port=7860, token=TOKEN)
    methods = ["GET", "POST", "DELETE"]
    routes = [
        WebSocketRoute("/live", socket),
        Route("/", answer, methods=methods),
        Route("/{rest:path}", answer, methods=methods),
    ]
    app = Guard(Starlette(routes=routes), settings)
    with TestClient(app, base_url="http://127.0.0.1:7860", follow_redirects=False) as made:
        yield made


def test_the_owner_gets_in_by_token_on_every_name_of_this_machine(client: TestClient) -> None:
    for host in ("127.0.0.1:7860", "localhost:7860", "[::1]:7860"):
        got = client.get("/", headers={**OWNER, "host": host, "origin": f"http://{host}"})
        assert (got.status_code, got.text) == (200, "in")
    assert client.post("/api/x", headers={**OWNER, "sec-fetch-site": "same-origin"}).text == "in"


def test_the_first_address_swaps_its_token_for_a_strict_cookie(client: TestClient) -> None:
    got = client.get(f"/?project=7&token={TOKEN}")
    assert got.status_code == 303
    assert got.headers["location"] == "/?project=7"
    cookie = got.headers["set-cookie"]
    assert cookie.startswith("mnemoreel_7860=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/").text == "in"


@pytest.mark.parametrize(
    "host", ["evil.com", "evil.com:7860", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:7860/?x=", ""]
)
def test_s1_another_host_is_misdirected(client: TestClient, host: str) -> None:
    assert client.get("/", headers={**OWNER, "host": host}).status_code == 421
    evil = {**OWNER, "host": host, "origin": "http://evil.com"}
    assert client.post("/api/x", headers=evil).status_code == 421


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.com", "http://127.0.0.1:7861", "https://127.0.0.1:7860"]
)
def test_s3_s4_another_origin_is_forbidden(client: TestClient, origin: str) -> None:
    assert client.post("/api/x", headers={**OWNER, "origin": origin}).status_code == 403
    assert client.get("/", headers={**OWNER, "origin": origin}).status_code == 403


def test_s5_a_form_of_another_site_is_forbidden(client: TestClient) -> None:
    headers = {**OWNER, "origin": "http://evil.com", "sec-fetch-site": "cross-site"}
    got = client.post("/upload", headers=headers, files={"file": b"x"})
    assert got.status_code == 403


def test_s6_cross_site_requests_are_forbidden_but_a_link_to_the_page(client: TestClient) -> None:
    for site in ("cross-site", "same-site"):
        headers = {**OWNER, "sec-fetch-site": site}
        assert client.get("/api/projects", headers=headers).status_code == 403
        assert client.post("/", headers=headers).status_code == 403
        link = {**headers, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        assert client.get("/", headers=link).status_code == 200
        frame = {**headers, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
        assert client.get("/", headers=frame).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"cookie": "mnemoreel_7860=wrong"},
        {"cookie": f"mnemoreel_7861={TOKEN}"},
        {"cookie": "=;;\x7f"},
        {"authorization": "Bearer ü".encode()},
    ],
)
def test_s7_without_the_token_nobody_gets_in(client: TestClient, headers: dict[str, Any]) -> None:
    got = client.get("/api/projects", headers=headers)
    assert got.status_code == 401
    assert "printed" in got.json()["message"]
    assert client.get("/?token=wrong", headers=headers).status_code == 401


def test_s9_two_hosts_or_two_origins_are_refused(client: TestClient) -> None:
    twice = [("host", "127.0.0.1:7860"), ("host", "evil.com"), *OWNER.items()]
    assert client.get("/", headers=twice).status_code == 421
    origins = [("origin", "http://127.0.0.1:7860"), ("origin", "http://evil.com"), *OWNER.items()]
    assert client.get("/", headers=origins).status_code == 403


def test_s9_a_whole_address_instead_of_a_path_is_refused() -> None:
    settings = Settings(data_folder=Path(), port=7860, token=TOKEN)
    guard = Guard(Starlette(), settings)
    headers = [(b"host", b"127.0.0.1:7860"), (b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {"type": "http", "method": "GET", "headers": headers}
    assert guard.judge({**scope, "path": "http://evil.com/"}) == 421
    assert guard.judge({**scope, "path": "/"}) == 0


@pytest.mark.parametrize("path", CLOSED)
def test_routes_of_gradio_that_are_not_used_are_closed(client: TestClient, path: str) -> None:
    assert client.get(f"{path}/x", headers=OWNER).status_code == 403


def test_every_answer_carries_the_headers_refusals_included(client: TestClient) -> None:
    for got in (client.get("/", headers=OWNER), client.get("/"), client.get(f"/?token={TOKEN}")):
        assert got.headers["content-security-policy"] == CSP
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["x-frame-options"] == "DENY"
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_websocket_is_guarded_like_a_request(client: TestClient) -> None:
    url = "ws://127.0.0.1:7860/live"
    with client.websocket_connect(url, headers=OWNER) as live:
        assert live.receive_text() == "in"
    for headers in (
        {},
        {**OWNER, "origin": "http://evil.com"},
        {**OWNER, "sec-fetch-site": "cross-site"},
    ):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(url, headers=headers):
            pass
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://evil.com/live", headers=OWNER),
    ):
        pass


def test_an_address_that_others_can_reach_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="other machines"):
        Settings(data_folder=tmp_path, host="0.0.0.0")


def test_the_guard_is_the_outermost_layer_of_the_studio(studio: Studio) -> None:
    outermost: object = studio.app.user_middleware[0].cls
    assert outermost is Guard
    assert studio.client.get("/api/projects", headers={"authorization": "no"}).status_code == 401
    assert studio.client.get("/docs").status_code == 404
    assert studio.client.get("/openapi.json").status_code == 404
