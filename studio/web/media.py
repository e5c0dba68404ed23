"""Blobs as media: by digest only, with ranges, fixed types and an unchanging address."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import FileResponse, Response

from storage import references
from storage.errors import BlobMissing
from studio.web.answers import Open

router = APIRouter()

TYPES = {"mp4": "video/mp4", "jpg": "image/jpeg", "png": "image/png"}
"""What may be served, by the name's ending."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f/\\]")


@router.api_route("/media/{digest}.{ending}", methods=["GET", "HEAD"])
def read_media(
    session: Open,
    request: Request,
    digest: Annotated[str, Path(max_length=64)],
    ending: Annotated[str, Path(max_length=4)],
    download: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """Return a blob, or 304 when the browser has it."""
    with session.library.read() as tx:
        row = references.find(tx, digest)
        if row is None or ending not in TYPES or row.media_type != TYPES[ending]:
            raise BlobMissing("No such media. It was removed, or never stored.")
    headers = {
        "etag": f'"{digest}"',
        "cache-control": "private, max-age=31536000, immutable",
        "content-disposition": _disposition(download, f"{digest[:12]}.{ending}"),
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    if row.inline is not None:
        with session.library.read() as tx:
            data = references.read(tx, digest)
        return Response(data, media_type=row.media_type, headers=headers)
    # Checks the bytes against the digest the first time that this process reads them.
    session.library.blobs.open(digest).close()
    path = session.library.blobs.path(digest)
    return FileResponse(path, media_type=row.media_type, headers=headers)


def _disposition(download: str | None, otherwise: str) -> str:
    name = _CONTROL.sub("_", download or otherwise).strip(". ") or otherwise
    kind = "inline" if download is None else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
