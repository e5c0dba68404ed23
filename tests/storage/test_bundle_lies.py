"""Bundles whose every digest fits and whose rows lie all the same: refused, without a trace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage import jobs, takes, tree, typed
from storage.bundle import export_project, import_bundle
from storage.bundle_rows import StoredNode
from storage.database import Library
from storage.errors import LibraryTooNew
from storage.records import Take
from tests.storage import films, scene
from tests.storage.films import Members, refuse


def test_changed_rows_are_refused(good: Members, victim: Library, tmp_path: Path) -> None:
    good["nodes.jsonl"] = good["nodes.jsonl"].replace(b"Add shots", b"Add SHOTS")
    assert "manifest says" in refuse(victim, films.write(tmp_path / "b", good))


Change = Callable[[list[dict[str, Any]]], object]


def _renumber(rows: list[dict[str, Any]], **values: Any) -> None:
    rows[1].update(values)
    _redigest_nodes(rows)


def _close_circle(rows: list[dict[str, Any]]) -> None:
    rows[0]["parent_id"] = rows[1]["id"]
    _redigest_nodes(rows)


def _redigest_nodes(rows: list[dict[str, Any]]) -> None:
    """Make every digest fit again, as a careful liar would."""
    chains: dict[Any, str] = {None: ""}
    for row in rows:
        row["chain_digest"] = tree.chain_digest(
            chains.get(row["parent_id"], ""), row["project_id"], row["op"], row["state_digest"]
        )
        chains[row["id"]] = row["chain_digest"]
        row["row_digest"] = tree.row_digest(typed.record(StoredNode, row))


def _redigest_takes(rows: list[dict[str, Any]], **values: Any) -> None:
    rows[0].update(values)
    rows[0]["row_digest"] = takes.row_digest(typed.record(Take, rows[0]))


LIES: dict[str, tuple[str, Change, str]] = {
    "a label changed": ("nodes", lambda r: r[1].update(label="Evil"), "wrong digests"),
    "an operation changed": ("nodes", lambda r: r[1].update(op={"evil": 1}), "wrong digests"),
    "parents in a circle": (
        "nodes",
        lambda r: _close_circle(r),
        "one root",
    ),
    "a node that is its own parent": (
        "nodes",
        lambda r: _renumber(r, parent_id=r[1]["id"]),
        "one root",
    ),
    "two roots": ("nodes", lambda r: _renumber(r, parent_id=None, depth=0), "one root"),
    "a depth out of place": ("nodes", lambda r: _renumber(r, depth=7), "depth 7"),
    "a jump to nowhere": ("nodes", lambda r: _renumber(r, jump_id="x"), "jumps to x"),
    "a node of another project": (
        "nodes",
        lambda r: _renumber(r, project_id="another"),
        "one project",
    ),
    "a node twice": ("nodes", lambda r: r.append(dict(r[-1])), "same id"),
    "no nodes": ("nodes", lambda r: r.clear(), "without a node"),
    "a state that is not there": (
        "nodes",
        lambda r: _renumber(r, state_digest="f" * 64),
        "is nothing",
    ),
    "a number where text belongs": ("nodes", lambda r: r[0].update(label=7), "StoredNode.label"),
    "text where a number belongs": ("nodes", lambda r: r[0].update(depth="0"), "StoredNode.depth"),
    "a field too many": ("nodes", lambda r: r[0].update(evil=1), "Expected"),
    "a field too few": ("nodes", lambda r: r[0].pop("label"), "Expected"),
    "a huge number": ("nodes", lambda r: r[0].update(created_at=1 << 70), "created_at"),
    "an id with a line break": ("shots", lambda r: r[0].update(id="a\nb"), "An id"),
    "an id that is too long": ("shots", lambda r: r[0].update(id="a" * 65), "An id"),
    "a shot missing": ("shots", lambda r: r.pop(), "not in the bundle"),
    "a take changed": ("takes", lambda r: r[0].update(seed=1), "wrong digest"),
    "a take of no shot": ("takes", lambda r: _redigest_takes(r, shot_id="x"), "of shot x"),
    "a take without frames": ("takes", lambda r: _redigest_takes(r, num_frames=0), "frames"),
    "a take numbered zero": ("takes", lambda r: _redigest_takes(r, number=0), "numbered"),
    "media that are latents": (
        "takes",
        lambda r: _redigest_takes(r, media_digest=r[0]["latents_digest"]),
        "Expected video/mp4",
    ),
    "a take missing": ("takes", lambda r: r.pop(), "no take of the bundle"),
    "an entry changed": ("entries", lambda r: r[0].update(num_tokens=9), "wrong digests"),
    "an entry under another key": ("entries", lambda r: r[0].update(key="a" * 64), "wrong digests"),
    "six stars": ("marks", lambda r: r[0].update(rating=6), "6 stars"),
    "stars for nothing": ("marks", lambda r: r[0].update(take_id="x"), "for take x"),
    "no main": ("branches", lambda r: r.pop(), "main"),
    "a branch at no node": ("branches", lambda r: r[0].update(head_node="x"), "stands where"),
    "a branch that never moved there": ("branches", lambda r: r[0].update(rev=99), "moves left it"),
    "a branch of another project": (
        "branches",
        lambda r: r[0].update(project_id="another"),
        "one project",
    ),
    "a move to nowhere": ("reflog", lambda r: r[0].update(new_node="x"), "Move 1"),
    "a move from nowhere": ("reflog", lambda r: r[0].update(old_node="x"), "Move 1"),
    "a move of no branch": ("reflog", lambda r: r[0].update(branch="x"), "Moves of a branch"),
    "a blob not on the list": ("blobs", lambda r: r.pop(), "on its list"),
    "a blob that is not there": (
        "blobs",
        lambda r: r.append({**r[0], "digest": "0" * 64}),
        "on its list",
    ),
    "a page that calls itself a blob": (
        "blobs",
        lambda r: r[0].update(media_type="text/html"),
        "of type 'text/html'",
    ),
    "a media type that is not true": (
        "blobs",
        lambda r: next(b for b in r if b["media_type"] == "image/jpeg").update(
            media_type="video/mp4"
        ),
        "and is not",
    ),
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_rows_that_lie_are_refused_even_when_their_digests_fit(
    good: Members, victim: Library, tmp_path: Path, lie: str
) -> None:
    part, change, words = LIES[lie]
    rows = films.rows(good, part)
    change(rows)
    films.replace_rows(good, part, rows)
    assert words in refuse(victim, films.write(tmp_path / "b", good))


PLAYLIST = b"ffconcat version 1.0\nfile /etc/passwd\n"


@pytest.mark.parametrize("data", [PLAYLIST, b"#EXTM3U\n", b"<svg onload=alert(1)>", b""])
def test_a_playlist_in_the_clothes_of_a_film_is_refused(
    library: Library, victim: Library, tmp_path: Path, data: bytes
) -> None:
    project = scene.make_project(library)
    scene.add_shots(library, project, "s1")
    scene.queue(library, project, "s1")
    blobs = films.blobs_for(library, "x")
    media = (*scene.put(library, data)[:2], "video/mp4")
    made = scene.take("s1", (media, *blobs[1:]))
    job = scene.claim(library)
    with library.write() as tx:
        jobs.finish_with_takes(
            tx,
            job=job,
            fence=job.fence,
            takes=[made],
            entries=[],
            blobs=[media, *blobs[1:]],
            pick=scene.pick_everything([made]),
        )
    path = tmp_path / "b"
    export_project(library, project.id, path)
    assert "is not" in refuse(victim, path)


STATES: dict[str, tuple[bytes, bytes, str]] = {
    "a state that is a list": (b'{"height"', b'["height"', "state"),
    "trims that no shot has": (b'"in":0', b'"in":9', "trims"),
    "a negative length": (b'"num_frames":9', b'"num_frames":-9', "lengths"),
    "no rate": (b'"rate":[24,1]', b'"rate":[24,0]', "lengths"),
    "a number that is none": (b'"num_frames":9', b'"num_frames":"x"', "no cut"),
}


@pytest.mark.parametrize("lie", sorted(STATES))
def test_a_state_that_is_no_cut_is_refused(
    good: Members, victim: Library, tmp_path: Path, lie: str
) -> None:
    before, after, _ = STATES[lie]
    nodes, blobs = films.rows(good, "nodes"), films.rows(good, "blobs")
    node = next(n for n in nodes if before in good[f"blobs/{n['state_digest']}"])
    old = node["state_digest"]
    data = good.pop(f"blobs/{old}").replace(before, after)
    new = hashlib.sha256(data).hexdigest()
    good[f"blobs/{new}"] = data
    for row in blobs:
        if row["digest"] == old:
            row.update(digest=new, size=len(data))
    for row in nodes:
        if row["state_digest"] == old:
            row["state_digest"] = new
    _redigest_nodes(nodes)
    films.replace_rows(good, "nodes", nodes)
    films.replace_rows(good, "blobs", sorted(blobs, key=lambda b: str(b["digest"])))
    refuse(victim, films.write(tmp_path / "b", good))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "something"}, "does not say"),
        ({"version": 2}, "Install the version"),
        ({"version": "1"}, "Install the version"),
        ({"parts": {}}, "Expected"),
        ({"project": {}}, "Project"),
        ({"more": 1}, "Manifest"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(
    good: Members, victim: Library, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    films.change_manifest(good, **changes)
    assert words in refuse(victim, films.write(tmp_path / "b", good))


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"name": "x" * 201}, {"width": 0}, {"rate": [0, 1]}, {"deleted_at": 5}],
)
def test_a_project_that_cannot_be_is_refused(
    good: Members, victim: Library, tmp_path: Path, changes: dict[str, Any]
) -> None:
    project = json.loads(good["manifest.json"])["project"] | changes
    films.change_manifest(good, project=project)
    refuse(victim, films.write(tmp_path / "b", good))


def test_a_newer_schema_is_refused(good: Members, victim: Library, tmp_path: Path) -> None:
    films.change_manifest(good, migration="9999")
    path = films.write(tmp_path / "b", good)
    with pytest.raises(LibraryTooNew, match="9999"):
        import_bundle(victim, path)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"{", b"NaN", b"\xff\xfe"])
def test_a_manifest_that_is_no_json_is_refused(
    good: Members, victim: Library, tmp_path: Path, text: bytes
) -> None:
    good["manifest.json"] = text
    assert "no JSON" in refuse(victim, films.write(tmp_path / "b", good))
