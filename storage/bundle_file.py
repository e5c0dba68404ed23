"""The file of a bundle: a zip with a manifest, rows as JSON lines, and blobs under their digests.

Written the same for equal content. Read as a stranger's: every name, size and digest is checked
before anything is believed, and nothing is ever unpacked to a path that the file chose.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Self

from storage.errors import Refused

MANIFEST = "manifest.json"
PARTS = ("shots", "nodes", "branches", "reflog", "takes", "entries", "marks", "blobs")
"""Tables of a bundle, each a member `NAME.jsonl`."""

_BLOB = re.compile(r"blobs/([0-9a-f]{64})")
_DRIVE = re.compile(r"[A-Za-z]:")
_MEMBERS = frozenset({MANIFEST, *(f"{name}.jsonl" for name in PARTS)})
_PIECE_BYTES = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_LISTED_BYTES = 144
"""A member in the list at the end of the file: 46 bytes, its name, and 64-bit sizes."""
_TAIL_BYTES = (1 << 16) + 22 + 20 + 56


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest bundle that is looked into."""

    max_bytes: int = 1 << 40
    """Of all blobs together."""
    max_rows: int = 200_000
    """Rows of one part: nodes of a history, say."""
    max_part_bytes: int = 256 << 20
    """Of all rows together."""
    max_line_bytes: int = 16 << 20
    max_manifest_bytes: int = 1 << 20
    max_members: int = 250_000


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the manifest says of one table."""

    digest: str
    size: int
    """Bytes."""
    rows: int


@dataclass(frozen=True, kw_only=True)
class BlobLine:
    """What the bundle says of one blob."""

    digest: str
    size: int
    media_type: str
    inline: bool
    """Whether a library keeps it in its database."""


class Writer:
    """A bundle that is being written, from the first part to the manifest."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._zip.close()

    def part(self, name: str, lines: Iterable[bytes]) -> Part:
        """Write a table, a line for each row, and return what the manifest says of it."""
        sha, size, count = hashlib.sha256(), 0, 0
        with self._member(f"{name}.jsonl", None, is_text=True) as member:
            for line in lines:
                data = line + b"\n"
                member.write(data)
                sha.update(data)
                size += len(data)
                count += 1
        return Part(digest=sha.hexdigest(), size=size, rows=count)

    def blob(self, line: BlobLine, stream: BinaryIO) -> None:
        """Write the bytes of a blob, a piece at a time; media are not squeezed again."""
        is_text = line.media_type.endswith("json")
        with self._member(f"blobs/{line.digest}", line.size, is_text=is_text) as member:
            while piece := stream.read(_PIECE_BYTES):
                member.write(piece)

    def finish(self, manifest: bytes) -> None:
        """Write the manifest, the last member."""
        with self._member(MANIFEST, len(manifest), is_text=True) as member:
            member.write(manifest)

    def _member(self, name: str, size: int | None, *, is_text: bool) -> IO[bytes]:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
        info.create_system = 3
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        info.file_size = size or 0
        return self._zip.open(info, "w", force_zip64=size is None)


class Reader:
    """A bundle that is being read. Everything it refuses, it refuses before it is used."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.limits = limits
        self._file = path.open("rb")
        try:
            _require_few_members(self._file, limits)
            with _refusing("The file is no bundle"):
                self._zip = zipfile.ZipFile(self._file)
            self._require_members()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._zip.close()
        self._file.close()  # the zip leaves it open while a member of it is

    @property
    def blobs(self) -> dict[str, int]:
        """Declared size of every blob in the file, by digest."""
        found = ((_BLOB.fullmatch(i.filename), i.file_size) for i in self._zip.infolist())
        return {match[1]: size for match, size in found if match}

    def manifest(self) -> bytes:
        """Return the bytes of the manifest."""
        return b"".join(self._pieces(MANIFEST, self.limits.max_manifest_bytes))

    def lines(self, name: str, part: Part) -> Iterator[bytes]:
        """Yield the rows of a table; the last one only after its digest was compared.

        Raises:
            Refused: other rows, bytes or digest than the manifest says, or too many of them.
        """
        if part.rows > self.limits.max_rows:
            raise Refused(f"{part.rows} rows of {name}. Expected at most {self.limits.max_rows}.")
        sha, size, count, rest = hashlib.sha256(), 0, 0, b""
        for piece in self._pieces(f"{name}.jsonl", part.size):
            sha.update(piece)
            size += len(piece)
            *whole, rest = (rest + piece).split(b"\n")
            count += len(whole)
            if count > part.rows or len(rest) > self.limits.max_line_bytes:
                raise Refused(f"More or longer {name} than the manifest says.")
            yield from whole
        if rest or (sha.hexdigest(), size, count) != (part.digest, part.size, part.rows):
            raise Refused(
                f"{count} {name} with digest {sha.hexdigest()}. The manifest says {part.rows} "
                f"with {part.digest}: the file was changed or cut off. Ask for it again."
            )

    def head(self, digest: str, length: int) -> bytes:
        """Return the first bytes of a blob."""
        with _refusing(f"Blob {digest} cannot be read"), self.stream(digest) as stream:
            return stream.read(length)

    def read(self, line: BlobLine) -> bytes:
        """Return the bytes of a small blob, or raise `Refused` if it is not what its name says."""
        data = b"".join(self._pieces(f"blobs/{line.digest}", line.size))
        _require_digest(line, hashlib.sha256(data).hexdigest(), len(data))
        return data

    def stream(self, digest: str) -> BinaryIO:
        """Return the bytes of a blob as a file that is read in pieces."""
        file: BinaryIO = self._zip.open(f"blobs/{digest}")  # type: ignore[assignment]
        return file

    def verify(self, line: BlobLine) -> None:
        """Read a blob to its end, or raise `Refused` if it is not what its name says."""
        sha, size = hashlib.sha256(), 0
        for piece in self._pieces(f"blobs/{line.digest}", line.size):
            sha.update(piece)
            size += len(piece)
        _require_digest(line, sha.hexdigest(), size)

    def _pieces(self, name: str, limit: int) -> Iterator[bytes]:
        size = 0
        with _refusing(f"{name} cannot be read"), self._zip.open(name) as member:
            while piece := member.read(_PIECE_BYTES):
                size += len(piece)
                if size > limit:
                    raise Refused(f"{name} goes on after {limit} bytes. Expected it to end there.")
                yield piece

    def _require_members(self) -> None:
        members = self._zip.infolist()
        seen: set[str] = set()
        for info in members:
            _require_member(info)
            folded = info.filename.casefold()
            if folded in seen:
                raise Refused(f"Two members named {info.filename[:80]!r}, but for case.")
            seen.add(folded)
        if missing := _MEMBERS - seen:
            raise Refused(f"No {', '.join(sorted(missing))} in the file. It is no bundle.")
        total = sum(i.file_size for i in members)
        text = sum(i.file_size for i in members if i.filename in _MEMBERS)
        if total > self.limits.max_bytes or text > self.limits.max_part_bytes:
            raise Refused(
                f"{total} bytes, {text} of them rows. Expected at most {self.limits.max_bytes} "
                f"and {self.limits.max_part_bytes}."
            )


def _require_digest(line: BlobLine, digest: str, size: int) -> None:
    if (digest, size) != (line.digest, line.size):
        raise Refused(
            f"Blob {line.digest} has {size} bytes with digest {digest}. Expected {line.size} "
            "bytes: the file was changed or cut off. Ask for it again."
        )


def _require_member(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    shown = repr(name[:80])
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in re.split(r"[/\\]", name):
        raise Refused(f"Member {shown} would lie outside of the bundle. Nothing was read.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refused(f"Member {shown} is a link. Expected files only.")
    if name.casefold() not in _MEMBERS and not _BLOB.fullmatch(name.casefold()):
        raise Refused(f"Member {shown} is none that a bundle has.")
    if info.flag_bits & 0x1:
        raise Refused(f"Member {shown} is encrypted. Expected a bundle without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"Member {shown} is squeezed by method {info.compress_type}, not by deflate.")


def _require_few_members(file: BinaryIO, limits: Limits) -> None:
    """Look at the end of the file first: the list of members is read into memory as a whole."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise Refused("The file is no bundle: it does not end as a zip does. It may be cut off.")
    count, length = struct.unpack_from("<HL", tail, at + 10)
    if at >= 76 and tail[at - 76 : at - 72] == _END_64:
        count, length = struct.unpack_from("<QQ", tail, at - 76 + 32)
    if count > limits.max_members or length > _LISTED_BYTES * limits.max_members:
        raise Refused(f"{count} members in the file. Expected at most {limits.max_members}.")


@contextlib.contextmanager
def _refusing(what: str) -> Iterator[None]:
    damage = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError)
    try:
        yield
    except (*damage, NotImplementedError, OSError, struct.error) as error:
        raise Refused(f"{what} ({type(error).__name__}: {error}). It may be cut off.") from error
