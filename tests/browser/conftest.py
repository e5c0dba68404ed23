"""One server and one browser for all browser tests; a fresh window for each."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.studio import Studio, Window, running, window
from tests.patience import PATIENCE

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
WAITS = ["TimeoutError: ", "Locator expected "]
"""What a wait that ran out says. On a machine with other work a browser may stand still for a
minute: such a test, and no other, runs once more, and the summary of the run names it."""
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Nothing leaves the machine, even where the page would ask for it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, and skip it where there is no browser."""
    here = Path(__file__).parent
    for item in items:
        if not item.path.is_relative_to(here):
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=WAITS))
        if not CHROMIUM.exists():
            item.add_marker(pytest.mark.skip(reason=f"No Chromium at {CHROMIUM}; set CHROMIUM."))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """Add to a failure what the page believed by then: a wait that ran out says nothing."""
    report = yield
    desk = getattr(item, "funcargs", {}).get("desk")
    if report.failed and report.when != "teardown" and isinstance(desk, Window):
        report.sections.append(("what the pages believe", desk.told()))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=5_000 * PATIENCE)
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what gradio warns of at its import is not ours
        with running(tmp_path_factory.mktemp("studio")) as started:
            yield started


@pytest.fixture(scope="session")
def made(studio: Studio) -> str:
    """A film of five takes, for tests that only look at it."""
    return studio.film("Made", is_made=True)


@pytest.fixture
def desk(browser: Browser, studio: Studio) -> Iterator[Window]:
    """A window whose every error and foreign request fails the test."""
    studio.engine.steps = None
    with window(browser, studio) as opened:
        yield opened
        studio.let_go()
        assert opened.problems == []
