"""Two tabs edit one film at random; after each step the server has what the pure model says."""

from __future__ import annotations

import random
from itertools import islice, pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from engine.client import LocalExecutor
from storage.canonical import canonical
from storage.records import Json, cut_from_json, cut_to_json
from studio.settings import Settings
from studio.timeline import operation
from tests.browser.scripted_editor import (
    DRAWS,
    Model,
    cut_in,
    facts_of,
    operations,
)
from tests.browser.studio import STORYBOARD, Studio, Window, running, settle, window
from tests.patience import PATIENCE

SYNCED = "rev => mnemoreel.document.rev >= rev && !mnemoreel.busy"
# An edit's optimistic cut, or null where the page leaves the operation to the server.
EDIT = """op => {
  const before = mnemoreel.document;
  mnemoreel.edit(op);
  return mnemoreel.document === before ? null : mnemoreel.document;
}"""
KEYS = {"delete": "Delete", "clear": "Backspace", "duplicate": "Control+d"}
"""Keys that do an operation on the selected shots."""
DONE = "() => !mnemoreel.busy && [...mnemoreel.jobs.values()].every(job => job.state === 'failed')"
PATIENCE_MS = 120_000 * PATIENCE


def normal(document: Json) -> bytes:
    """The cut of a document from a page, where 1 and 1.0 are the same number."""
    return canonical(cut_to_json(cut_from_json(cut_in(document))))


class Pair:
    """Two tabs on one film, the server behind them and the model beside them."""

    def __init__(self, desk: Window, project: str, path: str) -> None:
        self.studio = desk.studio
        self.project = project
        self.tabs = [desk.open(project, path=path) for _ in range(2)]
        document = self.studio.document(project)
        self.model = Model.of(document, facts_of(self.studio.ask("GET", "/api/engine")))
        for shot in document["shots"]:
            takes = f"/api/projects/{project}/shots/{shot['shot_id']}/takes"
            self.model.learn(shot["shot_id"], self.studio.ask("GET", takes)["takes"])

    def tab(self, index: int) -> Page:
        """A tab once it shows what the server has."""
        page = self.tabs[index % 2]
        rev = self.studio.document(self.project)["rev"]
        page.wait_for_function(SYNCED, arg=rev, timeout=PATIENCE_MS)
        return page

    def check(self, expected: bytes, what: object) -> None:
        """The server's cut is `expected`, byte for byte."""
        assert canonical(cut_in(self.studio.document(self.project))) == expected, what

    def edit(self, page: Page, op: Json) -> None:
        """Do an operation in a tab, by keys where keys say all of it, and check what came of it."""
        ahead = None if self.by_hand(page, op) else page.evaluate(EDIT, op)
        page.wait_for_function("() => !mnemoreel.busy", timeout=PATIENCE_MS)
        document = self.studio.document(self.project)
        is_done = self.model.apply(op, document)
        self.check(self.model.bytes, op)
        if is_done and ahead is not None:
            assert normal(ahead) == self.model.bytes, f"the page was ahead with another cut: {op}"

    def by_hand(self, page: Page, op: Json) -> bool:
        """Do an operation with the keyboard; False where it takes more than keys."""
        if op["kind"] in KEYS:
            page.evaluate("ids => mnemoreel.select(ids)", op["shot_ids"])
            page.keyboard.press(KEYS[op["kind"]])
            return True
        if op["kind"] == "split" and op["frame"]:
            where = "([id, at]) => mnemoreel.seek(mnemoreel.starts[mnemoreel.indexOf(id)] + at)"
            shot = next(s for s in self.model.cut.shots if s.shot_id == op["shot_id"])
            if op["frame"] < shot.out - shot.in_:
                page.evaluate(where, [op["shot_id"], op["frame"]])
                page.keyboard.press("b")
                return True
        return False

    def generate(self, page: Page, draw: random.Random) -> None:
        """Make another take of a shot."""
        open_shots = [s for s in self.model.cut.shots if s.prompt.strip() and not s.locked]
        if not open_shots:
            return
        shot = draw.choice(open_shots)
        page.evaluate("id => mnemoreel.generate([id], true)", shot.shot_id)
        page.wait_for_function(DONE, timeout=PATIENCE_MS)
        failed = page.evaluate("() => [...mnemoreel.jobs.values()].map(job => job.message)")
        assert failed == [], f"a take of {shot} was not made"
        shown = self.studio.document(self.project)["shots"]
        take = next(s["take"] for s in shown if s["shot_id"] == shot.shot_id)
        self.model.show_take(shot.shot_id, take)
        self.check(self.model.bytes, f"a take of {shot.shot_id}")

    def travel(self, key: str, states: list[bytes]) -> None:
        """Press undo or redo in one tab and the other by turns; each state must come in order."""
        for index, expected in enumerate(states):
            self.tab(index).keyboard.press(key)
            self.tabs[index % 2].wait_for_function("() => !mnemoreel.busy", timeout=PATIENCE_MS)
            self.check(expected, f"{key} number {index + 1}")


def edit_at_random(desk: Window, project: str, num_steps: int, seed: int, path: str) -> None:
    """Edit from two tabs, undo everything, redo everything."""
    draw = random.Random(seed)
    pair = Pair(desk, project, path)
    begun = len(pair.model.past)
    for op in islice(operations(seed, pair.model), num_steps):
        page = pair.tab(draw.randrange(2))
        if draw.random() < 0.04:
            pair.generate(page, draw)
        else:
            pair.edit(page, op)
    states = [*pair.model.past[begun:], pair.model.bytes]
    assert len(states) > num_steps / 2, "most operations were refused"
    pair.travel("Control+z", states[-2::-1])
    undone = 0
    while desk.studio.document(project)["can_undo"]:
        desk.studio.ask("POST", f"/api/projects/{project}/undo", {})
        undone += 1
    assert desk.studio.document(project)["shots"] == []
    for _ in range(undone):
        desk.studio.ask("POST", f"/api/projects/{project}/redo", {})
    pair.travel("Control+Shift+Z", states[1:])
    shown = [normal(pair.tab(index).evaluate("() => mnemoreel.document")) for index in range(2)]
    assert shown == [states[-1]] * 2


def test_chance_knows_every_operation_of_the_timeline() -> None:
    assert set(DRAWS) == set(operation._OPERATIONS)


def test_two_tabs_edit_at_random_and_undo_and_redo_everything(desk: Window) -> None:
    project = desk.studio.film("Random", is_made=True)
    edit_at_random(desk, project, 40, seed=3, path="/bare")


def test_two_tabs_that_edit_at_the_same_time_end_with_the_same_cut(desk: Window) -> None:
    project = desk.studio.film("Together", is_made=True)
    tabs = [desk.open(project) for _ in range(2)]
    for number in range(6):
        for which, page in enumerate(tabs):
            page.evaluate(
                """([title, index, place]) => {
                  const { shots } = mnemoreel;
                  const id = shots[index].shot_id;
                  mnemoreel.edit({ kind: "set", shot_id: id, fields: { title } });
                  mnemoreel.edit({ kind: "move", shot_ids: [id], before: shots[place].shot_id });
                }""",
                [f"Tab {which}, edit {number}", which * 2, 4 - which * 2],
            )
    for page in tabs:
        page.wait_for_function("() => !mnemoreel.busy")
    rev = desk.studio.document(project)["rev"]
    for page in tabs:
        page.wait_for_function(SYNCED, arg=rev)
    server = canonical(cut_in(desk.studio.document(project)))
    shown = [normal(page.evaluate("() => mnemoreel.document")) for page in tabs]
    assert shown == [server] * 2
    nodes = desk.studio.ask("GET", f"/api/projects/{project}/history")["nodes"]
    assert all(after["parent_id"] == before["id"] for before, after in pairwise(nodes))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_two_hundred_operations_on_the_whole_page(desk: Window, seed: int) -> None:
    project = desk.studio.film(f"Two hundred {seed}", is_made=True)
    edit_at_random(desk, project, 200, seed=seed, path="/")


@pytest.mark.slow
def test_two_hundred_operations_with_the_embedded_model(
    browser: Browser, studio: Studio, tmp_path: Any
) -> None:
    del studio  # its fixture imports gradio with its warnings silenced

    def embedded(_: object) -> LocalExecutor:
        return LocalExecutor(Settings(data_folder=tmp_path).engine_settings)

    with running(tmp_path, embedded) as real, window(browser, real) as opened:
        project = real.film("Embedded", STORYBOARD)
        page = opened.open(project, path="/")
        settle(page)
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+Enter")
        made = "() => mnemoreel.shots.every(shot => shot.take) && !mnemoreel.jobs.size"
        page.wait_for_function(made, timeout=5 * PATIENCE_MS)
        page.close()
        edit_at_random(opened, project, 200, seed=4, path="/")
        assert opened.problems == []
