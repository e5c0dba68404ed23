"""Dropping a video of ours brings its shots back; a stranger's slate is worth nothing unchecked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest

from engine.slate import TAG, Slate, SlateShot, write_slate
from studio.media import child
from tests.conftest import Studio
from tests.studio.media import made

PATIENCE = 300
"""Seconds after which a job counts as stuck: decoding on a busy core is slow, not wrong."""


@pytest.fixture(autouse=True)
def no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run media tasks in this process: what children are for is tested with them."""
    monkeypatch.setattr(child, "run", made.run_here)


def drop(studio: Studio, project_id: str, data: bytes, name: str = "film.mp4") -> Any:
    """Import a file and return its job, or the one that encoded it, once that is over."""
    url = f"/api/projects/{project_id}/footage"
    queued = studio.client.post(url, params={"name": name}, content=data).json()["job"]
    job = studio.wait(queued, PATIENCE)
    following = (job["result"] or {}).get("encode_job")
    return studio.wait(following, PATIENCE) if following else job


def exported(studio: Studio, project_id: str, **body: Any) -> bytes:
    job = studio.wait(studio.post(f"/api/projects/{project_id}/export", **body)["job"], PATIENCE)
    return bytes(studio.client.get(job["result"]["media"]).content)


def film(studio: Studio) -> str:
    project_id = studio.project("0:00 a red ball\n0:02 a blue ball")
    shots = studio.generated(project_id)["shots"]
    path = f"/api/projects/{project_id}/edits"
    trim = {"kind": "trim", "shot_id": shots[1]["shot_id"], "in": 3, "out": 11}
    studio.post(path, op=trim)
    fields = {"title": "The ball", "num_steps": 4, "strength": 2.0}
    studio.post(path, op={"kind": "set", "shot_id": shots[1]["shot_id"], "fields": fields})
    return project_id


def slate(*shots: SlateShot, **fields: Any) -> str:
    return write_slate(Slate(rate=(8, 1), width=96, height=64, shots=shots, **fields))


def tagged(folder: Path, num_frames: int, comment: str) -> bytes:
    """Return a video with a comment that anybody may have written."""
    plain, out = made.take(folder / "plain.mp4", range(num_frames)), folder / "tagged.mp4"
    with av.open(str(plain)) as source, av.open(str(out), "w", format="mp4") as container:
        container.metadata[TAG] = comment
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    return out.read_bytes()


def test_a_dropped_film_gives_its_shots_with_their_takes(studio: Studio) -> None:
    project_id = film(studio)
    before = studio.document(project_id)["shots"]
    job = drop(studio, project_id, exported(studio, project_id, title_card="The End"))
    assert job["result"]["restored"] == 2
    document = studio.document(project_id)
    assert document["label"] == "Restore 2 shots from film.mp4"
    for old, new in zip(before, document["shots"][2:], strict=True):
        assert new["shot_id"] != old["shot_id"]
        for field in ("take_id", "in", "out", "title", "prompt"):
            assert new[field] == old[field]
        assert new["params"]["seed"] == old["params"]["seed"]
        assert new["memory"]["system"] == "frame_preservation"
    studio.post(f"/api/projects/{project_id}/undo")
    assert studio.document(project_id)["shots"] == before


def test_another_project_takes_the_takes_over(studio: Studio) -> None:
    data = exported(studio, film(studio))
    other = studio.project("0:00 a red box")
    assert drop(studio, other, data)["result"]["restored"] == 2
    shots = studio.document(other)["shots"]
    assert [s["prompt"] for s in shots] == ["a red box", "a red ball", "a blue ball"]
    assert [s["take"]["number"] for s in shots[1:]] == [1, 1]
    assert studio.document(other)["memory"]["tokens"] == 60


def test_without_its_takes_a_film_is_footage_with_what_made_it(
    studio: Studio, tmp_path: Path
) -> None:
    shots = (
        SlateShot(num_frames=17, in_frame=2, out_frame=12, latents="e" * 64, prompt="a red ball",
                  seed=7, num_steps=4, guidance=1.5, title="One"),
        SlateShot(num_frames=40, in_frame=0, out_frame=40, prompt="a box", seed=2**60),
    )  # fmt: skip
    project_id = studio.project("0:00 a red ball")
    comment = slate(*shots, card_frames=4)
    assert drop(studio, project_id, tagged(tmp_path, 54, comment))["state"] == "done"
    found = studio.document(project_id)["shots"][1:]
    assert [s["out"] for s in found] == [4, 10, 33, 7]
    assert [s["title"] for s in found] == ["Title card", "One", "Shot 2", "Shot 2"]
    assert all(s["take"]["kind"] == "footage" for s in found)
    assert [s["prompt"] for s in found] == ["", "a red ball", "", ""]
    assert (found[1]["params"]["seed"], found[1]["params"]["guidance"]) == (7, 1.5)


def test_a_slate_that_lies_is_plain_footage(studio: Studio, tmp_path: Path) -> None:
    project_id = studio.project("0:00 a red ball")
    shot = SlateShot(num_frames=17, in_frame=0, out_frame=17, latents="f" * 64, prompt="x")
    for comment in (slate(shot), '{"mnemoreel": 1, "shots": "/etc/passwd"}', "a holiday"):
        assert drop(studio, project_id, tagged(tmp_path, 9, comment))["state"] == "done"
    shots = studio.document(project_id)["shots"][1:]
    assert [(s["prompt"], s["take"]["kind"], s["out"]) for s in shots] == [("", "footage", 9)] * 3


def test_a_slate_with_a_field_that_no_shot_may_have_is_not_brought_back(
    studio: Studio, tmp_path: Path
) -> None:
    project_id = film(studio)
    comment = json.loads(tag_of(exported(studio, project_id), tmp_path))
    comment["shots"][0]["strength"] = 99.0
    del comment["shots"][1]
    assert drop(studio, project_id, tagged(tmp_path, 17, json.dumps(comment)))["state"] == "done"
    found = studio.document(project_id)["shots"][2]
    assert (found["take"]["kind"], found["memory"]["strength"]) == ("footage", None)


def test_a_file_says_nothing_of_the_computer_it_was_made_on(studio: Studio, tmp_path: Path) -> None:
    text = tag_of(exported(studio, film(studio)), tmp_path)
    for secret in (str(studio.session.settings.data_folder), studio.session.settings.token, "/"):
        assert secret not in text


def tag_of(data: bytes, folder: Path) -> str:
    path = folder / "exported.mp4"
    path.write_bytes(data)
    with av.open(str(path)) as container:
        return str(container.metadata[TAG])
