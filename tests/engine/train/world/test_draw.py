"""Drawn shots are exact: their size, their labels, and what the words promise about the pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.train.world import canvas, vocabulary
from engine.train.world.draw import draw_shot
from engine.train.world.figure import pose_at
from engine.train.world.gallery import contact_sheet
from engine.train.world.geometry import Capsule, Dome, Ellipse, Shape, box
from engine.train.world.lettering import write
from engine.train.world.script import PropSet, ShotScript
from engine.train.world.story import WorldDials, tell


def shot_like(**changes: object) -> ShotScript:
    """Return a quiet wide shot without text, changed as asked."""
    shot = tell(1_000_000, WorldDials(num_frames=9, text=0.0)).shots[0]
    quiet = {"action": "stands", "framing": "wide", "camera": "static"}
    return replace(shot, **{**quiet, **changes})  # type: ignore[arg-type]


def figure_centre(labels_HW: np.ndarray, label: int = canvas.FIGURE) -> float:
    return float(np.nonzero(labels_HW == label)[1].mean())


@pytest.mark.parametrize("num_frames", [1, 9, 17, 41])
def test_a_shot_has_the_declared_size(num_frames: int) -> None:
    drawn = draw_shot(tell(7, WorldDials(num_frames=num_frames)).shots[0])
    assert drawn.frames_FHW3.shape == (num_frames, 96, 160, 3)
    assert drawn.frames_FHW3.dtype == np.uint8
    assert drawn.labels_FHW.shape == (num_frames, 96, 160)


def test_the_same_script_always_gives_the_same_pixels() -> None:
    shot = tell(1_000_010).shots[-1]
    first, second = draw_shot(shot), draw_shot(shot)
    assert np.array_equal(first.frames_FHW3, second.frames_FHW3)
    assert np.array_equal(first.labels_FHW, second.labels_FHW)


@pytest.mark.parametrize("place", vocabulary.PLACES)
@pytest.mark.parametrize("action", vocabulary.ACTIONS)
def test_every_action_shows_a_figure_in_every_place(place: str, action: str) -> None:
    scene = replace(shot_like().scene, kind=place, sign="tea")
    drawn = draw_shot(shot_like(scene=scene, action=action))
    areas = (drawn.labels_FHW == canvas.FIGURE).sum(axis=(1, 2))
    assert areas.min() > 0.05 * 160 * 96
    assert (drawn.labels_FHW == canvas.SIGN).any()
    assert (drawn.labels_FHW == canvas.LANDMARK).any()


@pytest.mark.parametrize("colour", vocabulary.COLOURS)
def test_the_label_map_finds_the_shirt_in_its_colour(colour: str) -> None:
    person = replace(shot_like().character, shirt=colour, pattern="plain", hat="none")
    drawn = draw_shot(shot_like(characters=(person,), framing="medium"))
    figure = drawn.frames_FHW3[0][drawn.labels_FHW[0] == canvas.FIGURE].astype(int)
    distance = np.abs(figure - np.array(vocabulary.COLOURS[colour])).max(axis=1)
    assert (distance < 12).mean() > 0.1


def test_outside_the_figure_nothing_depends_on_who_it_is() -> None:
    shot = shot_like()
    other = replace(shot.character, shirt="pink", skin="dark", hat="none", long_hair=False)
    own, foreign = draw_shot(shot), draw_shot(replace(shot, characters=(other,)))
    outside = (own.labels_FHW == 0) & (foreign.labels_FHW == 0)
    # Smooth edges may reach one pixel beyond the label map.
    inside = np.zeros_like(outside)
    inside[:, 1:-1, 1:-1] = (
        outside[:, :-2, 1:-1] & outside[:, 2:, 1:-1] & outside[:, 1:-1, :-2] & outside[:, 1:-1, 2:]
    )
    inside &= outside
    assert np.array_equal(own.frames_FHW3[inside], foreign.frames_FHW3[inside])


def test_walking_left_and_right_move_the_figure_that_way() -> None:
    for action, direction in (("walks left", -1), ("walks right", 1)):
        labels_FHW = draw_shot(shot_like(action=action)).labels_FHW
        assert direction * (figure_centre(labels_FHW[-1]) - figure_centre(labels_FHW[0])) > 15


def test_a_pan_moves_what_is_seen_the_other_way() -> None:
    for camera, direction in (("pan left", 1), ("pan right", -1)):
        labels_FHW = draw_shot(shot_like(camera=camera)).labels_FHW
        assert direction * (figure_centre(labels_FHW[-1]) - figure_centre(labels_FHW[0])) > 10


def test_a_zoom_and_closer_framings_make_the_figure_larger() -> None:
    zoomed = draw_shot(shot_like(camera="zoom in")).labels_FHW == canvas.FIGURE
    assert zoomed[-1].sum() > 1.3 * zoomed[0].sum()
    areas = [
        (draw_shot(shot_like(framing=framing)).labels_FHW[0] == canvas.FIGURE).sum()
        for framing in vocabulary.FRAMINGS
    ]
    assert areas[0] < areas[1] < areas[2]


def test_a_jump_leaves_the_ground_and_standing_does_not() -> None:
    def lowest(action: str) -> list[int]:
        labels_FHW = draw_shot(shot_like(action=action)).labels_FHW
        return [int(np.nonzero(labels == canvas.FIGURE)[0].max()) for labels in labels_FHW]

    assert max(lowest("jumps")) - min(lowest("jumps")) > 8
    assert len(set(lowest("stands"))) == 1


def test_a_turn_hides_the_face() -> None:
    assert max(abs(pose_at("turns", i / 8).turn) for i in range(17)) > 3.14


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(ValueError, match="'flies'"):
        pose_at("flies", 0.0)


def test_two_people_have_two_labels_from_left_to_right() -> None:
    pair = tell(1_000_002, WorldDials(two_people=1.0)).shots[0]
    shot = replace(pair, action="stands", framing="wide", camera="static", num_frames=1)
    labels_HW = draw_shot(shot).labels_FHW[0]
    assert figure_centre(labels_HW) + 20 < figure_centre(labels_HW, canvas.FIGURE + 1)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_props_can_be_counted(count: int) -> None:
    props = PropSet(kind="balloon", colour="red", count=count, is_flying=False)
    drawn = draw_shot(shot_like(props=props, num_frames=1))
    row = (drawn.labels_FHW[0] == canvas.PROP).any(axis=0).astype(int)
    assert int((np.diff(row, prepend=0) == 1).sum()) == count


def test_flying_props_move_up_and_right() -> None:
    props = PropSet(kind="ball", colour="red", count=1, is_flying=True)
    labels_FHW = draw_shot(shot_like(props=props)).labels_FHW == canvas.PROP
    (y0, x0), (y1, x1) = (np.argwhere(labels_FHW[i]).mean(axis=0) for i in (0, -1))
    assert x1 > x0 + 8
    assert y1 < y0 - 6


@pytest.mark.parametrize("weather", ["rain", "snow"])
def test_weather_falls(weather: str) -> None:
    clear, wet = draw_shot(shot_like()), draw_shot(shot_like(weather=weather))
    changed = (clear.frames_FHW3 != wet.frames_FHW3).any(axis=-1)
    assert 0.005 < changed.mean() < 0.2
    assert not np.array_equal(changed[0], changed[4])


def test_letters_of_a_close_sign_are_sixteen_pixels_high() -> None:
    scene = replace(shot_like().scene, sign="tea")
    drawn = draw_shot(shot_like(scene=scene, framing="close"))
    ink = np.abs(drawn.frames_FHW3[0].astype(int) - np.array(canvas.INK)).max(axis=-1) < 40
    board = drawn.labels_FHW[0] == canvas.SIGN
    interior = np.zeros_like(board)
    interior[4:-4, 4:-4] = board[:-8, 4:-4] & board[8:, 4:-4] & board[4:-4, :-8] & board[4:-4, 8:]
    rows = np.nonzero((ink & interior).any(axis=1))[0]
    assert rows.max() - rows.min() + 1 >= 16


def test_a_letter_without_a_glyph_is_refused() -> None:
    with pytest.raises(ValueError, match="'q'"):
        write("quiz", 0, 0, canvas.INK)


@pytest.mark.parametrize("shape", [Ellipse(0, 0, 5, 3), Capsule(0, 0, 4, 4, 3), box(-3, -2, 3, 2)])
def test_a_grown_shape_lies_at_the_asked_distance(shape: Shape) -> None:
    before, after = shape.points(), shape.points(1.0)
    gaps = np.linalg.norm(after[:, None] - before[None], axis=-1).min(axis=1)
    assert 0.9 < gaps.min() <= gaps.max() < 1.5


def test_a_grown_dome_also_grows_downwards() -> None:
    assert Dome(0, 0, 5, 4).points(1.0)[:, 1].max() == 1.0
    assert abs(Dome(0, 0, 5, 4).points()[:, 1].max()) < 1e-5


def test_a_contact_sheet_has_a_row_per_story_and_a_column_per_shot(tmp_path: Path) -> None:
    stories = [tell(seed, WorldDials(num_frames=1, max_shots=2)) for seed in (1, 2)]
    assert contact_sheet(stories, num_columns=3).shape == (2 * 100, 3 * 164, 3)
