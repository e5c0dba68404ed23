"""The film has exactly the frames of the cut, in order, with the right colours."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from engine.specs import Encoding
from studio.media import child, encode, export
from studio.media.child import MediaCancelled, MediaRefused
from studio.media.export import Film, Part
from tests.studio.media import made


def film_of(parts: list[Part], rate: tuple[int, int] = (8, 1), card: str | None = None) -> Film:
    return Film(parts=tuple(parts), rate=rate, width=96, height=64, title_card=card)


def silently(_: float) -> None:
    """Hear progress without a word."""


@pytest.mark.parametrize("seed", range(6))
def test_the_film_shows_every_frame_of_the_cut_once_and_in_order(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    rate = draw.choice([(8, 1), (24, 1), (30000, 1001)])
    parts: list[Part] = []
    expected: list[int] = []
    start = 0
    for index in range(draw.randint(1, 7)):
        length = draw.randint(1, 33)
        path = made.take(tmp_path / f"{index}.mp4", range(start, start + length), rate)
        in_, out = 0, length
        if draw.random() < 0.4:
            in_ = draw.randint(0, length - 1)
            out = draw.randint(in_ + 1, length)
        parts.append(Part(path=path, num_frames=length, in_=in_, out=out))
        expected += range(start + in_, start + out)
        start += length
    out_path = tmp_path / "film.mp4"
    assert export.export(film_of(parts, rate), out_path, silently) == len(expected)
    assert [made.number_of(f) for f in made.read(out_path)] == expected
    with av.open(str(out_path)) as container:
        stream = container.streams.video[0]
        pts = [f.pts or 0 for f in container.decode(stream)]
        assert stream.average_rate == pytest.approx(rate[0] / rate[1])
    assert len({b - a for a, b in itertools.pairwise(pts)}) <= 1
    assert sorted(p.name for p in tmp_path.glob("*film*")) == ["film.mp4"]
    assert not list(tmp_path.glob("pieces-*"))


def test_whole_takes_are_copied_bit_by_bit(tmp_path: Path) -> None:
    paths = [made.take(tmp_path / f"{i}.mp4", range(i * 9, i * 9 + 9)) for i in range(3)]
    parts = [Part(path=p, num_frames=9, in_=0, out=9) for p in paths]
    parts[1] = Part(path=paths[1], num_frames=9, in_=2, out=9)
    export.export(film_of(parts), tmp_path / "film.mp4", silently)
    film = made.read(tmp_path / "film.mp4")
    assert np.array_equal(film[:9], made.read(paths[0]))
    assert np.array_equal(film[-9:], made.read(paths[2]))


def test_a_take_of_another_encoder_makes_everything_encoded_again(tmp_path: Path) -> None:
    ours = made.take(tmp_path / "a.mp4", range(9))
    other = tmp_path / "b.mp4"
    frames = (encode.frame_of_rgb(made.numbered(n)) for n in range(9, 18))
    encode.write(other, frames, (8, 1), encoding=Encoding(preset="ultrafast", crf=20))
    parts = [Part(path=p, num_frames=9, in_=0, out=9) for p in (ours, other)]
    export.export(film_of(parts), tmp_path / "film.mp4", silently)
    assert [made.number_of(f) for f in made.read(tmp_path / "film.mp4")] == list(range(18))


def test_a_title_card_comes_first_and_its_text_is_whole(tmp_path: Path) -> None:
    path = made.take(tmp_path / "a.mp4", range(9))
    parts = [Part(path=path, num_frames=9, in_=0, out=9)]
    film = film_of(parts, card="gjpqy <img>")
    assert export.export(film, tmp_path / "film.mp4", silently) == 16 + 9
    frames = made.read(tmp_path / "film.mp4")
    assert [made.number_of(f) for f in frames[16:]] == list(range(9))
    ink = np.argwhere(frames[8].max(axis=2) > 100)
    assert ink.size
    assert ink.min() > 0
    assert ink[:, 0].max() < 63
    assert ink[:, 1].max() < 95


def test_a_title_that_cannot_fit_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    path = made.take(tmp_path / "a.mp4", range(9))
    parts = [Part(path=path, num_frames=9, in_=0, out=9)]
    with pytest.raises(MediaRefused, match="Shorten it"):
        export.export(film_of(parts, card="W" * 300), tmp_path / "film.mp4", silently)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_the_colour_chart_keeps_its_bt709_values_and_its_four_tags(tmp_path: Path) -> None:
    chart = {
        (255, 0, 0): (63, 102, 240),
        (0, 255, 0): (173, 42, 26),
        (0, 0, 255): (32, 240, 118),
        (255, 255, 255): (235, 128, 128),
        (128, 128, 128): (126, 128, 128),
    }
    for rgb, yuv in chart.items():
        path = tmp_path / "colour.mp4"
        pixels = np.full((64, 96, 3), rgb, np.uint8)
        encode.write(path, (encode.frame_of_rgb(pixels) for _ in range(3)), (8, 1))
        out = tmp_path / "film.mp4"
        export.export(film_of([Part(path=path, num_frames=3, in_=0, out=2)]), out, silently)
        with av.open(str(out)) as container:
            context = container.streams.video[0].codec_context
            tags = (context.color_primaries, context.color_trc, context.colorspace)
            assert [int(t) for t in tags] == [1, 1, 1]
            assert int(context.color_range) == 1
            frame = next(container.decode(video=0))
            planes = [np.asarray(p)[p.line_size * 4 + 8] for p in frame.planes]
        assert all(abs(int(a) - b) <= 1 for a, b in zip(planes, yuv, strict=True)), (rgb, planes)


def test_a_damaged_take_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    path = made.take(tmp_path / "a.mp4", range(9))
    short = Part(path=path, num_frames=17, in_=0, out=17)
    with pytest.raises(MediaRefused, match=r"9 frames, 17 were expected.*`check`"):
        export.export(film_of([short]), tmp_path / "film.mp4", silently)
    trimmed = Part(path=path, num_frames=17, in_=1, out=17)
    with pytest.raises(MediaRefused, match="8 frames, 16 were expected"):
        export.export(film_of([trimmed]), tmp_path / "film.mp4", silently)
    path.write_bytes(b"not a video")
    with pytest.raises(MediaRefused, match="could not be written"):
        export.export(film_of([short]), tmp_path / "film.mp4", silently)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def arguments_of(tmp_path: Path) -> dict[str, object]:
    path = made.take(tmp_path / "a.mp4", range(33))
    part = {"path": str(path), "num_frames": 33, "in": 1, "out": 33}
    return {
        "parts": [part] * 3,
        "rate": [8, 1],
        "width": 96,
        "height": 64,
        "title_card": None,
        "out": str(tmp_path / "film.mp4"),
    }


def test_an_export_in_its_child_reports_and_ends(tmp_path: Path) -> None:
    told: list[float] = []
    result = child.run(
        "studio.media.export:export_task",
        arguments_of(tmp_path),
        limits=child.Limits(),
        told=told.append,
        cancelled=lambda: False,
    )
    assert result == {"num_frames": 96}
    assert told == sorted(told)
    assert len(made.read(tmp_path / "film.mp4")) == 96


def test_cancelling_ends_the_child_at_once(tmp_path: Path) -> None:
    with pytest.raises(MediaCancelled):
        child.run(
            "studio.media.export:export_task",
            arguments_of(tmp_path),
            limits=child.Limits(),
            told=silently,
            cancelled=lambda: True,
        )
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize(
    ("task", "limits", "words"),
    [
        ("sleep", child.Limits(silence_seconds=0.6), "No frame was read or written"),
        ("allocate", child.Limits(address_mib=2048), "more memory"),
        ("crash", child.Limits(), "crashed in native code"),
        ("write_much", child.Limits(file_mib=1), "disk full"),
    ],
)
def test_a_child_that_breaks_its_limits_is_ended_in_plain_words(
    tmp_path: Path, task: str, limits: child.Limits, words: str
) -> None:
    run: Callable[[], object] = lambda: child.run(  # noqa: E731
        f"tests.studio.media.bad_tasks:{task}",
        {"folder": str(tmp_path)},
        limits=limits,
        told=silently,
        cancelled=lambda: False,
    )
    with pytest.raises(MediaRefused, match=re.escape(words)):
        run()
