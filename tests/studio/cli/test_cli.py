"""Every verb of the command line, in this process with the fake engine."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.database import Library
from studio.cli import main as cli
from tests.fake_cli import fake_executor
from tests.studio.media import made

BOARD = "# Ball film\n0:00 a red ball\n0:02 a blue ball\n0:04-0:05 a red box\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(data_folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        given = ["--data", str(data_folder), *map(str, arguments)]
        code = cli.main(given, make_executor=fake_executor)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def film(run: Run, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "board.txt").write_text(BOARD)
    code, out, err = run(
        "render", tmp_path / "board.txt", "--out", tmp_path / "film.mp4", "--seed", 7, "--json"
    )
    assert code == 0, err
    return dict(json.loads(out))


def test_render_makes_a_film_and_tells_about_each_shot(
    film: dict[str, Any], tmp_path: Path
) -> None:
    assert film["shots"] == 3
    assert film["frames"] == 17 + 17 + 9
    assert film["memory_tokens"] == [0, 30, 60]
    assert len(film["seconds_per_shot"]) == 3
    assert Path(film["out"]) == tmp_path / "film.mp4"
    assert len(made.read(tmp_path / "film.mp4")) == 43
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "data") == [
        "board.txt",
        "film.mp4",
    ]


def test_render_says_its_progress_and_unknown_words_on_stderr(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("0:00 a red dragon")
    code, out, err = run(
        "render", tmp_path / "b.txt", "--out", tmp_path / "f.mp4", "--memory", "none", "--steps", 2
    )
    assert code == 0
    assert "f.mp4: 1 shots, 17 frames" in out
    assert "dragon: the model does not know this word" in err
    assert "Shot 1 of 1: done" in err


def test_strict_refuses_unknown_words_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("0:00 a red dragon")
    code, out, err = run(
        "render", tmp_path / "b.txt", "--out", tmp_path / "f.mp4", "--strict", "--json"
    )
    assert (code, json.loads(out)["error"]["message"]) == (
        1,
        err.strip().splitlines()[-1].removeprefix("error: "),
    )
    assert "dragon" in err
    assert not (tmp_path / "f.mp4").exists()
    assert "No projects yet." in run("projects")[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "storyboard is empty"),
        ("hello\n0:00 a ball", r"line 1 \('hello'\)"),
        ("{", "not valid JSON"),
        ("\0\1\2", "No time at the start"),
    ],
)
def test_a_storyboard_that_is_none_is_refused_with_words(
    run: Run, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "b.txt").write_text(text)
    code, _, err = run("render", tmp_path / "b.txt", "--out", tmp_path / "f.mp4")
    assert code == 1
    assert re.search(words, err)
    assert not (tmp_path / "f.mp4").exists()


def test_a_failed_shot_is_named_and_the_finished_ones_are_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("0:00 a red ball\n0:02 fail")
    code, _, err = run("render", tmp_path / "b.txt", "--out", tmp_path / "f.mp4")
    assert code == 1
    assert "Shot 2 of 2: It could not be rendered. The finished shots are kept" in err
    assert [p.name for p in tmp_path.iterdir() if p.name != "data"] == ["b.txt"]
    assert "2 shots" in run("projects")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", "no-such-file.txt", "--out", "f.mp4"),
        ("render", "b.txt"),
        ("render", "-", "--out", "film.txt"),
        ("render", "-", "--out", "/no/such/folder/film.mp4"),
        ("recall", "nobody", "--at", "0:01", "--out", "x.png"),
        ("import", "nobody", "no-such-file.mp4"),
        ("export", "nobody", "--out", "x.mp4"),
        ("check",),
        ("check", "nobody"),
        ("check", "nobody", "--all"),
        ("--port", "99999"),
        ("--host", "0.0.0.0"),
        ("nonsense",),
        ("--threads", "-1", "projects"),
    ],
)
def test_wrong_usage_says_what_was_expected_and_is_2(
    run: Run, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code, _, err = run(*arguments)
    except SystemExit as ended:  # argparse ends by itself
        code, err = int(ended.code or 0), capsys.readouterr().err
    assert code == 2
    assert "error: " in err


def test_recall_writes_the_picture_and_its_fidelity(
    run: Run, film: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "frame.png"
    code, said, _ = run("recall", "Ball film", "--at", "00:00:02:04", "--out", out, "--json")
    told = json.loads(said)
    assert code == 0
    assert (told["source"], told["frame"], told["tokens"]) == ("memory", 20, 90)
    assert np.asarray(Image.open(out)).shape == (64, 96, 3)
    assert run("recall", film["project"], "--at", "1:00", "--out", out)[0] == 1
    assert run("recall", film["project"], "--at", "x", "--out", out)[0] == 1


def test_footage_and_export_by_command(run: Run, film: dict[str, Any], tmp_path: Path) -> None:
    clip = made.take(tmp_path / "hike.mp4", range(40))
    code, said, _ = run("import", "Ball film", clip, "--json")
    told = json.loads(said)
    assert (code, told["frames"], len(told["shots"])) == (0, 40, 2)
    code, said, _ = run(
        "export", film["project"], "--out", tmp_path / "all.mp4", "--title", "Hi", "--json"
    )
    assert (code, json.loads(said)["frames"]) == (0, 16 + 43 + 40)
    assert len(made.read(tmp_path / "all.mp4")) == 99
    text = tmp_path / "diary.mp4"
    text.write_text("dear diary")
    code, _, err = run("import", "Ball film", text)
    assert (code, "diary.mp4 cannot be read" in err) == (1, True)


def test_check_finds_a_damaged_file_and_says_what_to_do(
    run: Run, film: dict[str, Any], data_folder: Path
) -> None:
    code, said, _ = run("check", "--all", "--read-data", "--json")
    assert (code, json.loads(said)["problems"]) == (0, [])
    with Library.open(data_folder) as library:
        from storage import takes

        with library.read() as tx:
            take = takes.of_project(tx, film["project"])[0]
        path = library.blobs.path(take.media_digest)
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)
    code, said, _ = run("check", film["project"], "--read-data", "--json")
    (problem,) = json.loads(said)["problems"]
    assert code == 1
    assert take.media_digest in (
        problem["subject"],
        *re.findall(r"[0-9a-f]{64}", problem["message"]),
    )
    assert problem["repair"]
    code, _, err = run("export", film["project"], "--out", data_folder.parent / "x.mp4")
    assert (code, "Film: " in err) == (1, True)
    assert not (data_folder.parent / "x.mp4").exists()


def test_doctor_looks_at_the_machine(run: Run) -> None:
    code, said, _ = run("doctor", "--json")
    told = json.loads(said)
    assert code == 0, told["problems"]
    assert told["engine"].startswith("fake on cpu")


def test_a_library_in_use_names_who_has_it(run: Run, data_folder: Path, tmp_path: Path) -> None:
    with Library.open(data_folder, address="http://127.0.0.1:7860"):
        for arguments in (("projects",), ("check", "--all"), ("--no-browser",)):
            code, _, err = run(*arguments)
            assert code == 1
            assert "in use by process" in err
            assert "http://127.0.0.1:7860" in err
        assert run("doctor", "--quick")[0] == 0


def test_a_taken_port_names_another_one(run: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = run("--port", port, "--no-browser")
    assert (code, f"--port {port + 1}" in err) == (1, True)


def test_a_full_disk_leaves_no_half_film(
    run: Run, film: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import shutil

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    code, _, err = run("export", film["project"], "--out", tmp_path / "again.mp4")
    assert (code, "No space left on device" in err) == (1, True)
    assert not list(tmp_path.glob("*again*"))


@pytest.mark.parametrize("verb", ["", *cli.VERBS])
def test_every_verb_has_help_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*([verb] if verb else []), "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said
    assert f"python app.py {verb}".strip() in said
