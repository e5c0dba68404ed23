"""What a shot shows is what would look different otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.train.world.attributes import (
    APPEARANCE,
    ATTRIBUTES,
    STAGING,
    labels_of,
    visible_attributes,
)
from engine.train.world.script import ShotScript
from engine.train.world.story import WorldDials, tell


def shot_like(framing: str, **look: object) -> ShotScript:
    shot = tell(1_000_000, WorldDials(text=0.0)).shots[0]
    looks = {"hat": "none", "long_hair": True, **look}
    person = replace(shot.character, **looks)  # type: ignore[arg-type]
    return replace(shot, characters=(person,), framing=framing, camera="static", action="stands")


def test_every_label_is_a_value_of_its_attribute() -> None:
    for shot in tell(1_000_003).shots:
        labels = labels_of(shot)
        assert set(labels) == set(ATTRIBUTES)
        assert all(labels[name] in values for name, values in ATTRIBUTES.items())


@pytest.mark.parametrize(("framing", "is_shown"), [("wide", True), ("close", False)])
def test_a_close_shot_hides_the_trousers(framing: str, is_shown: bool) -> None:  # noqa: FBT001
    assert ("trousers" in visible_attributes(shot_like(framing), (4,))) == is_shown


def test_a_bare_head_has_no_colour_of_a_hat() -> None:
    assert "hat_colour" not in visible_attributes(shot_like("wide"), (4,))
    assert "hat_colour" in visible_attributes(shot_like("wide", hat="crown"), (4,))


def test_a_cap_hides_short_hair_in_a_wide_shot() -> None:
    bare = shot_like("wide", long_hair=False, hair="ginger", skin="pale")
    under_a_cap = shot_like("wide", long_hair=False, hair="ginger", skin="pale", hat="cap")
    assert "hair" in visible_attributes(bare, (4,))
    assert "hair" not in visible_attributes(under_a_cap, (4,))


def test_staging_is_always_visible_and_a_shirt_in_every_framing() -> None:
    for framing in ("wide", "medium", "close"):
        seen = visible_attributes(shot_like(framing), (4,))
        assert set(STAGING) <= seen <= set(STAGING) | set(APPEARANCE)
        assert "shirt" in seen
