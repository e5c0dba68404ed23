"""From a script to frames: the camera, the stage and the figures, about a millisecond a frame."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.train.world import canvas, places
from engine.train.world.canvas import Canvas, Fill, Layer, View, cut
from engine.train.world.figure import figure_layers, pose_at
from engine.train.world.geometry import Capsule, Ellipse
from engine.train.world.script import PropSet, ShotScript
from engine.train.world.vocabulary import COLOURS

FPS: Final = 8
_SCALES = {"wide": 1.0, "medium": 1.3, "close": 1.7}
_CENTRES_Y = {"wide": 48.0, "medium": 52.0, "close": 45.0}
_PAN_UNITS = 22.0
_WALK_UNITS = 30.0
_ZOOM = 0.32
_BALL_Y = 89.0
_APART = 18.0  # half the distance between two people


@dataclass(frozen=True)
class DrawnShot:
    """The picture of one shot."""

    frames_FHW3: NDArray[np.uint8]
    """Display frames, HEIGHT x WIDTH."""
    labels_FHW: NDArray[np.uint8]
    """What each pixel shows: BACKGROUND, SIGN, PROP, LANDMARK, FIGURE, FIGURE + 1 of canvas."""


def draw_shot(script: ShotScript, picks: Sequence[int] | None = None) -> DrawnShot:
    """Return the frames and labels of `script`; the same script always gives the same pixels.

    `picks` are the frames to draw; None draws the whole shot.
    """
    pictures = list(_frames(script, range(script.num_frames) if picks is None else picks))
    return DrawnShot(
        frames_FHW3=np.stack([frame.picture() for frame in pictures]),
        labels_FHW=np.stack([frame.labels_HW for frame in pictures]),
    )


def _frames(script: ShotScript, picks: Sequence[int]) -> Iterator[Canvas]:
    scale, scene = _SCALES[script.framing], script.scene
    back = [
        (cut(places.scenery(scene), scale), canvas.BACKGROUND),
        (cut(places.landmark(scene), scale), canvas.LANDMARK),
        (cut(places.sign(scene), scale), canvas.SIGN),
    ]
    empty: Canvas | None = None
    for index in picks:
        progress = index / max(1, script.num_frames - 1)
        view = _view(script, progress)
        if empty is None or view != empty.view:
            empty = Canvas(view)
            for stencil, label in back:
                empty.paint(stencil, label)
        frame = empty.copy(view)
        _paint_action(frame, script, index / FPS, progress)
        yield frame


def _paint_action(frame: Canvas, script: ShotScript, seconds: float, progress: float) -> None:
    scale = _SCALES[script.framing]
    if script.props is not None:
        frame.paint(cut(_props(script.props, script, seconds), scale), canvas.PROP)
    pose = pose_at(script.action, seconds)
    for number, x in enumerate(_stage_positions(script, progress)):
        for layer in figure_layers(script.characters[number], pose):
            frame.paint(cut(layer, scale), canvas.FIGURE + number, (x, places.GROUND_Y))
    if script.weather != "clear":
        frame.paint(cut(_weather(script, seconds), scale))


def _view(script: ShotScript, progress: float) -> View:
    """Return what the camera sees; a walker is followed in everything but a wide shot."""
    scale = _SCALES[script.framing] * (1 + _ZOOM * progress * (script.camera == "zoom in"))
    follow = {"wide": 0.0, "medium": 0.5, "close": 0.85}[script.framing]
    focus = script.stage_x + follow * _walked(script, progress)
    to_centre = {"wide": 0.9, "medium": 0.5, "close": 0.0}[script.framing]
    focus += to_centre * (80 - script.stage_x)
    if script.scene.sign:
        to_sign = {"wide": 0.0, "medium": 0.12, "close": 0.42}[script.framing]
        focus += to_sign * (script.scene.sign_x - focus)
    if script.camera.startswith("pan"):
        sign = 1.0 if script.camera == "pan right" else -1.0
        focus += sign * (progress - 0.5) * _PAN_UNITS
    return View(focus, _CENTRES_Y[script.framing], scale)


def _walked(script: ShotScript, progress: float) -> float:
    if not script.action.startswith("walks"):
        return 0.0
    direction = 1.0 if script.action == "walks right" else -1.0
    return direction * (progress - 0.5) * _WALK_UNITS


def _stage_positions(script: ShotScript, progress: float) -> list[float]:
    x = script.stage_x + _walked(script, progress)
    return [x] if len(script.characters) == 1 else [x - _APART, x + _APART]


def _props(props: PropSet, script: ShotScript, seconds: float) -> Layer:
    """Return balls on the ground or balloons in the air, evenly spaced, so they can be counted."""
    fills = []
    colour = COLOURS[props.colour]
    for number in range(props.count):
        x = script.stage_x + (number - (props.count - 1) / 2) * 18
        y = _BALL_Y if props.kind == "ball" else 18 + 3 * math.sin(2 * seconds + number)
        if props.is_flying:
            x, y = x + 16 * seconds, y - 12 * seconds
        if props.kind == "balloon":
            fills.append(Fill(Capsule(x, y, x, y + 16, 1.4), canvas.INK))
        fills.append(Fill(Ellipse(x, y, 6, 6.5), colour, is_outlined=True))
    return tuple(fills)


def _weather(script: ShotScript, seconds: float) -> Layer:
    rng = random.Random(script.scene.layout)
    fills = []
    for _ in range(36):
        x, start = rng.uniform(-20, 180), rng.uniform(0, 96)
        if script.weather == "rain":
            y = (start + 110 * seconds) % 96
            fills.append(Fill(Capsule(x, y, x - 1.5, y + 6, 1.3), (150, 190, 235)))
        else:
            y = (start + 22 * seconds) % 96
            fills.append(
                Fill(Ellipse(x + 3 * math.sin(seconds * 2 + start), y, 1.8, 1.8), (255, 255, 255))
            )
    return tuple(fills)
