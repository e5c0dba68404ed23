"""What can be measured of continuity between shots: colours of the middle, features, brightness.

Nothing here knows what a person or a coat is. The subject is taken to be what stands in the middle
of the picture and not at its sides; its colours and its VAE latents are compared with those of
earlier shots. Thresholds were found on the drawn world, where the truth is known:
docs/measurements/lint.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MAX_COLOURS_SCORES = (8.5, 5.5, 2.0)
"""Above this the colours of the subject are told of, by the number of earlier shots: one of them
may show a subject from too near or too far to be compared. docs/measurements/lint.md"""
MAX_FEATURES_SCORE = 2.6
"""Above this the latents of the subject are told of. docs/measurements/lint.md"""
MAX_BRIGHTNESS_SCORE = 9.0
"""L* between two parts of a shot above which its brightness is told of."""
NUM_FRAMES = 4
"""Frames of a shot that are looked at, evenly spaced, the first and the last among them."""
_WIDTH = 160
_BINS = (9, 13, 14)
_NUM_BINS = 9 * 13 * 14
_SIDE, _MIDDLE = 0.22, 0.14
_ALIKE = 16.0  # colours nearer than this in L*a*b* are one patch of cloth in light and shade
_SEEN = 12.0  # a difference that drawing and compression make by themselves
_MOST = 40.0
_LEAST_SHARE = 0.04
# Light and shade change L* more than they change what an editor calls a colour.
_WEIGHTS = np.array([0.5, 1.0, 1.0], np.float32)
_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
)
_WHITE = np.array([0.9505, 1.0, 1.089], np.float32)
_NAMES: dict[str, tuple[int, int, int]] = {
    "black": (28, 26, 30),
    "grey": (140, 140, 145),
    "white": (245, 245, 242),
    "red": (215, 45, 50),
    "dark red": (120, 30, 35),
    "orange": (240, 130, 35),
    "brown": (120, 74, 42),
    "tan": (225, 172, 125),
    "pale": (255, 222, 192),
    "yellow": (250, 210, 60),
    "green": (45, 160, 78),
    "dark green": (25, 80, 45),
    "teal": (40, 150, 150),
    "light blue": (140, 195, 240),
    "blue": (45, 95, 215),
    "dark blue": (25, 35, 95),
    "purple": (135, 65, 195),
    "pink": (248, 126, 188),
}


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours of a subject in L*a*b*, the largest first."""

    lab_N3: Floats
    shares_N: Floats
    """How much of the subject each colour takes; together 1."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was measured of one shot."""

    palette: Palette
    by_frame: tuple[tuple[int, Palette], ...]
    """Palettes of the frames that were looked at, with their numbers."""
    brightness: tuple[tuple[int, float], ...]
    """Mean L* of the same frames."""
    features_ND: Floats
    """Latents of the subject's patches in the first latent frame; empty without latents."""
    weights_N: Floats
    """How much each of those patches belongs to the subject."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A score that is above its threshold."""

    kind: str
    """colours, features or brightness."""
    score: float
    threshold: float
    frame: int
    """Frame of the take from which it is so."""
    past: int
    """Which of the earlier shots was nearest; -1 = the shot is compared with itself."""
    before: str = ""
    """Name of the colour that is missing now, of the nearest earlier shot."""
    after: str = ""
    """Name of the colour that is there instead."""


def look_at(frames_FHW3: npt.NDArray[np.uint8], latents_CHW: Floats | None = None) -> Look:
    """Return what is measured of a shot from its frames and its first latent frame."""
    last = len(frames_FHW3) - 1
    picks = sorted({round(last * i / (NUM_FRAMES - 1)) for i in range(NUM_FRAMES)})
    stride = max(1, frames_FHW3.shape[2] // _WIDTH)
    lab_FHW3 = _lab(_softened(frames_FHW3[picks][:, ::stride, ::stride]))
    bins_FHW = _bins(lab_FHW3)
    weights_FHW = _subject(bins_FHW)
    palettes = [
        (pick, _palette(lab, bins, weights))
        for pick, lab, bins, weights in zip(picks, lab_FHW3, bins_FHW, weights_FHW, strict=True)
    ]
    features, weights = _patches(latents_CHW, weights_FHW[0])
    return Look(
        palette=_palette(lab_FHW3, bins_FHW, weights_FHW),
        by_frame=tuple(palettes),
        brightness=tuple(
            (pick, float(lab[..., 0].mean())) for pick, lab in zip(picks, lab_FHW3, strict=True)
        ),
        features_ND=features,
        weights_N=weights,
    )


def drifts(new: Look, past: Sequence[Look]) -> tuple[Drift, ...]:
    """Return what is above its threshold: the new shot against the nearest of the earlier ones."""
    found = [_brightness(new)]
    if past:
        found += [_colours(new, past), _features(new, past)]
    return tuple(drift for drift in found if drift is not None)


def colours_score(a: Palette, b: Palette) -> float:
    """Return how much of a subject's colours is missing in the other, in L*a*b* units.

    A close view shows less of a person than a wide one, so the better of both directions counts.
    """
    return float(min((_missing(a, b) * a.shares_N).sum(), (_missing(b, a) * b.shares_N).sum()))


def colours_against(new: Look, past: Sequence[Look]) -> float:
    """Return the colours score of a shot against earlier ones.

    Each frame counts against the earlier shot that is nearest to it, and two frames must agree: one
    frame with an arm before the shirt is no news.
    """
    nearest = np.sort(_colours_table(new, past).min(1))
    return float(nearest[-min(2, len(nearest))])


def features_score(a: Look, b: Look) -> float:
    """Return the distance of the subjects' latents: each patch to the nearest one of the other."""
    if not len(a.features_ND) or not len(b.features_ND):
        return 0.0
    distances = np.linalg.norm(a.features_ND[:, None] - b.features_ND[None], axis=2)
    there = float((distances.min(1) * a.weights_N).sum())
    back = float((distances.min(0) * b.weights_N).sum())
    return min(there, back)


def brightness_score(look: Look) -> tuple[float, int]:
    """Return the largest step in mean L* from the first frame on, and the frame it is at."""
    first = look.brightness[0][1]
    frame, level = max(look.brightness, key=lambda one: abs(one[1] - first))
    return abs(level - first), frame


def name_of(lab_3: Floats) -> str:
    """Return what a colour is called."""
    table = _lab(np.array([list(_NAMES.values())], np.float32))[0]
    return list(_NAMES)[int(np.linalg.norm((table - lab_3) * _WEIGHTS, axis=1).argmin())]


def _colours(new: Look, past: Sequence[Look]) -> Drift | None:
    score, limit = colours_against(new, past), colours_limit(len(past))
    if score <= limit:
        return None
    table = _colours_table(new, past)
    at = int((table.min(1) > limit).argmax())
    nearest = int(table[at].argmin())
    frame, now = new.by_frame[at]
    return Drift(
        kind="colours",
        score=round(score, 2),
        threshold=limit,
        frame=frame,
        past=nearest,
        before=_most_missing(past[nearest].palette, now),
        after=_most_missing(now, past[nearest].palette),
    )


def colours_limit(num_past: int) -> float:
    """Return the threshold of the colours score for a number of earlier shots, at least one."""
    return MAX_COLOURS_SCORES[min(num_past, len(MAX_COLOURS_SCORES)) - 1]


def _colours_table(new: Look, past: Sequence[Look]) -> npt.NDArray[np.float64]:
    """Return the scores of each frame that was looked at (rows) against each earlier shot."""
    return np.array([[colours_score(p, old.palette) for old in past] for _, p in new.by_frame])


def _features(new: Look, past: Sequence[Look]) -> Drift | None:
    scores = [features_score(new, look) for look in past]
    nearest = int(np.argmin(scores))
    if scores[nearest] <= MAX_FEATURES_SCORE:
        return None
    score = round(scores[nearest], 2)
    return Drift(kind="features", score=score, threshold=MAX_FEATURES_SCORE, frame=0, past=nearest)


def _brightness(new: Look) -> Drift | None:
    score, frame = brightness_score(new)
    if score <= MAX_BRIGHTNESS_SCORE:
        return None
    levels = dict(new.brightness)
    words = ("brighter", "darker")
    return Drift(
        kind="brightness",
        score=round(score, 2),
        threshold=MAX_BRIGHTNESS_SCORE,
        frame=frame,
        past=-1,
        after=words[levels[frame] < new.brightness[0][1]],
    )


def _missing(a: Palette, b: Palette) -> Floats:
    """Return how far each colour of `a` is from the nearest of `b`, what is normal taken off."""
    distances = np.linalg.norm((a.lab_N3[:, None] - b.lab_N3[None]) * _WEIGHTS, axis=2)
    missing: Floats = np.clip(distances.min(1) - _SEEN, 0.0, _MOST).astype(np.float32)
    return missing


def _most_missing(a: Palette, b: Palette) -> str:
    return name_of(a.lab_N3[int((_missing(a, b) * a.shares_N).argmax())])


def _palette(lab: Floats, bins: npt.NDArray[np.intp], weights: Floats) -> Palette:
    """Return the weighted colours of pixels: those of one bin together, then those alike."""
    flat, mass = bins.ravel(), weights.ravel()
    total = np.bincount(flat, mass, minlength=_NUM_BINS)
    used = np.flatnonzero(total)
    channels = lab.reshape(-1, 3).T
    sums = np.stack([np.bincount(flat, mass * c, minlength=_NUM_BINS) for c in channels], 1)
    centres, shares = sums[used] / total[used, None], total[used] / total.sum()
    colours: list[npt.NDArray[np.float64]] = []
    held: list[float] = []
    for index in np.argsort(-shares):
        gaps = [float(np.linalg.norm(known - centres[index])) for known in colours]
        if gaps and min(gaps) < _ALIKE:
            near, share = int(np.argmin(gaps)), float(shares[index])
            whole = held[near] + share
            colours[near] = (colours[near] * held[near] + centres[index] * share) / whole
            held[near] = whole
        else:
            colours.append(centres[index])
            held.append(float(shares[index]))
    order = [i for i in np.argsort(-np.array(held)) if held[i] >= _LEAST_SHARE or i == 0]
    kept = np.array([held[i] for i in order], np.float32)
    lab_N3 = np.array([colours[i] for i in order], np.float32)
    return Palette(lab_N3=lab_N3, shares_N=kept / kept.sum())


def _subject(bins_FHW: npt.NDArray[np.intp]) -> Floats:
    """Return how much each pixel is of the subject: its colour stands in the middle, not aside."""
    width = bins_FHW.shape[2]
    x = (np.arange(width) + 0.5) / width - 0.5
    at_side, in_middle = np.abs(x) > 0.5 - _SIDE, np.abs(x) < _MIDDLE
    side = np.bincount(bins_FHW[:, :, at_side].ravel(), minlength=_NUM_BINS)
    middle = np.bincount(bins_FHW[:, :, in_middle].ravel(), minlength=_NUM_BINS)
    share_of_side, share_of_middle = side / side.sum(), middle / middle.sum()
    own = share_of_middle / (share_of_middle + share_of_side + 2e-4)
    prior = np.exp(-((x / 0.16) ** 2) / 2)
    weights = np.clip(own[bins_FHW] - 0.6, 0.0, None) * prior
    if not weights.any():
        weights = np.broadcast_to(prior, bins_FHW.shape)  # an even picture: its middle
    found: Floats = weights.astype(np.float32)
    return found


def _patches(latents_CHW: Floats | None, weights_HW: Floats) -> tuple[Floats, Floats]:
    if latents_CHW is None:
        return np.zeros((0, 1), np.float32), np.zeros(0, np.float32)
    _, rows, columns = latents_CHW.shape
    tall, wide = weights_HW.shape[0] // rows, weights_HW.shape[1] // columns
    tiles = weights_HW[: rows * tall, : columns * wide].reshape(rows, tall, columns, wide)
    shares = tiles.mean((1, 3)).ravel()
    vectors = latents_CHW.reshape(latents_CHW.shape[0], -1).T
    chosen = np.argsort(-shares)[: max(4, len(shares) // 8)]
    mass = np.maximum(shares[chosen], 1e-6)
    return vectors[chosen].astype(np.float32), (mass / mass.sum()).astype(np.float32)


def _softened(frames_FHW3: npt.NDArray[np.uint8]) -> Floats:
    """Return frames averaged over 3 x 3 pixels: outlines and noise are no colours."""
    soft = frames_FHW3.astype(np.float32)
    for axis in (1, 2):
        both = np.roll(soft, 1, axis) + np.roll(soft, -1, axis)
        soft = ((soft + both) / 3).astype(np.float32)
    return soft


def _lab(rgb: Floats) -> Floats:
    """Return L*a*b* (D65) of sRGB in 0..255."""
    x = rgb / 255.0
    x = np.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92).astype(np.float32)
    xyz = x @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    l_star, a = 116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1])
    return np.stack([l_star, a, 200 * (f[..., 1] - f[..., 2])], -1).astype(np.float32)


def _bins(lab: Floats) -> npt.NDArray[np.intp]:
    steps, offsets = (12.0, 16.0, 16.0), (0.0, 100.0, 110.0)
    parts = [
        np.clip((lab[..., i] + offsets[i]) // steps[i], 0, _BINS[i] - 1).astype(np.intp)
        for i in range(3)
    ]
    found: npt.NDArray[np.intp] = (parts[0] * _BINS[1] + parts[1]) * _BINS[2] + parts[2]
    return found
