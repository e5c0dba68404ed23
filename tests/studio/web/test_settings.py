"""What editors prefer, stored for all projects and all pages."""

from __future__ import annotations

from typing import Any

import pytest

from storage import settings
from tests.conftest import Studio
from tests.studio.web.test_live import connect, until

DEFAULTS = {"keys": "mnemoreel", "theme": "system", "welcomed": "no"}


def put(studio: Studio, **changes: Any) -> Any:
    return studio.client.put("/api/settings", json={"settings": changes})


def test_settings_have_defaults_and_keep_what_is_put(studio: Studio) -> None:
    assert studio.get("/api/settings")["settings"] == DEFAULTS
    assert put(studio, keys="premiere").json()["settings"]["keys"] == "premiere"
    assert studio.get("/api/settings")["settings"] == {**DEFAULTS, "keys": "premiere"}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"keys": "emacs"}, "mnemoreel"),
        ({"keys": ["resolve"]}, "mnemoreel"),
        ({"colour": "red"}, "colour"),
        ({"theme": "dark", "x" * 200: 1}, "No setting"),
        ({}, "does not fit"),
    ],
)
def test_a_setting_out_of_the_list_is_refused_and_nothing_is_stored(
    studio: Studio, changes: dict[str, Any], word: str
) -> None:
    answer = put(studio, **changes)
    assert answer.status_code == 422
    assert word in answer.json()["message"]
    assert studio.get("/api/settings")["settings"] == DEFAULTS


def test_a_stored_value_that_is_no_choice_any_more_is_the_default(studio: Studio) -> None:
    with studio.session.library.write() as tx:
        settings.put(tx, "theme", "sepia")
    assert studio.get("/api/settings")["settings"]["theme"] == "system"


def test_open_pages_hear_of_a_changed_setting(studio: Studio) -> None:
    with connect(studio, studio.project(), 0) as page:
        put(studio, theme="light")
        told = until(page, "settings")
    assert told["settings"] == {**DEFAULTS, "theme": "light"}
