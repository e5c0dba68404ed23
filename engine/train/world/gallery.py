"""Contact sheets of the drawn world: one story a row, one frame a shot. Run as a module."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.train.world.draw import draw_shot
from engine.train.world.retakes import retaken
from engine.train.world.story import Story, WorldDials, tell


def contact_sheet(stories: list[Story], num_columns: int) -> NDArray[np.uint8]:
    """Return one picture with a row per story and the middle frame of its first shots."""
    rows = []
    for story in stories:
        frames = [draw_shot(shot).frames_FHW3[shot.num_frames // 2] for shot in story.shots]
        frames += [np.full_like(frames[0], 255)] * (num_columns - len(frames))
        rows.append(np.concatenate([_framed(frame) for frame in frames[:num_columns]], axis=1))
    return np.concatenate(rows, axis=0)


def _framed(frame_HW3: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(frame_HW3, ((2, 2), (2, 2), (0, 0)), constant_values=255)


def main() -> None:
    """Write a contact sheet as PNG and print the captions of the first story."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Example: python -m engine.train.world.gallery --out docs/gallery/world.png",
    )
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--seed", type=int, default=1_000_000, help="seed of the first story")
    parser.add_argument("--rows", type=int, default=7, help="stories, one a row")
    parser.add_argument("--columns", type=int, default=6, help="shots of each story")
    parser.add_argument(
        "--retakes", action="store_true", help="below each story its shots with looks gone wrong"
    )
    arguments = parser.parse_args()
    dials = WorldDials(min_shots=arguments.columns, max_shots=arguments.columns)
    stories = [tell(arguments.seed + row, dials) for row in range(arguments.rows)]
    if arguments.retakes:
        stories = [version for story in stories for version in (story, retaken(story))]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    sheet = contact_sheet(stories, arguments.columns)
    cv2.imwrite(str(arguments.out), sheet[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    for shot in stories[0].shots:
        print(shot.caption)


if __name__ == "__main__":
    main()
