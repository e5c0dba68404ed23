"""The page: a thin Gradio shell around the web components of studio/static.

Gradio draws the frame and the tabs; each place in it holds one component, which talks to the JSON
API and the WebSocket by itself. Nothing here has an event, a queue or a state: a render must not
depend on an open tab, and Gradio drops the events of a tab that closes.
"""

from __future__ import annotations

import os
from pathlib import Path

# Gradio asks the network for its version and reports its use unless told not to before the import.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent.parent / "static"
"""Folder of the web components, served at `/studio-static`."""


STORYBOARDS = Path(__file__).parents[2] / "assets" / "storyboards"
"""Folder of the samples, served at `/storyboards`."""

TABS = (
    ("Shot", "mnemo-shot"),
    ("Takes", "mnemo-takes"),
    ("Memory", "mnemo-memory"),
    ("History", "mnemo-history"),
    ("Queue", "mnemo-queue"),
    ("Export", "mnemo-export"),
)
"""Tabs of the inspector: title and the component each one holds."""


def _place(*elements: str, elem_id: str | None = None) -> None:
    """Put web components into the page, out of reach of Gradio's own styles."""
    gr.HTML(
        None,
        html_template="".join(f"<{element}></{element}>" for element in elements),
        js_on_load=None,
        apply_default_css=False,
        elem_id=elem_id,
    )


def head() -> str:
    """Return the tags that load the components: a script inside of `gr.HTML` would never run.

    The modules are all named, so that a browser asks for them at once, not level by level.
    """
    # Before anything is drawn: a light page never flashes dark, the list never shows the desk.
    early_look = (
        "<script>document.documentElement.dataset.screen = "
        "new URLSearchParams(location.search).get('project') ? 'desk' : 'home';"
        "document.documentElement.dataset.theme = "
        "({ light: 'light', dark: 'dark' })[localStorage.getItem('mnemoreel:theme')] ?? "
        "(matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark')</script>"
    )
    names = sorted(path.name for path in STATIC.glob("*.js"))
    early = "".join(f'<link rel="modulepreload" href="/studio-static/{name}">' for name in names)
    return f'{early_look}{early}<script type="module" src="/studio-static/main.js"></script>'


def build() -> gr.Blocks:
    """Return the shell: header, player beside the inspector's tabs, timeline, list of projects."""
    with (
        gr.Blocks(
            title="Mnemoreel", analytics_enabled=False, fill_width=True, fill_height=True
        ) as blocks,
        gr.Column(elem_id="studio"),
    ):
        _place("mnemo-bar", elem_id="bar")
        _place("mnemo-home", elem_id="home")
        _place("mnemo-player", elem_id="player")
        with gr.Tabs(elem_id="inspector", overflow_behavior="wrap"):
            for title, element in TABS:
                with gr.Tab(title, id=element, render_children=True):
                    _place(element)
        _place("mnemo-timeline", elem_id="timeline")
        _place("mnemo-storyboard", "mnemo-help", "mnemo-welcome", elem_id="layers")
    return blocks


def mount(app: FastAPI, *, port: int, data_folder: Path) -> None:
    """Mount the page at `/` of `app`, after its own routes.

    Args:
        app: the server; it already serves `/studio-static` from `STATIC` and the JSON API.
        port: the port that the server listens on, at 127.0.0.1.
        data_folder: folder of the library; Gradio may never serve a file from it.
    """
    app.mount("/storyboards", StaticFiles(directory=STORYBOARDS))
    gr.mount_gradio_app(
        app,
        build(),
        "/",
        server_name="127.0.0.1",
        server_port=port,
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        blocked_paths=[str(data_folder)],
        show_error=False,
        max_file_size="512mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gr.themes.Base(
            font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
        ),
        css_paths=[STATIC / "theme.css"],
        head=head(),
    )
