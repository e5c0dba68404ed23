"""Footage in: a stranger's file opened with care, and written once in the project's normal form.

Runs in the media child under limits. The normal form is upright, with square pixels, at the
project's rate and size (scaled to fill it, cropped at the centre), BT.709, the pinned encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import av.filter

from engine.slate import MAX_CHARACTERS, TAG
from storage.records import Rate
from studio.media import encode
from studio.media.child import MediaRefused, Told

OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts",
}
"""Playlists (ffconcat, HLS) would make the demuxer open other files, whatever their name."""
MAX_PIXELS = 64_000_000
HD_LINES = 720
"""Untagged footage with at least this many lines is taken as BT.709, else as BT.601."""
BT601 = "bt601"
BT709 = "bt709"
_UNTAGGED = (0, 2)
_HDR = (16, 18)
"""Numbers of the PQ and HLG transfer curves."""
_TRANSPOSE = {90: "cclock", -90: "clock", 270: "clock", -270: "cclock"}


@dataclass(frozen=True, kw_only=True)
class Normal:
    """The form that footage is brought into."""

    rate: Rate
    width: int
    height: int
    max_frames: int


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """What an import made."""

    num_frames: int
    notes: tuple[str, ...]
    """What was assumed or could not be kept, in an editor's words."""


def ingest_task(arguments: dict[str, Any], told: Told) -> dict[str, Any]:
    """Bring a file into normal form as the media child's task."""
    normal = Normal(
        rate=(arguments["rate"][0], arguments["rate"][1]),
        width=arguments["width"],
        height=arguments["height"],
        max_frames=arguments["max_frames"],
    )
    path, out = Path(arguments["path"]), Path(arguments["out"])
    made = normalise(path, arguments["name"], out, normal, told)
    return {"num_frames": made.num_frames, "notes": list(made.notes)}


def slate_task(arguments: dict[str, Any], told: Told) -> dict[str, Any]:
    """Read what a file says of itself as the media child's task: a text that nobody checked."""
    told(0.0)
    return {"slate": read_comment(Path(arguments["path"]))}


def read_comment(path: Path) -> str:
    """Return the comment of a stranger's file, empty where it has none or one that is too long."""
    try:
        with av.open(f"file:{path}", options=OPTIONS) as container:
            comment = str(container.metadata.get(TAG, ""))
    except av.error.FFmpegError:
        return ""
    return comment if len(comment) <= MAX_CHARACTERS else ""


def normalise(path: Path, name: str, out: Path, normal: Normal, told: Told) -> Normalised:
    """Write the footage of `path` to `out` in normal form.

    Args:
        path: the original.
        name: what the editor calls it, for messages.
        out: an mp4 to write; removed again when anything fails.
        normal: the form.
        told: hears the share that is done.

    Raises:
        MediaRefused: not a video, a playlist, damaged, too large, or without frames.
    """
    try:
        with av.open(f"file:{path}", options=OPTIONS) as container:
            stream = _video_of(container, name)
            reader = _Reader(container, stream, name, normal, told)
            count = encode.write(out, reader.frames(), normal.rate)
    except av.error.FFmpegError as error:
        out.unlink(missing_ok=True)
        raise MediaRefused(_in_words(error, name)) from error
    except MediaRefused:
        out.unlink(missing_ok=True)
        raise
    if count == 0:
        out.unlink(missing_ok=True)
        raise MediaRefused(f"{name} holds no picture. Choose a video with at least one frame.")
    told(1.0)
    return Normalised(num_frames=count, notes=reader.notes)


class _Reader:
    """One pass over the file, from packets to frames in normal form."""

    def __init__(self, container: Any, stream: Any, name: str, normal: Normal, told: Told) -> None:
        self.container = container
        self.stream = stream
        self.name = name
        self.normal = normal
        self.told = told
        self.graph: av.filter.Graph | None = None
        self.first_pts = 0
        self.decoded = 0
        self.written = 0
        self.notes: tuple[str, ...] = ()
        duration = container.duration
        self.seconds = duration / av.time_base if duration else 0.0

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield the frames in normal form; raises `MediaRefused` for a file that ends early."""
        num_packets = 0
        for packet in self.container.demux(self.stream):
            num_packets += packet.size > 0
            for frame in packet.decode():
                if frame.is_corrupt:
                    raise self._damaged()
                yield from self._push(frame)
        if self.stream.frames and num_packets < self.stream.frames:
            raise self._damaged()
        if self.graph is not None:
            self.graph.push(None)
            yield from self._pull()

    def _damaged(self) -> MediaRefused:
        of = f" of {self.stream.frames}" if self.stream.frames else ""
        return MediaRefused(
            f"{self.name} is damaged or ends early: {self.decoded}{of} frames could be read. "
            "Copy it again from where it came."
        )

    def _push(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        if self.graph is None:
            self.graph = _graph(frame, self.stream, self.normal)
            self.notes = _notes(frame, self.container)
            self.first_pts = frame.pts or 0
        if frame.pts is None:
            step = Fraction(1) / (self.stream.average_rate or 25) / self.stream.time_base
            frame.pts = round(self.decoded * step)
        else:
            frame.pts -= self.first_pts
        frame.time_base = self.stream.time_base
        self.decoded += 1
        if self.seconds and frame.pts is not None:
            at = float(frame.pts * self.stream.time_base)
            self.told(min(0.99, max(0.0, at / self.seconds)))
        else:
            self.told(0.0)
        self.graph.push(frame)
        yield from self._pull()

    def _pull(self) -> Iterator[av.VideoFrame]:
        assert self.graph is not None
        while True:
            try:
                frame = self.graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            self.written += 1
            if self.written > self.normal.max_frames:
                seconds = self.normal.max_frames * self.normal.rate[1] // self.normal.rate[0]
                raise MediaRefused(
                    f"{self.name} is longer than {seconds} s, which is the most that is imported "
                    "at once. Cut it into parts."
                )
            assert isinstance(frame, av.VideoFrame)
            yield frame


def _video_of(container: Any, name: str) -> Any:
    if not container.streams.video:
        raise MediaRefused(f"{name} holds no video. Choose a file with a picture.")
    stream = container.streams.video[0]
    context = stream.codec_context
    pixels = (context.width or 0) * (context.height or 0)
    if pixels > MAX_PIXELS:
        raise MediaRefused(
            f"{name} has {context.width} x {context.height} pixels. "
            f"Expected at most {MAX_PIXELS // 1_000_000} million."
        )
    stream.thread_type = "AUTO"
    return stream


def _graph(first: av.VideoFrame, stream: Any, normal: Normal) -> av.filter.Graph:
    """Return the filters from the first frame's form to the normal one."""
    graph = av.filter.Graph()
    sar = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1
    source = graph.add_buffer(
        width=first.width,
        height=first.height,
        format=first.format,
        time_base=stream.time_base,
    )
    width, height = normal.width, normal.height
    steps: list[tuple[str, str]] = [("fps", f"fps={normal.rate[0]}/{normal.rate[1]}")]
    steps.append(("scale", f"w=trunc(iw*{Fraction(sar)}/2)*2:h=ih:{_colours(first)}"))
    steps += _upright(first.rotation)
    steps.append(("scale", f"w={width}:h={height}:force_original_aspect_ratio=increase"))
    steps.append(("crop", f"w={width}:h={height}"))
    steps.append(("setsar", "1"))
    steps.append(("format", "pix_fmts=yuv420p"))
    last = source
    for name, options in steps:
        step = graph.add(name, options)
        last.link_to(step)
        last = step
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    return graph


def _colours(first: av.VideoFrame) -> str:
    """Return how `scale` reads the colours of the footage; it always writes BT.709."""
    tagged = int(first.colorspace)
    guess = BT709 if first.height >= HD_LINES else BT601
    matrix = f"in_color_matrix={guess}:" if tagged in _UNTAGGED else ""
    return f"{matrix}out_color_matrix={BT709}:out_range=tv"


def _notes(first: av.VideoFrame, container: Any) -> tuple[str, ...]:
    notes = []
    if int(first.colorspace) in _UNTAGGED:
        guess = "BT.709" if first.height >= HD_LINES else "BT.601"
        notes.append(f"The file does not name its colours: {guess} was assumed.")
    if int(first.color_trc) in _HDR:
        notes.append("The file is HDR: it is shown without tone mapping and may look flat.")
    if container.streams.audio:
        notes.append("The sound was left out: a cut has pictures only.")
    return tuple(notes)


def _upright(rotation: int) -> list[tuple[str, str]]:
    """Return the filters that turn a picture upright; `rotation` counts counterclockwise."""
    if rotation in (180, -180):
        return [("hflip", ""), ("vflip", "")]
    if rotation in _TRANSPOSE:
        return [("transpose", _TRANSPOSE[rotation])]
    return []


def _in_words(error: av.error.FFmpegError, name: str) -> str:
    if isinstance(error, av.error.ArgumentError):
        return (
            f"{name} is not a kind of video that is imported (a playlist, perhaps). "
            "Expected mp4, mov, mkv, webm, avi or ts."
        )
    if isinstance(error, av.error.InvalidDataError):
        return (
            f"{name} cannot be read as a video: it is damaged, incomplete or something else. "
            "Play it elsewhere to check, or copy it again."
        )
    if isinstance(error, av.error.PermissionError):
        return f"{name} may not be read: no permission. Change that, or copy it elsewhere."
    return f"{name} could not be brought into the project ({error}). Convert it to mp4 first."
