"""Files that call themselves videos."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from tests.studio.media import made

SECRET = "secret.mp4"
"""A real video beside the hostile file, which nothing may open."""
_CONCAT = f"ffconcat version 1.0\nfile {SECRET}\n"
_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
_DASH = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
    'mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>secret.mp4</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>"
)
_SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
_FTYP = struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 512, b"isom")
Write = Callable[[Path], object]


class Bomb:
    """A pickle that makes a file where it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (Path("pickle-ran"),)


def _text(text: str) -> Write:
    return lambda path: path.write_text(text)


def _data(data: bytes) -> Write:
    return lambda path: path.write_bytes(data)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _nested(depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = _box(b"moov", body)
    return _FTYP + body


def _cut(share: float) -> Write:
    def write(path: Path) -> None:
        data = path.with_name(SECRET).read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return write


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../escaped", "x")


def _polyglot(path: Path) -> None:
    _archive(path)
    path.write_bytes(_FTYP + path.read_bytes())


def _still(kind: str) -> Write:
    def write(path: Path) -> None:
        picture = path.with_name(f"still.{kind}")
        source = "testsrc2=size=96x64:rate=1:duration=1"
        made.ffmpeg("-f", "lavfi", "-i", source, "-frames:v", "1", picture)
        path.write_bytes(picture.read_bytes())
        picture.unlink()

    return write


def _only_sound(path: Path) -> None:
    made.ffmpeg("-f", "lavfi", "-i", "sine=duration=0.2", path)


def _link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


HOSTILE: Mapping[str, Write] = MappingProxyType(
    {
        "text.mp4": _text("dear diary\n" * 200),
        "empty.mp4": _data(b""),
        "one-byte.mp4": _data(b"\0"),
        "zeros.mp4": _data(bytes(100_000)),
        "noise.mp4": _data(bytes((i * 7919 + i // 3) % 256 for i in range(60_000))),
        "noise.mkv": _data(b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 40),
        "noise.avi": _data(b"RIFF\xff\xff\xff\xffAVI LIST" + bytes(range(256)) * 40),
        "noise.ts": _data((b"\x47" + bytes(187)) * 50),
        "concat.mp4": _text(_CONCAT),
        "concat.mov": _text(_CONCAT),
        "concat.ts": _text(_CONCAT),
        "concat-up.mkv": _text("ffconcat version 1.0\nfile ../../../../etc/passwd\n"),
        "concat-old.mp4": _text(f"file '{SECRET}'\n"),
        "playlist.mp4": _text(_PLAYLIST.format(target=SECRET)),
        "playlist.ts": _text(_PLAYLIST.format(target=SECRET)),
        "playlist.m3u8": _text(_PLAYLIST.format(target="file:///etc/passwd")),
        "playlist-net.mp4": _text(_PLAYLIST.format(target="http://127.0.0.1:9/a.ts")),
        "playlist-data.mp4": _text(_PLAYLIST.format(target="data:video/mp2t;base64,AAAA")),
        "playlist-key.mp4": _text(
            _PLAYLIST.format(target='#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\na.ts')
        ),
        "subtitles.mp4": _text("WEBVTT\n\n00:00.000 --> 00:01.000\n<b>x</b>\n"),
        "dash.mp4": _text(_DASH),
        "session.mp4": _text(_SDP),
        "drawing.mp4": _text('<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>'),
        "page.mp4": _text("<!doctype html><script>alert(1)</script>"),
        "page-in-a-film.mp4": _data(_FTYP + b"<script>alert(1)</script>" * 50),
        "pickle.mp4": _data(pickle.dumps(Bomb())),
        "program.mp4": _data(b"\x7fELF\x02\x01\x01" + bytes(400)),
        "archive.mp4": _archive,
        "film-and-archive.mp4": _polyglot,
        "picture.mp4": _still("png"),
        "animation.mp4": _still("gif"),
        "sound.mp4": _only_sound,
        "first-tenth.mp4": _cut(0.1),
        "header-only.mp4": _data(_FTYP),
        "huge-box.mp4": _data(_FTYP + struct.pack(">I4sQ", 1, b"moov", 1 << 62)),
        "deep-boxes.mp4": _data(_nested(3000)),
        "link.mp4": _link,
        "-i secret.mp4": _text("no option"),
        "file:|id;.mp4": _text("no command"),
        "%{pts}':movie=x.mp4": _text("no filter"),
    }
)
"""What each file holds, by its name."""
