"""The finished film: whole takes are copied packet by packet, what was trimmed is encoded again.

Runs in the media child. Every piece is a file with the pinned encoding; the film is their packets
with shifted times, so that its frames are exactly those of the cut.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from engine.slate import TAG, Slate, write_slate
from engine.wire import from_json
from storage.records import Rate
from studio.media import encode
from studio.media.child import MediaRefused, Told

OPTIONS = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4"}
"""Takes are ours, but a blob store can be tampered with."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One shot of the film, as frames of its take."""

    path: Path
    num_frames: int
    """Of the whole take."""
    in_: int
    out: int

    @property
    def is_whole(self) -> bool:
        """Whether the shot shows every frame of its take."""
        return self.in_ == 0 and self.out == self.num_frames


@dataclass(frozen=True, kw_only=True)
class Film:
    """What is exported."""

    parts: tuple[Part, ...]
    rate: Rate
    width: int
    height: int
    title_card: str | None = None
    slate: Slate | None = None
    """Written into the file, so that it can be brought back to its shots."""

    @property
    def num_frames(self) -> int:
        """Frames of the parts, without the title card."""
        return sum(p.out - p.in_ for p in self.parts)


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """A file whose packets go into the film as they are."""

    path: Path
    num_frames: int


def export_task(arguments: dict[str, Any], told: Told) -> dict[str, Any]:
    """Export a film as the media child's task."""
    parts = tuple(
        Part(path=Path(p["path"]), num_frames=p["num_frames"], in_=p["in"], out=p["out"])
        for p in arguments["parts"]
    )
    film = Film(
        parts=parts,
        rate=(arguments["rate"][0], arguments["rate"][1]),
        width=arguments["width"],
        height=arguments["height"],
        title_card=arguments["title_card"],
        slate=from_json(Slate, arguments["slate"]) if arguments.get("slate") else None,
    )
    return {"num_frames": export(film, Path(arguments["out"]), told)}


def export(film: Film, out: Path, told: Told) -> int:
    """Write the film to `out` and return its frames. `out` exists only when it is complete.

    Raises:
        MediaRefused: a take that cannot be read or does not have the frames it should have.
    """
    if not film.parts:
        raise MediaRefused("The cut shows nothing. Add a shot, or unmute one.")
    part_path = out.with_name(f"{out.stem}.part.mp4")
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix="pieces-") as folder:
            count = _export(film, part_path, Path(folder), told)
        _publish(part_path, out)
    except av.error.FFmpegError as error:
        raise MediaRefused(
            f"The film could not be written ({error}). Is the disk full? Run `check` if it is not."
        ) from error
    finally:
        part_path.unlink(missing_ok=True)
    return count


def _export(film: Film, path: Path, folder: Path, told: Told) -> int:
    pieces = _pieces(film, folder, told, is_all_encoded=False)
    if len({_extradata(p.path) for p in pieces}) > 1:
        # Another encoder made some of the takes: one header cannot describe them all.
        pieces = _pieces(film, folder, told, is_all_encoded=True)
    expected = sum(p.num_frames for p in pieces)
    count = _join(pieces, film.rate, path, _tags(film, expected))
    if count != expected:
        raise MediaRefused(
            f"The film has {count} frames, {expected} were expected: a take is damaged. "
            "Run `check` to find it, then generate its shot again."
        )
    told(1.0)
    return count


def _tags(film: Film, num_frames: int) -> dict[str, str]:
    if film.slate is None:
        return {}
    slate = replace(film.slate, card_frames=num_frames - film.num_frames)
    return {TAG: write_slate(slate)}


def _pieces(film: Film, folder: Path, told: Told, *, is_all_encoded: bool) -> list[_Piece]:
    pieces: list[_Piece] = []
    done = 0
    total = max(1, film.num_frames)
    card = _card_frames(film)
    for is_copied, group in itertools.groupby(
        film.parts, key=lambda p: p.is_whole and not is_all_encoded
    ):
        parts = tuple(group)
        if is_copied:
            pieces += [_Piece(path=p.path, num_frames=p.num_frames) for p in parts]
            done += sum(p.num_frames for p in parts)
            continue
        before = done
        path = folder / f"piece-{len(pieces)}-{int(is_all_encoded)}.mp4"
        count = encode.write(
            path,
            _shown(parts, film),
            film.rate,
            told=lambda n, before=before: told(0.95 * (before + n) / total),  # type: ignore[misc]
        )
        pieces.append(_Piece(path=path, num_frames=count))
        done += count
    if card is not None:
        path = folder / f"card-{int(is_all_encoded)}.mp4"
        pieces.insert(0, _Piece(path=path, num_frames=encode.write(path, card, film.rate)))
    return pieces


def _card_frames(film: Film) -> Iterator[av.VideoFrame] | None:
    if film.title_card is None:
        return None
    # moviepy takes a second to import, which only a film with a card should pay.
    from studio.media import titles

    size = (film.width, film.height)
    return (encode.frame_of_rgb(f) for f in titles.card(film.title_card, size, film.rate))


def _shown(parts: Sequence[Part], film: Film) -> Iterator[av.VideoFrame]:
    for part in parts:
        count = 0
        with av.open(f"file:{part.path}", options=OPTIONS) as container:
            decoded = itertools.islice(container.decode(video=0), part.in_, part.out)
            for frame in decoded:
                count += 1
                yield _fitted(frame, film)
        if count != part.out - part.in_:
            raise MediaRefused(
                f"A take gave {count} frames, {part.out - part.in_} were expected: it is "
                "damaged. Run `check` to find it, then generate its shot again."
            )


def _fitted(frame: av.VideoFrame, film: Film) -> av.VideoFrame:
    is_fitting = (frame.width, frame.height) == (film.width, film.height)
    if is_fitting and frame.format.name == "yuv420p":
        return frame
    return frame.reformat(width=film.width, height=film.height, format="yuv420p")


def _extradata(path: Path) -> bytes:
    with av.open(f"file:{path}", options=OPTIONS) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


def _join(pieces: Sequence[_Piece], rate: Rate, path: Path, tags: dict[str, str]) -> int:
    """Copy the packets of all pieces behind each other and return how many there were.

    Times are counted anew in whole frames. How far decoding runs ahead of showing differs between
    pieces (a take of one frame needs nothing), so all of them get the largest lead.
    """
    frame = 1 / Fraction(*rate)
    lead = max(_lead(piece.path, frame) for piece in pieces)
    count = start = 0
    stream: Any = None
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as out:
        out.metadata.update(tags)
        for piece in pieces:
            with av.open(f"file:{piece.path}", options=OPTIONS) as container:
                source = container.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(source)
                for packet in container.demux(source):
                    if packet.dts is None or packet.pts is None:
                        continue
                    assert packet.time_base is not None
                    packet.pts = start + round(packet.pts * packet.time_base / frame)
                    packet.dts = count - lead
                    packet.duration = 1
                    packet.time_base = frame
                    packet.stream = stream
                    out.mux(packet)
                    count += 1
            start += piece.num_frames
    return count


def _lead(path: Path, frame: Fraction) -> int:
    """Return by how many frames decoding runs ahead of showing in a file."""
    with av.open(f"file:{path}", options=OPTIONS) as container:
        first = next(container.demux(container.streams.video[0]))
        if first.pts is None or first.dts is None or first.time_base is None:
            return 0
        return round((first.pts - first.dts) * first.time_base / frame)


def _publish(part_path: Path, out: Path) -> None:
    with part_path.open("rb") as file:
        os.fsync(file.fileno())
    part_path.replace(out)
