"""The server: our routes first, the page mounted behind them, the guard around everything."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from engine.protocol import Executor
from storage.database import Library
from studio.session import MakeExecutor, Session
from studio.settings import Settings
from studio.supervisor.supervisor import Supervisor
from studio.web import (
    api,
    history,
    library_routes,
    live,
    media,
    memory,
    notes,
    queue,
    starting,
    takes,
    work,
)
from studio.web.answers import JsonOnly, add_error_answers
from studio.web.guard import Guard
from studio.web.settings import router as settings_router

STATIC = Path(__file__).parent / "static"
"""The web components."""


def build_app(
    settings: Settings,
    library: Library,
    executor: Executor,
    *,
    has_page: bool = True,
    make_executor: MakeExecutor | None = None,
) -> FastAPI:
    """Return the studio as an app. Its lifespan runs the supervisor and closes the engine.

    Args:
        settings: of this launch.
        library: open; the caller closes it after the app has ended.
        executor: not started yet.
        make_executor: makes the engine of another model that is chosen on the page.
        has_page: False leaves Gradio out: the JSON API alone starts faster.
    """
    session = Session(
        settings=settings, library=library, executor=executor, make_executor=make_executor
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.hub = hub = live.Hub(session)
        supervisor = Supervisor(session)
        supervisor.start()
        try:
            yield
        finally:
            hub.close()
            supervisor.stop()

    # /docs would load Swagger from another server.
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.session = session
    for router in (
        api.router,
        starting.router,
        settings_router,
        work.router,
        queue.router,
        history.router,
        notes.router,
        memory.router,
        takes.router,
        library_routes.router,
        media.router,
        live.router,
    ):
        app.include_router(router)
    add_error_answers(app)
    if STATIC.is_dir():
        app.mount("/studio-static", StaticFiles(directory=STATIC))
    if has_page:
        _mount_page(app, settings)
    app.add_middleware(JsonOnly)
    app.add_middleware(Guard, settings=settings)  # added last = outermost
    return app


def _mount_page(app: FastAPI, settings: Settings) -> None:
    # Gradio takes seconds to import, which only a launch with a page should pay.
    from studio.ui import page

    page.mount(app, port=settings.port, data_folder=settings.data_folder)
