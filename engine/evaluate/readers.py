"""Readers without training: what a picture shows is the drawn variant that it resembles most.

The true shot is drawn again with every value that an attribute could have. Where the variants
differ, the measured frames are compared with each of them, allowing for a few pixels of movement.
Every reader is calibrated on the true frames and on their VAE reconstructions beside its tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt
import torch

from engine.models.judge import PICKS
from engine.train.world.draw import draw_shot
from engine.train.world.script import ShotScript
from engine.train.world.vocabulary import COLOURS, SIGN_WORDS

Frames = npt.NDArray[np.uint8]
MAX_SHIFT = 6
"""Pixels that a rendered shot may stand beside the drawn one, in steps of 2."""
MIN_PIXELS = 40
"""A variant is visible where changing it changes this many pixels of all picked frames."""
_MIN_CHANGE = 40  # of 255 in one channel
_COLOUR_REACH = 60
_PROP_AREA = 122.0  # pixels of a prop in a wide shot
_SCALES = {"wide": 1.0, "medium": 1.3, "close": 1.7}
_LEAST_SHOWN = 0.65
_NOTHING = np.zeros((1, len(PICKS), 1, 1, 3), np.int16)


def picked(frames_FHW3: torch.Tensor) -> Frames:
    """Return the frames that readers look at."""
    frames: Frames = frames_FHW3[list(PICKS)].numpy()
    return frames


def landmark_variants(script: ShotScript) -> dict[str, ShotScript]:
    """Return the shot with the landmark of its place in every colour."""
    return {
        colour: dataclasses.replace(
            script, scene=dataclasses.replace(script.scene, landmark_colour=colour)
        )
        for colour in COLOURS
    }


def sign_variants(script: ShotScript) -> dict[str, ShotScript]:
    """Return the shot with every word on its sign; nothing for a place without one."""
    if not script.scene.sign:
        return {}
    return {
        word: dataclasses.replace(script, scene=dataclasses.replace(script.scene, sign=word))
        for word in SIGN_WORDS
    }


def shirt_variants(script: ShotScript, number: int) -> dict[str, ShotScript]:
    """Return the shot with the shirt of character `number` in every colour."""
    variants = {}
    for colour in COLOURS:
        people = list(script.characters)
        people[number] = dataclasses.replace(people[number], shirt=colour)
        variants[colour] = dataclasses.replace(script, characters=tuple(people))
    return variants


class VariantReader:
    """Names the variant that the picked frames resemble most, where the variants differ."""

    def __init__(self, variants: Mapping[str, ShotScript]) -> None:
        self.names = tuple(variants)
        drawn = [draw_shot(script, PICKS).frames_FHW3 for script in variants.values()]
        stack_VFHW3 = np.stack(drawn).astype(np.int16) if drawn else _NOTHING
        spread_FHW = (stack_VFHW3.max(axis=0) - stack_VFHW3.min(axis=0)).max(axis=-1)
        self._places = np.nonzero(spread_FHW > _MIN_CHANGE)
        frame_P, row_P, column_P = self._places
        self._looks_VP3 = stack_VFHW3[:, frame_P, row_P, column_P]

    @property
    def can_read(self) -> bool:
        """Whether the variants are different pictures: what differs is in frame."""
        return len(self._places[0]) >= MIN_PIXELS

    def __call__(self, frames_FHW3: Frames) -> str | None:
        """Return the nearest variant, at the best of a few shifts for each; None if none differ."""
        if not self.can_read:
            return None
        shifts = range(-MAX_SHIFT, MAX_SHIFT + 1, 2)
        errors_SV = [self._errors(frames_FHW3, dy, dx) for dy in shifts for dx in shifts]
        return self.names[int(np.argmin(np.min(errors_SV, axis=0)))]

    def _errors(self, frames_FHW3: Frames, dy: int, dx: int) -> npt.NDArray[np.float64]:
        """Return the mean absolute error of every variant, the shot standing (dy, dx) beside it."""
        frame_P, row_P, column_P = self._places
        row_P, column_P = row_P + dy, column_P + dx
        _, height, width, _ = frames_FHW3.shape
        inside_P = (row_P >= 0) & (row_P < height) & (column_P >= 0) & (column_P < width)
        if inside_P.sum() < MIN_PIXELS // 2:
            return np.full(len(self.names), np.inf)
        seen_P3 = frames_FHW3[frame_P[inside_P], row_P[inside_P], column_P[inside_P]]
        looks_VP3 = self._looks_VP3[:, inside_P]
        errors: npt.NDArray[np.float64] = np.abs(looks_VP3 - seen_P3.astype(np.int16)).mean((1, 2))
        return errors


def count_props(frames_FHW3: Frames, script: ShotScript) -> int:
    """Return how many blobs in the colour of the props the frames show, their median.

    The true shot says how large one prop is, nothing else. Blobs of less than a third of it are
    noise; props that touch count as as many as have their area.
    """
    assert script.props is not None
    truth_FHW3 = draw_shot(script, PICKS).frames_FHW3
    counts = []
    for frame_HW3, truth_HW3 in zip(frames_FHW3, truth_FHW3, strict=True):
        area = max(1.0, _near(truth_HW3, script).sum() / script.props.count)
        _, _, stats, _ = cv2.connectedComponentsWithStats(_near(frame_HW3, script), connectivity=4)
        blobs = [stat[cv2.CC_STAT_AREA] for stat in stats[1:]]
        counts.append(sum(max(1, round(blob / area)) for blob in blobs if blob >= area / 3))
    return int(np.median(counts))


def is_countable(script: ShotScript) -> bool:
    """Return whether the true shot shows every prop nearly whole, and nothing else like them."""
    props = script.props
    if props is None or props.is_flying:
        return False
    empty = draw_shot(dataclasses.replace(script, props=None), PICKS).frames_FHW3
    if any(_near(frame, script).sum() > MIN_PIXELS for frame in empty):
        return False
    whole = props.count * _PROP_AREA * _SCALES[script.framing] ** 2
    truth_FHW3 = draw_shot(script, PICKS).frames_FHW3
    if min(_near(frame, script).sum() for frame in truth_FHW3) < _LEAST_SHOWN * whole:
        return False  # behind a figure, or out of frame
    return count_props(truth_FHW3, script) == props.count


def _near(frame_HW3: npt.NDArray[np.uint8], script: ShotScript) -> npt.NDArray[np.uint8]:
    assert script.props is not None
    colour = np.array(COLOURS[script.props.colour], dtype=np.int16)
    distance_HW = np.abs(frame_HW3.astype(np.int16) - colour).max(axis=-1)
    near_HW: npt.NDArray[np.uint8] = (distance_HW < _COLOUR_REACH).astype(np.uint8)
    return near_HW
