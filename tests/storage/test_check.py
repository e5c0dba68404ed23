"""Check: whatever was changed behind the library's back is found, named and has a remedy."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from storage import references, takes, tree
from storage.check import Problem, check, check_quickly, damaged_projects
from storage.database import Library
from storage.errors import StorageError
from storage.records import Project, Take
from tests.storage import scene


@pytest.fixture
def made(library: Library, project: Project) -> Take:
    """One generated take, picked, with its entry."""
    scene.add_shots(library, project, "s1", "s2")
    scene.queue(library, project, "s1")
    return scene.finish(library, scene.claim(library), "first").takes[0]


def tamper(library: Library, *statements: str) -> None:
    """Change the database as another program would: without triggers and foreign keys."""
    connection = sqlite3.connect(library.folder / "library.sqlite3")
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount != 0, statement
    connection.commit()
    connection.close()


def problems(library: Library, *, read_data: bool = True) -> list[Problem]:
    return check(library, read_data=read_data).problems


def test_a_sound_library_has_no_problems_and_counts_what_it_holds(
    library: Library, made: Take
) -> None:
    report = check(library, read_data=True)
    assert report.problems == []
    assert report.is_clean
    assert report.counts == {
        "blobs": 4 + 3,
        "bytes": sum(_sizes(library)),
        "files_without_row": 0,
        "nodes": 3,
        "branches": 1,
        "takes": 1,
        "entries": 1,
    }


def _sizes(library: Library) -> list[int]:
    with library.read() as tx:
        return list(tx.exec_driver_sql("SELECT size FROM blob").scalars())


NODE = "WHERE label = 'Add shots'"
TAMPERINGS = [
    ("node", f"UPDATE node SET label = 'Nothing happened' {NODE}"),
    ("node", f"UPDATE node SET author = 'nobody' {NODE}"),
    ("node", f"UPDATE node SET op_json = '{{}}' {NODE}"),
    ("node", f"UPDATE node SET op_json = '{{' {NODE}"),
    ("node", f"UPDATE node SET created_at = 5 {NODE}"),
    ("node", f"UPDATE node SET chain_digest = '{'0' * 64}' {NODE}"),
    ("node", f"UPDATE node SET row_digest = '{'0' * 64}' {NODE}"),
    ("node", f"UPDATE node SET depth = 7 {NODE}"),
    ("node", f"UPDATE node SET depth = x'00' {NODE}"),
    ("node", f"UPDATE node SET jump_id = NULL {NODE}"),
    ("node", "UPDATE node SET state_digest = (SELECT state_digest FROM node WHERE depth = 0)"),
    ("node", f"UPDATE node SET parent_id = id {NODE}"),
    ("state", "UPDATE blob SET inline = x'7b7d', size = 2 WHERE inline IS NOT NULL"),
    ("state", "DELETE FROM take"),
    ("branch", "UPDATE branch SET rev = 17"),
    ("branch", "UPDATE branch SET head_node = (SELECT id FROM node WHERE depth = 0)"),
    ("branch", "UPDATE branch SET tip_node = (SELECT id FROM node WHERE depth = 0)"),
    ("branch", "UPDATE branch SET name = 'mian'"),
    ("database", "UPDATE branch SET head_node = 'nowhere'"),
    ("take", "UPDATE take SET seed = 8"),
    ("take", 'UPDATE take SET spec_json = \'{"prompt":"sun"}\''),
    ("take", "UPDATE take SET spec_json = 'x'"),
    ("take", "UPDATE take SET media_digest = latents_digest"),
    ("take", "UPDATE take SET seconds_json = '{}'"),
    ("take", "UPDATE take SET rate_numerator = 25"),
    ("database", "UPDATE take SET shot_id = 's3'"),
    ("take", "UPDATE take SET shot_id = 's2'"),
    ("entry", "UPDATE memory_entry SET num_tokens = 99"),
    ("entry", "UPDATE memory_entry SET fingerprint = 'other'"),
    ("entry", "UPDATE memory_entry SET num_bytes = x'00'"),
    ("schema", "DELETE FROM alembic_version"),
    ("blob_corrupt", "UPDATE blob SET size = 3 WHERE inline IS NULL"),
    ("database", "DELETE FROM blob WHERE inline IS NULL"),
]


@pytest.mark.parametrize(("kind", "statement"), TAMPERINGS, ids=[t[1][:60] for t in TAMPERINGS])
def test_a_changed_row_is_found(library: Library, made: Take, kind: str, statement: str) -> None:
    tamper(library, statement)
    report = check(library, read_data=True)
    assert kind in {p.kind for p in report.problems}
    assert not report.is_clean


def test_a_node_moved_to_another_past_is_found_even_with_a_new_row_digest(
    library: Library, project: Project, made: Take
) -> None:
    """The chain digest catches what a forger of single rows would leave."""
    with library.read() as tx:
        row = tx.exec_driver_sql("SELECT id FROM node WHERE depth = 1").scalar_one()
        node = tree.get(tx, row)
    forged = tree.row_digest(node.__class__(**{**vars(node), "op": {"label": "forged"}}))
    tamper(
        library,
        f"UPDATE node SET op_json = '{{\"label\":\"forged\"}}', row_digest = '{forged}' "
        f"WHERE id = '{node.id}'",
    )
    messages = [p.message for p in problems(library)]
    assert messages == [f"Node {node.id} (Add shots) does not follow from the nodes before it."]


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
@pytest.mark.parametrize("which", ["media", "latents", "strip", "entry"])
def test_a_damaged_blob_is_found_and_attributed(
    library: Library, made: Take, which: str, damage: str
) -> None:
    with library.read() as tx:
        entry = tx.exec_driver_sql("SELECT blob_digest FROM memory_entry").scalar_one()
    digest = entry if which == "entry" else getattr(made, f"{which}_digest")
    path = library.blobs.path(digest)
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "flip":
        data[3] ^= 4
    if damage == "truncate":
        del data[-1:]
    if damage != "delete":
        path.write_bytes(data)
    (problem,) = problems(library)
    kind = {"media": "blob", "strip": "blob"}.get(which, which)
    assert problem.kind == f"{kind}_{'missing' if damage == 'delete' else 'corrupt'}"
    assert problem.subject == digest
    assert problem.repair == ("recompute" if which == "entry" else "regenerate")
    assert problem.is_warning == (which in ("latents", "entry"))
    assert (f"take {made.id}" in problem.message) == (which != "entry")
    assert check(library, read_data=False).problems != [] or damage == "flip"


def test_lost_footage_can_only_be_restored(library: Library, project: Project) -> None:
    scene.add_shots(library, project, "s1")
    blobs = scene.blobs_for(library, "footage")
    with library.write() as tx:
        for blob in blobs:
            references.add(tx, *blob)
        takes.add(tx, scene.take("s1", blobs, kind="footage"))
    library.blobs.delete(blobs[0][0])
    (problem,) = problems(library, read_data=False)
    assert (problem.kind, problem.repair) == ("blob_missing", "restore")


def test_a_blob_that_holds_nothing_is_only_a_warning(library: Library) -> None:
    blob = scene.put(library, b"rain")
    with library.write() as tx:
        references.add(tx, *blob)
    library.blobs.delete(blob[0])
    report = check(library, read_data=False)
    assert report.is_clean
    assert "nothing that is shown" in report.problems[0].message


def test_files_without_a_row_are_counted_not_blamed(library: Library) -> None:
    scene.put(library, b"left by a run that was cancelled")
    report = check(library, read_data=True)
    assert report.problems == []
    assert report.counts["files_without_row"] == 1


def test_a_damaged_project_is_named_and_the_others_open(library: Library, project: Project) -> None:
    other = scene.make_project(library, "Other")
    scene.add_shots(library, other, "s9")
    with library.read() as tx:
        assert damaged_projects(tx) == {}
    tamper(
        library,
        "UPDATE blob SET inline = x'00' WHERE digest IN "
        f"(SELECT state_digest FROM node WHERE project_id = '{other.id}' AND depth = 1)",
    )
    with library.read() as tx:
        damaged = damaged_projects(tx)
    assert list(damaged) == [other.id]
    assert "Restore a backup" in damaged[other.id]


def test_an_unreadable_table_does_not_hide_the_others(library: Library, made: Take) -> None:
    tamper(library, "UPDATE take SET seed = 8", "ALTER TABLE branch RENAME TO bough")
    kinds = {p.kind: p for p in problems(library)}
    assert {"database", "take"} <= set(kinds)
    assert "branches could not be read" in kinds["database"].message


def test_a_flipped_letter_in_a_tables_definition_is_found(library: Library, made: Take) -> None:
    with library.write() as tx:
        tx.exec_driver_sql("ALTER TABLE project RENAME COLUMN created_at TO created_av")
    found = [p for p in check(library, read_data=True).problems if p.kind == "schema"]
    assert any("project created_at" in problem.message for problem in found)
    quick = check_quickly(library).problems
    assert {problem.kind for problem in quick} == {"schema"}
    assert all(problem.command.startswith("python app.py backup") for problem in quick)


def test_a_key_that_leads_to_no_column_is_found(library: Library, made: Take) -> None:
    library.close()
    with contextlib.closing(sqlite3.connect(library.folder / "library.sqlite3")) as behind:
        behind.execute("PRAGMA writable_schema = ON")
        behind.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'blob (digest)', 'blob (dhgest)') "
            "WHERE name = 'memory_entry'"
        )
        behind.commit()
    with scene.open_library(library.folder) as damaged:
        kinds = {problem.kind for problem in check(damaged, read_data=True).problems}
    assert "schema" in kinds


def flip_bits(library: Library, count: int, seed: int) -> dict[str, int]:
    """Flip single bits of a copy of the database and see whether check or nothing notices."""
    chosen = random.Random(seed)
    folder = library.folder
    copy = folder / "copy.sqlite3"
    library.backup(copy)
    library.close()
    database = folder / "library.sqlite3"
    sound = copy.read_bytes()
    before = meaning(copy)
    outcome = {"found": 0, "harmless": 0, "missed": 0}
    for _ in range(count):
        data = bytearray(sound)
        data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        for left in folder.glob("library.sqlite3-*"):
            left.unlink()
        database.write_bytes(data)
        outcome[judge(folder, before)] += 1
    return outcome


def judge(folder: Path, before: object) -> str:
    try:
        with scene.open_library(folder) as library:
            found = bool(check(library, read_data=True).problems)
    except (DatabaseError, StorageError, ValueError):
        return "found"
    if found:
        return "found"
    return "harmless" if meaning(folder / "library.sqlite3") == before else "missed"


def meaning(database: Path) -> list[object]:
    """Return everything an editor could notice, read without any of our code."""
    connection = sqlite3.connect(database)
    rows: list[object] = []
    for table in ("node", "take", "memory_entry", "branch"):
        rows.append(sorted(connection.execute(f"SELECT * FROM {table}").fetchall()))
    rows.append(sorted(connection.execute("SELECT digest, size, inline FROM blob").fetchall()))
    connection.close()
    return rows


def test_no_flipped_bit_of_the_database_changes_a_meaning_unseen(
    library: Library, made: Take
) -> None:
    outcome = flip_bits(library, 25, seed=3)
    assert outcome["missed"] == 0
    assert outcome["found"] > 0


@pytest.mark.faults
def test_no_flipped_bit_of_a_thousand_changes_a_meaning_unseen(
    library: Library, made: Take
) -> None:
    outcome = flip_bits(library, 1000, seed=4)
    assert outcome["missed"] == 0, outcome
