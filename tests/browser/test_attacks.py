"""Attacks on a running studio, Gradio included: by raw requests, and by a page of another origin.

What a client such as curl would tidy up (dots, two Hosts, whole addresses) goes out as it is.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.studio import WAIT_MS, Studio, window

HOST = "Host: 127.0.0.1:{port}"
TOKEN = "Authorization: Bearer {token}"
POST = "Content-Length: 2\r\nContent-Type: application/json"
FORM = "Content-Length: 0\r\nContent-Type: multipart/form-data; boundary=x"
REQUESTS = {
    "S1 another host": ({421}, "GET /", "Host: evil.com", TOKEN),
    "S1 a name that was bound anew": ({421}, "GET /api/projects", "Host: evil.com:{port}", TOKEN),
    "S2 another host and origin": (
        {421},
        *("POST /api/projects", "Host: evil.com", "Origin: http://evil.com", TOKEN, POST),
    ),
    "S3 no origin": ({403}, "POST /api/projects", HOST, "Origin: null", TOKEN, POST),
    "S4 another port": (
        {403},
        *("POST /api/projects", HOST, "Origin: http://127.0.0.1:1", TOKEN, POST),
    ),
    "S5 a form of another site": (
        {403},
        *("POST /gradio_api/upload", HOST, "Origin: http://evil.com", TOKEN, FORM),
    ),
    "S5 a form to gradio by the owner": ({403}, "POST /gradio_api/upload", HOST, TOKEN, FORM),
    "S6 another site": ({403}, "GET /api/projects", HOST, "Sec-Fetch-Site: cross-site", TOKEN),
    "S6 another port": ({403}, "GET /api/projects", HOST, "Sec-Fetch-Site: same-site", TOKEN),
    "S7 nobody": ({401}, "GET /api/projects", HOST),
    "S7 nobody at gradio": ({401}, "GET /gradio_api/info", HOST),
    "S7 a wrong token": ({401}, "GET /api/projects", HOST, "Authorization: Bearer {token}x"),
    "S7 a cookie of another port": (
        {401},
        *("GET /api/projects", HOST, "Cookie: mnemoreel_1={token}"),
    ),
    "S8 the owner": ({200}, "GET /api/projects", HOST, TOKEN),
    "S9 two hosts": ({400, 421}, "GET /", HOST, "Host: evil.com", TOKEN),
    "S9 a host with a path": ({400, 421}, "GET /", "Host: 127.0.0.1:{port}/?x=", TOKEN),
    "S9 a whole address": ({400, 421}, "GET http://evil.com/", HOST, TOKEN),
    "S10 a file": ({403}, "GET /gradio_api/file=/etc/passwd", HOST, TOKEN),
    "S10 a file above": ({403}, "GET /gradio_api/file=../../../../etc/passwd", HOST, TOKEN),
    "S10 a file, in code": ({403, 404}, "GET /gradio_api/file%3D%2Fetc%2Fpasswd", HOST, TOKEN),
    "S10 the program": ({403}, "GET /gradio_api/file=app.py", HOST, TOKEN),
    "S11 an address": ({403}, "GET /gradio_api/file=http://169.254.169.254/", HOST, TOKEN),
    "S11 a proxy": ({403}, "GET /gradio_api/proxy=http://169.254.169.254/", HOST, TOKEN),
    "S12 dots": ({404, 422}, "GET /media/../../library.sqlite3", HOST, TOKEN),
    "S12 dots in code": ({404, 422}, "GET /media/%2e%2e%2flibrary.mp4", HOST, TOKEN),
    "S12 dots in code, twice": ({404, 422}, "GET /media/%252e%252e%252fx.mp4", HOST, TOKEN),
    "S12 dots among the page's files": ({404}, "GET /studio-static/../page.py", HOST, TOKEN),
    "S12 dots in code there": ({404}, "GET /studio-static/%2e%2e/page.py", HOST, TOKEN),
    "S25 a shared page": ({401}, "GET /share/0", HOST),
    "S25 a shared page, to the owner": ({404}, "GET /share/0", HOST, TOKEN),
}
EVIL = """<!doctype html><iframe name="hidden"></iframe>
<form method="post" enctype="multipart/form-data" target="hidden" action="TARGET/api/projects">
<input name="name" value="Taken over"></form><script>
const told = {};
const attempt = (name, act) => act().then(String, () => "refused").then(said => told[name] = said);
const body = JSON.stringify({ name: "Taken over" });
const live = TARGET_WS;
const loaded = (element, source) => new Promise((yes, no) => {
  element.onload = () => yes("loaded"); element.onerror = no; element.src = source;
  document.body.append(element);
});
window.attack = async () => {
  await attempt("read", async () => (await fetch("TARGET/api/projects",
    { credentials: "include" })).text());
  await attempt("write", async () => (await fetch("TARGET/api/projects",
    { method: "POST", mode: "no-cors", credentials: "include", body })).type);
  await attempt("write json", async () => (await fetch("TARGET/api/projects", { method: "POST",
    credentials: "include", body, headers: { "content-type": "application/json" } })).status);
  await attempt("socket", () => new Promise((yes, no) => {
    const socket = new WebSocket(live); socket.onopen = () => yes("open"); socket.onerror = no;
  }));
  await attempt("picture", () => loaded(new Image(), "TARGETPICTURE"));
  await attempt("script", () => loaded(document.createElement("script"), "TARGET/api/projects"));
  document.forms[0].submit();
  return told;
};
</script>"""


def status_of(studio: Studio, lines: tuple[str, ...]) -> int:
    """Send a request as it is and return the status of the answer."""
    first, *headers = (line.format(port=studio.port, token=studio.token) for line in lines)
    ends = "{}" if any("application/json" in header for header in headers) else ""
    request = "\r\n".join([f"{first} HTTP/1.1", *headers, "Connection: close", "", ends])
    with socket.create_connection(("127.0.0.1", studio.port), timeout=WAIT_MS / 1000) as peer:
        peer.sendall(request.encode())
        return int(peer.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("attack", REQUESTS)
def test_a_raw_request_gets_the_expected_answer(studio: Studio, attack: str) -> None:
    expected, *lines = REQUESTS[attack]
    before = studio.ask("GET", "/api/projects")
    assert status_of(studio, tuple(map(str, lines))) in expected
    assert studio.ask("GET", "/api/projects") == before


def test_s24_requests_that_never_end_hold_up_nobody(studio: Studio) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(100):
            peer = socket.create_connection(("127.0.0.1", studio.port), timeout=WAIT_MS / 1000)
            stack.enter_context(peer)
            peer.sendall(f"GET /api/projects?{number} HTTP/1.1\r\nHost: 127.0.0.1".encode())
        studio.ask("GET", "/api/projects")


@contextlib.contextmanager
def serving(page: str) -> Iterator[str]:
    """Serve a page at another port of this machine: the same site, so cookies are sent along."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def films_of(studio: Studio) -> list[tuple[str, str]]:
    """Return id and name of every film; other columns change with whoever looks at one."""
    told = studio.ask("GET", "/api/projects")["projects"]
    return [(film["id"], film["name"]) for film in told]


def test_a_page_of_another_origin_neither_reads_nor_changes_anything(
    browser: Browser, studio: Studio, made: str
) -> None:
    strip = studio.document(made)["shots"][0]["take"]["strip"]
    page = EVIL.replace(
        "TARGET_WS", json.dumps(studio.url.replace("http", "ws") + f"/api/projects/{made}/live")
    )
    page = page.replace("TARGETPICTURE", studio.url + strip).replace("TARGET", studio.url)
    before = films_of(studio)
    with window(browser, studio) as opened, serving(page) as address:
        tab = opened.context.new_page()
        tab.goto(address)
        with tab.expect_response(lambda got: got.url.startswith(studio.url)) as submitted:
            told = tab.evaluate("() => attack()")
        assert set(told) == {"read", "write", "write json", "socket", "picture", "script"}
        assert set(told.values()) == {"refused"}
        assert submitted.value.status == 403
        assert films_of(studio) == before
        own = opened.open(made)  # with the same cookie, its own page works
        assert own.evaluate("() => mnemoreel.shots.length") == 5
