"""Media by digest only: ranges, an unchanging address, and nothing outside of the store."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Studio


@pytest.fixture
def take(shared_studio: Studio) -> Any:
    return shared_studio.generated(shared_studio.project("0:00 a red ball"))["shots"][0]["take"]


def test_a_video_is_served_in_ranges_and_never_twice(shared_studio: Studio, take: Any) -> None:
    whole = shared_studio.client.get(take["media"])
    assert whole.headers["content-type"] == "video/mp4"
    assert "immutable" in whole.headers["cache-control"]
    part = shared_studio.client.get(take["media"], headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    again = shared_studio.client.get(
        take["media"], headers={"if-none-match": whole.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert shared_studio.client.head(take["media"]).headers["content-length"] == str(
        len(whole.content)
    )
    beyond = shared_studio.client.get(take["media"], headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize(
    "name", ["My film.mp4", "../../etc/passwd", 'a"b\r\nSet-Cookie: x', "фильм.mp4", ""]
)
def test_a_download_has_a_name_without_any_power(
    shared_studio: Studio, take: Any, name: str
) -> None:
    got = shared_studio.client.get(f"{take['media']}?download={quote(name)}")
    header = got.headers["content-disposition"]
    assert header.startswith("attachment; filename*=UTF-8''")
    assert not set('\r\n"/\\ ') & set(header.partition("''")[2])
    assert "set-cookie" not in got.headers


@pytest.mark.parametrize(
    "digest",
    [
        "../../library.sqlite3",
        "%2e%2e%2f%2e%2e%2flibrary",
        "%252e%252e",
        "..\\x",
        "\0",
        "CON",
        "a" * 300,
        "0" * 64,
        "AB" * 32,
    ],
)
def test_s12_nothing_but_known_digests_is_served(shared_studio: Studio, digest: str) -> None:
    for ending in ("mp4", "jpg", "sqlite3"):
        got = shared_studio.client.get(f"/media/{quote(digest, safe='%')}.{ending}")
        assert got.status_code in (404, 422), got.text


def test_a_blob_is_served_only_as_what_it_is(shared_studio: Studio, take: Any) -> None:
    digest = take["media"].removeprefix("/media/").removesuffix(".mp4")
    assert shared_studio.client.get(f"/media/{digest}.jpg").status_code == 404
    assert shared_studio.client.get(f"/media/{digest}.html").status_code == 404
    (latents,) = [
        b for b in _digests(shared_studio) if b["media_type"] == "application/x-safetensors"
    ][:1]
    for ending in ("mp4", "png", "jpg"):
        assert shared_studio.client.get(f"/media/{latents['digest']}.{ending}").status_code == 404


def test_a_damaged_file_is_never_served(studio: Studio) -> None:
    take = studio.generated(studio.project("0:00 a red ball"))["shots"][0]["take"]
    digest = take["media"].removeprefix("/media/").removesuffix(".mp4")
    path = studio.session.library.blobs.path(digest)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    got = studio.client.get(take["media"])
    assert got.status_code == 404
    assert "message" in got.json()


def _digests(studio: Studio) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from storage import schema

    with studio.session.library.read() as tx:
        return [dict(r._mapping) for r in tx.execute(select(schema.blob)).all()]
