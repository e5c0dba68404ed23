"""Awkward footage comes in upright, at the project's rate and size; what is no video is refused."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import av
import numpy as np
import pytest

from studio.media import child, ingest
from studio.media.child import MediaRefused
from studio.media.ingest import Normal, Normalised, normalise
from tests.studio.media import made

NORMAL = Normal(rate=(8, 1), width=96, height=64, max_frames=400)
CLIPS = os.environ.get("MNEMOREEL_TEST_CLIPS", "")


def silently(_: float) -> None:
    """Hear progress without a word."""


def bring_in(path: Path, normal: Normal = NORMAL) -> tuple[Normalised, list[np.ndarray]]:
    out = path.with_name("normal.mp4")
    result = normalise(path, path.name, out, normal, silently)
    frames = made.read(out)
    assert len(frames) == result.num_frames
    assert all(f.shape == (normal.height, normal.width, 3) for f in frames)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == normal.rate[0] / normal.rate[1]
        assert [
            int(t) for t in (stream.codec_context.colorspace, stream.codec_context.color_trc)
        ] == [1, 1]
    return result, frames


def lavfi(path: Path, source: str, *options: str) -> Path:
    made.ffmpeg("-f", "lavfi", "-i", source, *options, path)
    return path


@pytest.mark.parametrize(
    ("name", "source", "options", "frames"),
    [
        ("plain.mp4", "testsrc2=size=160x120:rate=24:duration=2", (), 16),
        ("ntsc.mov", "testsrc2=size=160x120:rate=30000/1001:duration=2", (), 16),
        ("odd.mkv", "testsrc2=size=853x481:rate=10:duration=1", ("-c:v", "ffv1"), 8),
        ("full.mp4", "testsrc2=size=160x120:rate=25:duration=1", ("-pix_fmt", "yuv444p"), 8),
        ("web.webm", "testsrc2=size=160x120:rate=25:duration=1", ("-c:v", "libvpx"), 8),
        ("old.avi", "testsrc2=size=160x120:rate=25:duration=1", ("-c:v", "mpeg4"), 8),
        ("stream.ts", "testsrc2=size=160x120:rate=25:duration=1", (), 8),
        ("ten.mp4", "testsrc2=size=160x120:rate=25:duration=1", ("-pix_fmt", "yuv420p10le"), 8),
        ("slow.mp4", "testsrc2=size=160x120:rate=2:duration=2", (), 16),
    ],
)  # fmt: skip
def test_every_common_kind_of_file_comes_in_at_the_projects_rate(
    tmp_path: Path, name: str, source: str, options: tuple[str, ...], frames: int
) -> None:
    result, _ = bring_in(lavfi(tmp_path / name, source, *options))
    assert abs(result.num_frames - frames) <= 1


def test_variable_rate_footage_keeps_its_length_in_seconds(tmp_path: Path) -> None:
    path = lavfi(
        tmp_path / "vfr.mp4",
        "testsrc2=size=160x120:rate=24:duration=4",
        "-vf", "select='not(between(mod(n,12),6,8))'", "-fps_mode", "vfr",
    )  # fmt: skip
    result, _ = bring_in(path)
    assert abs(result.num_frames - 32) <= 1


@pytest.mark.parametrize(("rotation", "corner"), [(0, "tl"), (90, "bl"), (-90, "tr"), (180, "br")])
def test_turned_footage_is_shown_upright(tmp_path: Path, rotation: int, corner: str) -> None:
    lavfi(
        tmp_path / "flat.mp4",
        "color=black:size=128x128:rate=8:duration=1,drawbox=x=0:y=0:w=40:h=40:color=white:t=fill",
    )
    path = tmp_path / "turned.mp4"
    made.ffmpeg("-display_rotation", str(rotation), "-i", tmp_path / "flat.mp4", "-c", "copy", path)
    square = Normal(rate=(8, 1), width=64, height=64, max_frames=100)
    _, frames = bring_in(path, square)
    grey = frames[2].mean(axis=2)
    corners = {
        "tl": grey[:16, :16],
        "tr": grey[:16, -16:],
        "bl": grey[-16:, :16],
        "br": grey[-16:, -16:],
    }
    assert max(corners, key=lambda c: float(corners[c].mean())) == corner


def test_stretched_pixels_become_square(tmp_path: Path) -> None:
    path = lavfi(
        tmp_path / "wide.mp4",
        "color=black:size=96x96:rate=8:duration=1,drawbox=x=36:y=36:w=24:h=24:color=white:t=fill,setsar=2/1",
    )
    _, frames = bring_in(path, Normal(rate=(8, 1), width=192, height=96, max_frames=100))
    white = np.argwhere(frames[2].mean(axis=2) > 128)
    height, width = white.max(axis=0) - white.min(axis=0)
    assert width / height == pytest.approx(2, abs=0.2)


def test_a_wide_picture_fills_the_frame_and_loses_its_sides(tmp_path: Path) -> None:
    path = lavfi(
        tmp_path / "panorama.mp4",
        "color=red:size=400x100:rate=8:duration=1,drawbox=x=125:y=0:w=150:h=100:color=green:t=fill",
    )
    _, frames = bring_in(path)
    assert (frames[2][:, :, 1] > frames[2][:, :, 0]).mean() > 0.95


@pytest.mark.parametrize(
    ("tags", "size"), [("bt709", "96x64"), ("smpte170m", "96x64"), ("", "96x64")]
)
def test_colours_come_in_right_whatever_the_tags(tmp_path: Path, tags: str, size: str) -> None:
    matrix = "bt709" if tags == "bt709" else "bt601"
    options = ["-vf", f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"]
    if tags:
        options += ["-colorspace", tags]
    else:
        options += [
            "-bsf:v",
            "h264_metadata=matrix_coefficients=2:colour_primaries=2:transfer_characteristics=2",
        ]
    path = lavfi(tmp_path / "red.mp4", f"color=red:size={size}:rate=8:duration=1", *options)
    result, frames = bring_in(path)
    red = frames[2][32, 48].astype(int)
    assert abs(red - [254, 0, 0]).max() <= 6, red
    assert any("BT.601 was assumed" in n for n in result.notes) == (not tags)


def test_sound_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    made.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=8:duration=1",
        "-f", "lavfi", "-i", "sine=duration=1", path,
    )  # fmt: skip
    result, _ = bring_in(path)
    assert any("sound was left out" in n for n in result.notes)


def refused(path: Path, words: str, normal: Normal = NORMAL) -> None:
    with pytest.raises(MediaRefused, match=words):
        normalise(path, path.name, path.with_name("normal.mp4"), normal, silently)
    assert not path.with_name("normal.mp4").exists()


def test_text_named_mp4_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("dear diary\n" * 500)
    refused(path, r"notes\.mp4 cannot be read as a video")
    path.write_bytes(b"")
    refused(path, "cannot be read as a video")


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile secret.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    ],
)
@pytest.mark.parametrize("name", ["list.mp4", "list.ts", "list.avi"])
def test_a_playlist_never_opens_another_file(tmp_path: Path, text: str, name: str) -> None:
    lavfi(tmp_path / "secret.mp4", "testsrc2=size=96x64:rate=8:duration=1")
    path = tmp_path / name
    path.write_text(text)
    refused(path, "playlist, perhaps|cannot be read")


@pytest.mark.parametrize("protocol", ["concat:", "subfile,,start,0,end,0,,:", "cache:"])
def test_no_protocol_but_that_of_files_is_opened(tmp_path: Path, protocol: str) -> None:
    path = lavfi(tmp_path / "secret.mp4", "testsrc2=size=96x64:rate=8:duration=1")
    av.open(f"{protocol}{path}").close()  # what an address within a file could reach
    with pytest.raises(av.error.FFmpegError):
        av.open(f"{protocol}{path}", options=ingest.OPTIONS)


def test_no_connection_is_made_whatever_a_file_names(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/secret.mp4"
        with pytest.raises(av.error.FFmpegError):
            av.open(address, options={**ingest.OPTIONS, "rw_timeout": "2000000"})
        with pytest.raises(BlockingIOError):
            server.accept()


def test_truncated_files_say_how_much_could_be_read(tmp_path: Path) -> None:
    whole = lavfi(
        tmp_path / "a.mp4", "testsrc2=size=320x240:rate=24:duration=2", "-movflags", "+faststart"
    )
    data = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) // 2])
    refused(cut, r"ends early: \d+ of 48 frames|cannot be read")
    late = lavfi(tmp_path / "b.mp4", "testsrc2=size=320x240:rate=24:duration=2")
    cut.write_bytes(late.read_bytes()[: len(late.read_bytes()) // 2])
    refused(cut, "cannot be read as a video")


def test_files_without_a_picture_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    made.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path)
    refused(path, "holds no video")
    empty = tmp_path / "empty.mp4"
    made.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=8:duration=1", "-frames:v", "0", empty
    )
    refused(empty, "no picture|no video|cannot be read")


def test_footage_above_the_limit_says_how_long_it_may_be(tmp_path: Path) -> None:
    path = lavfi(tmp_path / "long.mp4", "testsrc2=size=96x64:rate=8:duration=4")
    refused(path, "longer than 2 s", Normal(rate=(8, 1), width=96, height=64, max_frames=16))


def test_a_stranger_is_opened_in_a_child_under_limits(tmp_path: Path) -> None:
    path = lavfi(tmp_path / "a.mp4", "testsrc2=size=640x480:rate=24:duration=1")
    result = child.run(
        "studio.media.ingest:ingest_task",
        {
            "path": str(path),
            "name": "a.mp4",
            "out": str(tmp_path / "normal.mp4"),
            "rate": [8, 1],
            "width": 96,
            "height": 64,
            "max_frames": 100,
        },
        limits=child.HOSTILE,
        told=silently,
        cancelled=lambda: False,
    )
    assert result["num_frames"] == 8


def test_pixels_without_end_are_refused_before_they_are_decoded() -> None:
    class Stream:
        class codec_context:  # noqa: N801
            width, height = 100_000, 100_000

    class Container:
        class streams:  # noqa: N801
            video = (Stream,)

    with pytest.raises(MediaRefused, match="100000 x 100000 pixels"):
        ingest._video_of(Container, "huge.mp4")


@pytest.mark.skipif(not CLIPS, reason="set MNEMOREEL_TEST_CLIPS to the folder of real clips")
@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("one-by-one-person-detection.mp4", 1394 / 10),
        ("car-detection.mp4", 377 / 12.5),
        ("bottle-detection.mp4", 1189 * 6 / 179),
    ],
)
def test_real_clips_come_in_whole(tmp_path: Path, name: str, seconds: float) -> None:
    out = tmp_path / "normal.mp4"
    normal = Normal(rate=(8, 1), width=96, height=64, max_frames=20_000)
    result = normalise(Path(CLIPS) / name, name, out, normal, silently)
    assert abs(result.num_frames - seconds * 8) <= 2
    assert len(made.read(out)) == result.num_frames
