"""The history against a model of it: 60 lines of plain lists and dictionaries."""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from storage import events, history, references, tree
from storage.canonical import canonical
from storage.check import check
from storage.records import (
    AdapterUse,
    Cut,
    Marker,
    Shot,
    ShotParams,
    cut_from_json,
    cut_to_json,
)
from storage.shot_memory import ShotMemory
from tests.storage import scene


class Model:
    """Nodes as parent and state, branches as head, tip and number of moves."""

    def __init__(self) -> None:
        self.parents: list[int | None] = [None]
        self.states: list[bytes] = []
        self.branches = {"main": [0, 0, 0]}
        self.moves = 0
        self.kept = 0

    def path(self, node: int | None) -> list[int]:
        nodes = []
        while node is not None:
            nodes.append(node)
            node = self.parents[node]
        return nodes

    def keep_future(self, name: str) -> None:
        tip = self.branches[name][1]
        if all(b[1] != tip for other, b in self.branches.items() if other != name):
            self.kept += 1
            self.branches[f"kept {self.kept}"] = [tip, tip, 0]

    def move(self, name: str, head: int, tip: int) -> None:
        self.branches[name] = [head, tip, self.branches[name][2] + 1]
        self.moves += 1

    def leave(self, left: str, head: int, tip: int) -> None:
        self.branches[left] = [*self.branches["main"][:2], 0]
        self.move("main", head, tip)

    def edit(self, name: str, state: bytes) -> None:
        head, tip, _ = self.branches[name]
        if head != tip:
            self.keep_future(name)
        self.parents.append(head)
        self.states.append(state)
        self.move(name, len(self.states) - 1, len(self.states) - 1)

    def undo(self, name: str) -> int | None:
        head, tip, _ = self.branches[name]
        parent = self.parents[head]
        if parent is not None:
            self.move(name, parent, tip)
        return parent

    def redo(self, name: str) -> int | None:
        head, tip, _ = self.branches[name]
        if head == tip:
            return None
        path = self.path(tip)
        forward = path[path.index(head) - 1]
        self.move(name, forward, tip)
        return forward

    def rewind(self, name: str, node: int) -> None:
        head, tip, _ = self.branches[name]
        if node == head:
            return
        if node not in self.path(tip):
            self.keep_future(name)
            tip = node
        self.move(name, node, tip)


class HistoryLaw(RuleBasedStateMachine):
    """Every verb, on any branch, in any order, on the real history and on the model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(
            dir=scene.MEMORY if scene.MEMORY.is_dir() else None
        )
        self.clock = scene.Clock()
        self.library = scene.open_library(Path(self.folder.name), self.clock)
        self.project = scene.make_project(self.library)
        self.model = Model()
        self.names = {"main": "main"}
        self.numbers = itertools.count()
        with self.library.read() as tx:
            branch, cut = history.head(tx, self.project.id)
        self.ids = [branch.head_node]
        self.model.states.append(canonical(cut_to_json(cut)))

    def teardown(self) -> None:
        report = check(self.library, read_data=True)
        self.library.close()
        self.folder.cleanup()
        assert report.problems == []

    def branch(self, choice: int) -> str:
        names = sorted(self.model.branches)
        return names[choice % len(names)]

    def learn_names(self) -> None:
        """Match branches that the history named itself, in the order they were made."""
        with self.library.read() as tx:
            stored = [b.name for b in history.branches(tx, self.project.id)]
        fresh = [name for name in stored if name not in self.names.values()]
        unmatched = [name for name in self.model.branches if name not in self.names]
        assert len(fresh) == len(unmatched) <= 1
        self.names.update(zip(unmatched, fresh, strict=True))

    @rule(choice=st.integers(0, 5), prompt=st.sampled_from(["", "rain", "snow"]))
    def edit(self, choice: int, prompt: str) -> None:
        self.clock.at += 1
        name = self.branch(choice)
        with self.library.write() as tx:
            branch, cut = history.head(tx, self.project.id, self.names[name])
            shot = scene.shot(f"{self.project.id} {next(self.numbers) % 4}", prompt)
            cut = scene.with_shots(cut, *cut.shots[-3:], shot)
            node = history.append(
                tx,
                project_id=self.project.id,
                branch=branch.name,
                expected_rev=branch.rev,
                op_kind="edit",
                op={"prompt": prompt},
                label="Edit",
                cut=cut,
            )
        self.ids.append(node.id)
        self.model.edit(name, canonical(cut_to_json(cut)))
        self.learn_names()

    @rule(choice=st.integers(0, 5))
    def undo(self, choice: int) -> None:
        name = self.branch(choice)
        with self.library.write() as tx:
            node = history.undo(tx, self.project.id, self.names[name])
        expected = self.model.undo(name)
        assert (node and node.id) == (None if expected is None else self.ids[expected])

    @rule(choice=st.integers(0, 5))
    def redo(self, choice: int) -> None:
        name = self.branch(choice)
        with self.library.write() as tx:
            assert history.can_redo(tx, self.project.id, self.names[name]) == (
                self.model.branches[name][0] != self.model.branches[name][1]
            )
            node = history.redo(tx, self.project.id, self.names[name])
        expected = self.model.redo(name)
        assert (node and node.id) == (None if expected is None else self.ids[expected])

    @rule(choice=st.integers(0, 5))
    def undo_then_redo_is_nothing(self, choice: int) -> None:
        name = self.branch(choice)
        before = list(self.model.branches[name])
        self.undo(choice)
        if self.model.branches[name] != before:
            self.redo(choice)
        assert self.model.branches[name][:2] == before[:2]

    @rule(choice=st.integers(0, 5), where=st.integers(0, 99))
    def rewind(self, choice: int, where: int) -> None:
        self.clock.at += 1
        name, node = self.branch(choice), where % len(self.ids)
        with self.library.write() as tx:
            history.rewind(tx, self.project.id, self.names[name], self.ids[node])
        self.model.rewind(name, node)
        self.learn_names()

    @rule(where=st.integers(0, 99))
    def create_branch(self, where: int) -> None:
        name, node = f"mine {next(self.numbers)}", where % len(self.ids)
        with self.library.write() as tx:
            history.create_branch(tx, self.project.id, name, self.ids[node])
        self.names[name] = name
        self.model.branches[name] = [node, node, 1]
        self.model.moves += 1

    @rule(where=st.integers(0, 99))
    def start_branch(self, where: int) -> None:
        left, node = f"left {next(self.numbers)}", where % len(self.ids)
        with self.library.write() as tx:
            history.start_branch(tx, self.project.id, self.ids[node], leave_as=left)
        self.names[left] = left
        self.model.leave(left, node, node)

    @rule(choice=st.integers(0, 5))
    def switch(self, choice: int) -> None:
        name, left = self.branch(choice), f"left {next(self.numbers)}"
        if name == "main":
            return
        head, tip, _ = self.model.branches.pop(name)
        with self.library.write() as tx:
            node = history.switch(tx, self.project.id, self.names.pop(name), leave_as=left)
        assert node.id == self.ids[head]
        self.names[left] = left
        self.model.leave(left, head, tip)

    @invariant()
    def branches_stand_where_the_model_says(self) -> None:
        with self.library.read() as tx:
            stored = {b.name: b for b in history.branches(tx, self.project.id)}
            assert len(stored) == len(self.model.branches)
            for name, (head, tip, rev) in self.model.branches.items():
                branch = stored[self.names[name]]
                assert (branch.head_node, branch.tip_node) == (self.ids[head], self.ids[tip])
                assert branch.rev == rev
                state = tree.get(tx, branch.head_node).state_digest
                assert references.read(tx, state) == self.model.states[head]
                cut = history.cut_at(tx, branch.head_node)
                assert canonical(cut_to_json(cut)) == self.model.states[head]

    @invariant()
    def nothing_is_ever_lost(self) -> None:
        with self.library.read() as tx:
            assert {n.id for n in history.nodes(tx, self.project.id)} == set(self.ids)
            assert len(history.reflog(tx, self.project.id, 10_000)) == self.model.moves
            assert events.last_seq(tx) == self.model.moves


QUICK = (Phase.generate,)
"""Finding without shrinking, which takes minutes: the long run under `faults` shrinks."""


def _settings(**more: Any) -> settings:
    return settings(deadline=None, suppress_health_check=list(HealthCheck), **more)


def test_the_history_equals_its_model() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis leaves it untyped
        HistoryLaw,
        settings=_settings(max_examples=6, stateful_step_count=20, derandomize=True, phases=QUICK),
    )


@pytest.mark.faults
def test_the_history_equals_its_model_in_many_runs() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis leaves it untyped
        HistoryLaw, settings=_settings(max_examples=300, stateful_step_count=40)
    )


names = st.text(max_size=12)
ids = st.text(min_size=1, max_size=12)
numbers = st.none() | st.floats(0, 4) | st.integers(0, 4)
adapters = st.builds(AdapterUse, name=names, digest=ids, weight=st.floats(-2, 2))
shots = st.builds(
    Shot,
    shot_id=ids,
    title=names,
    prompt=st.text(),
    num_frames=st.integers(1, 999),
    in_=st.integers(0, 99),
    out=st.integers(1, 999),
    take_id=st.none() | ids,
    locked=st.booleans(),
    muted=st.booleans(),
    params=st.builds(
        ShotParams,
        recipe=names,
        seed=st.integers(0, 2**53),
        num_steps=st.integers(0, 99),
        guidance=numbers,
        adapters=st.lists(adapters, max_size=2).map(tuple),
    ),
    memory=st.builds(
        ShotMemory,
        system=names,
        strength=numbers,
        pins=st.lists(ids, max_size=2).map(tuple),
        forgotten=st.lists(ids, max_size=2).map(tuple),
    ),
)
cuts = st.builds(
    Cut,
    rate=st.tuples(st.integers(1, 60000), st.integers(1, 1001)),
    width=st.integers(1, 9999),
    height=st.integers(1, 9999),
    shots=st.lists(shots, max_size=3).map(tuple),
    markers=st.lists(st.builds(Marker, frame=st.integers(0), label=names), max_size=2).map(tuple),
)


@given(cuts)
@_settings(max_examples=40, derandomize=True)
def test_a_cut_is_the_same_after_its_json(cut: Cut) -> None:
    text = canonical(cut_to_json(cut))
    again = cut_from_json(json.loads(text))
    assert again == cut
    assert canonical(cut_to_json(again)) == text
