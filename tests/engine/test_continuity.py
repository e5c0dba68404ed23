"""The continuity lint on pictures whose truth is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from engine import continuity
from engine.continuity import Look, colours_score, drifts, features_score, look_at, name_of

RED, ORANGE, BLUE = (215, 45, 50), (240, 130, 35), (45, 95, 215)
GRASS, SKY = (60, 140, 70), (140, 195, 240)
Colour = tuple[int, int, int]


def film(
    shirt: Colour = RED, *, ground: Colour = GRASS, left: int = 68, gain: float = 0.0
) -> npt.NDArray[np.uint8]:
    """Nine frames of somebody before a landscape; `gain` is added to every pixel by the end."""
    frames = np.empty((9, 96, 160, 3), np.float32)
    frames[:, :60], frames[:, 60:] = SKY, ground
    frames[:, 30:50, left : left + 24] = (225, 172, 125)
    frames[:, 50:90, left : left + 24] = shirt
    frames += np.linspace(0, gain, 9)[:, None, None, None]
    return np.clip(frames, 0, 255).astype(np.uint8)


def about(new: Look, *past: Look) -> dict[str, tuple[str, str]]:
    return {d.kind: (d.before, d.after) for d in drifts(new, past)}


def test_the_same_person_elsewhere_is_no_news() -> None:
    first = look_at(film())
    assert about(look_at(film(left=60, ground=(220, 200, 150))), first) == {}
    assert colours_score(first.palette, first.palette) == 0.0


def test_another_shirt_is_told_by_its_colours_before_and_after() -> None:
    found = about(look_at(film(BLUE)), look_at(film(RED)))
    assert found == {"colours": ("red", "blue")}


def test_the_nearest_of_several_earlier_shots_counts() -> None:
    past = [look_at(film(BLUE)), look_at(film(RED))]
    assert drifts(look_at(film(RED)), past) == ()
    (drift,) = drifts(look_at(film((250, 210, 60))), past)
    assert drift.score > drift.threshold


def test_a_shirt_that_changes_within_the_shot_is_told_from_the_frame_it_is_at() -> None:
    frames = film(BLUE)
    frames[:2] = film(RED)[:2]
    (drift,) = drifts(look_at(frames), [look_at(film(RED, left=60))])
    assert (drift.kind, drift.after) == ("colours", "blue")
    assert drift.frame == 3, "the first of the frames looked at, 0 3 5 8, that shows it"


def test_a_picture_that_gets_brighter_is_told_without_any_earlier_shot() -> None:
    (drift,) = drifts(look_at(film(gain=60)), [])
    assert (drift.kind, drift.after, drift.past) == ("brightness", "brighter", -1)
    assert drift.frame > 0
    assert drifts(look_at(film(gain=8)), []) == ()


def test_latents_of_the_middle_are_compared_and_their_absence_is_no_difference() -> None:
    chosen = np.random.default_rng(0)
    latents = chosen.normal(size=(16, 12, 20)).astype(np.float32)
    one, same = look_at(film(), latents), look_at(film(), latents.copy())
    other = look_at(film(), latents + 3 * chosen.normal(size=latents.shape).astype(np.float32))
    assert features_score(one, same) == pytest.approx(0, abs=1e-5)
    assert features_score(one, other) > 5
    assert features_score(one, look_at(film())) == 0.0


def test_an_even_picture_and_a_tiny_one_are_measured_too() -> None:
    grey = np.full((5, 32, 64, 3), 140, np.uint8)
    look = look_at(grey, np.zeros((16, 4, 8), np.float32))
    assert name_of(look.palette.lab_N3[0]) == "grey"
    assert drifts(look, [look]) == ()
    assert look_at(grey[:1]).brightness[0][0] == 0


def test_every_named_colour_is_called_by_its_own_name() -> None:
    table = continuity._NAMES
    for name, colour in table.items():
        lab = continuity._lab(np.array(colour, np.float32))
        assert name_of(lab) == name
