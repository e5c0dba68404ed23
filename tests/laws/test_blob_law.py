"""Blobs under writers, collection and kills: what is named is there, and only that stays."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete

from storage import collect, exports, history, references, schema
from storage.canonical import new_id
from storage.database import Library
from storage.records import Export
from tests.storage import scene

WRITERS = st.sampled_from(["first", "second", "third"])
PAYLOADS = st.integers(0, 4)


class BlobLaw(RuleBasedStateMachine):
    """Three writers that put, commit, give up or die, while the collection runs at any point.

    The library's clock is ahead of the files', so that no grace protects a file without a row:
    only pins do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(
            dir=scene.MEMORY if scene.MEMORY.is_dir() else None
        )
        self.clock = scene.Clock()
        self.library = self.open()
        self.project = scene.make_project(self.library)
        with self.library.read() as tx:
            self.node = history.head(tx, self.project.id)[0].head_node
        self.held: dict[str, list[tuple[str, int, bytes]]] = {}
        self.named: dict[str, tuple[str, bytes]] = {}

    def open(self) -> Library:
        return scene.open_library(Path(self.folder.name), self.clock)

    def teardown(self) -> None:
        self.library.close()
        self.folder.cleanup()

    @rule(writer=WRITERS, payload=PAYLOADS)
    def put(self, writer: str, payload: int) -> None:
        data = b"payload %d" % payload * 100

        def pin(digest: str) -> None:
            with self.library.write() as tx:
                references.pin(tx, digest, writer)

        stored = self.library.blobs.put(data, pin)
        self.held.setdefault(writer, []).append((stored.digest, stored.size, data))

    @rule(writer=WRITERS)
    def commit(self, writer: str) -> None:
        with self.library.write() as tx:
            for digest, size, data in self.held.pop(writer, []):
                references.add(tx, digest, size, "video/mp4")
                made = Export(
                    id=new_id(),
                    project_id=self.project.id,
                    node_id=self.node,
                    spec={},
                    media_digest=digest,
                    state="done",
                    created_at=0,
                )
                self.named[exports.add(tx, made).id] = (digest, data)
            references.unpin(tx, writer)

    @rule(writer=WRITERS)
    def give_up(self, writer: str) -> None:
        with self.library.write() as tx:
            references.unpin(tx, writer)
        self.held.pop(writer, None)

    @rule(choice=st.integers(0, 20))
    def forget(self, choice: int) -> None:
        if self.named:
            export_id = sorted(self.named)[choice % len(self.named)]
            with self.library.write() as tx:
                tx.execute(delete(schema.export).where(schema.export.c.id == export_id))
            del self.named[export_id]

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.clock.at += days * scene.DAY

    @rule()
    def collect(self) -> None:
        collect.collect(self.library, dry_run=False)

    @rule()
    def die_while_collecting(self) -> None:
        """Rows are gone and files are not: where a kill hurts most."""
        with mock.patch.object(collect, "_move_to_trash"):
            collect.collect(self.library, dry_run=False)
        self.die()

    @rule()
    def die(self) -> None:
        self.library.close()
        self.held.clear()
        self.library = self.open()

    @invariant()
    def what_is_named_is_there(self) -> None:
        for digest, data in self.named.values():
            assert self.library.blobs.read(digest) == data
        for pieces in self.held.values():
            for digest, _, data in pieces:
                assert self.library.blobs.read(digest) == data, "a pinned blob was collected"

    @rule()
    def in_the_end_only_what_is_named_stays(self) -> None:
        self.die()
        self.clock.at += 30 * scene.DAY
        collect.collect(self.library, dry_run=False)
        assert set(self.library.blobs.list()) == {digest for digest, _ in self.named.values()}


def _settings(**more: Any) -> settings:
    return settings(deadline=None, suppress_health_check=list(HealthCheck), **more)


def test_no_blob_that_is_named_is_ever_lost() -> None:
    quick = _settings(
        max_examples=8, stateful_step_count=25, derandomize=True, phases=(Phase.generate,)
    )
    run_state_machine_as_test(BlobLaw, settings=quick)  # type: ignore[no-untyped-call]


@pytest.mark.faults
def test_no_blob_that_is_named_is_ever_lost_in_many_runs() -> None:
    full = _settings(max_examples=300, stateful_step_count=40)
    run_state_machine_as_test(BlobLaw, settings=full)  # type: ignore[no-untyped-call]
