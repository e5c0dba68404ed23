"""What happens, pushed to every open page: one WebSocket and one bounded queue for each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, cast

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from sqlalchemy.engine import Connection

from storage import events, history, projects
from storage.errors import NotFound
from storage.records import Event
from studio.session import Session

router = APIRouter()

QUEUE_LENGTH = 512
"""Messages that may wait for a page that reads slowly; then it is told to come back."""
PING_SECONDS = 10.0
LARGEST_REPLAY = 200
"""Events that are replayed to a page that returns; one further behind loads the document."""
MOVES = frozenset({"edit", "undo", "redo", "rewind", "branch", "switch"})
"""Kinds of events that moved a head."""

Message = dict[str, Any]
_Queue = asyncio.Queue[Message | None]

_LABELS = {
    ("job_done", "generate"): "A take is ready",
    ("job_done", "encode"): "The footage is in the cut",
    ("job_done", "export"): "The film is ready",
}


class Hub:
    """Brings the session's messages, said on any thread, to the pages of this event loop."""

    def __init__(self, session: Session) -> None:
        """Listen to `session`. Call it on the event loop that serves the pages."""
        self.session = session
        self._loop = asyncio.get_running_loop()
        self._pages: dict[str, set[_Queue]] = {}
        self._end = session.listen(self._heard)

    def close(self) -> None:
        """Stop listening and end every page's connection."""
        self._end()
        for queues in self._pages.values():
            for queue in queues:
                _close(queue)

    @contextlib.contextmanager
    def listen(self, project_id: str) -> Iterator[_Queue]:
        """Yield a queue of the messages about a project; None in it = the connection must end."""
        queue: _Queue = asyncio.Queue(maxsize=QUEUE_LENGTH)
        pages = self._pages.setdefault(project_id, set())
        pages.add(queue)
        try:
            yield queue
        finally:
            pages.discard(queue)

    def _heard(self, project_id: str | None, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended with the server
            self._loop.call_soon_threadsafe(self._deliver, project_id, message)

    def _deliver(self, project_id: str | None, message: Message) -> None:
        ids = self._pages if project_id is None else (project_id,)
        for one in tuple(ids):
            for queue in self._pages.get(one, ()):
                try:
                    queue.put_nowait(message)
                except asyncio.QueueFull:
                    _close(queue)


def _close(queue: _Queue) -> None:
    while queue.full():
        queue.get_nowait()
    queue.put_nowait(None)


@router.websocket("/api/projects/{project_id}/live")
async def live(websocket: WebSocket, project_id: str, since: int = 0) -> None:
    """Push what happens to a project, everything after event `since` included."""
    hub = cast(Hub, websocket.app.state.hub)
    await websocket.accept()
    with hub.listen(project_id) as queue:
        try:
            hello, seq = await asyncio.to_thread(_hello, hub.session, project_id, since)
        except NotFound as error:
            await websocket.close(code=4404, reason=str(error)[:120])
            return
        gone = asyncio.create_task(_until_gone(websocket))
        gone.add_done_callback(lambda _: _close(queue))
        try:
            await websocket.send_json(hello)
            await _push(websocket, hub.session, project_id, queue, seq)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the page is gone; it comes back with the number of its last event
        finally:
            gone.cancel()


async def _push(
    websocket: WebSocket, session: Session, project_id: str, queue: _Queue, seq: int
) -> None:
    message: Message | None = {"kind": "changed"}
    while message is not None:
        if message["kind"] == "changed":
            for event in await asyncio.to_thread(_events, session, project_id, seq):
                seq = event.seq
                await websocket.send_json(_told(event))
        else:
            await websocket.send_json(message)
        try:
            message = await asyncio.wait_for(queue.get(), PING_SECONDS)
        except TimeoutError:
            message = {"kind": "ping"}


async def _until_gone(websocket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass


def _hello(session: Session, project_id: str, since: int) -> tuple[Message, int]:
    with session.library.read() as tx:
        projects.get(tx, project_id)
        branch, _ = history.head(tx, project_id)
        newest = events.last_seq(tx, project_id)
        start = _start(tx, project_id, since, newest)
    hello = {"kind": "hello", "boot": session.boot, "rev": branch.rev, "seq": newest}
    return hello, start


def _start(tx: Connection, project_id: str, since: int, newest: int) -> int:
    missed = events.since(tx, project_id, since) if 0 <= since < newest else []
    return newest if len(missed) > LARGEST_REPLAY or not missed else since


def _events(session: Session, project_id: str, seq: int) -> list[Event]:
    with session.library.read() as tx:
        return events.since(tx, project_id, seq)


def _told(event: Event) -> Message:
    payload = event.payload
    if event.kind in MOVES:
        return {
            "kind": "op",
            "seq": event.seq,
            "rev": payload.get("rev"),
            "label": payload.get("label", ""),
        }
    label = _LABELS.get((event.kind, payload.get("kind", "")), "")
    return {"kind": "event", "seq": event.seq, "what": event.kind, "label": label,
            "job": event.job_id}  # fmt: skip
