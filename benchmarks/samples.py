"""Render the sample storyboards with the shipped model and keep a picture of each.

Run as `python -m benchmarks.samples` whenever new weights ship: `app.py render` renders each of
them, and frames of three shots, side by side, become its picture in assets/storyboards/pictures.
With `--films DIR` the films are kept too; `--gif FILE` writes the film that the README shows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from studio.actions.samples import FOLDER, picture_of

ROOT = Path(__file__).resolve().parents[1]
QUALITY = 88
SEED = 11
SHOWN = "two-friends.txt"
"""The sample that becomes a GIF."""
SCALE = 2


def main() -> None:
    """Render every sample from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, help="folder in which the films are kept")
    parser.add_argument("--gif", type=Path, help=f"GIF of {SHOWN} to write")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the first shots; {SEED}")
    given = parser.parse_args()
    for row in json.loads((FOLDER / "samples.json").read_text("utf-8")):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="mnemoreel-") as scratch:
            folder = given.films or Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            film = folder / f"{Path(row['file']).stem}.mp4"
            told = render(row["file"], film, seed=given.seed, data=Path(scratch) / "data")
            shots = [number - 1 for number in row["pictured"]]
            size = keep_picture(film, told["shots"], shots, picture_of(row["file"]))
            if given.gif and row["file"] == SHOWN:
                write_gif(film, given.gif)
        seconds = time.perf_counter() - began
        print(f"{row['title']}: {told['shots']} shots in {seconds:.0f} s, picture {size} bytes")


def render(file: str, film: Path, *, seed: int, data: Path) -> dict[str, Any]:
    """Render a storyboard to `film` in a library of its own and return what the command told."""
    command = [sys.executable, "app.py", "render", str(FOLDER / file), "--out", str(film)]
    command += ["--seed", str(seed), "--data", str(data), "--json"]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def keep_picture(film: Path, num_shots: int, shots: Sequence[int], target: Path) -> int:
    """Write the middle frames of some shots, side by side, and return the bytes of the JPEG.

    The shots of a sample are equally long.
    """
    frames = frames_of(film)
    length = len(frames) // num_shots
    chosen = [frames[index * length + length // 2] for index in shots]
    target.parent.mkdir(exist_ok=True)
    Image.fromarray(np.concatenate(chosen, axis=1)).save(target, "JPEG", quality=QUALITY)
    return target.stat().st_size


def write_gif(film: Path, target: Path) -> None:
    """Write a film as a GIF that never ends, enlarged, in 64 colours of its own.

    The octree keeps the few pixels of a shirt in their colour; a median cut greys them.
    """
    frames = frames_of(film)
    size = (SCALE * frames[0].shape[1], SCALE * frames[0].shape[0])
    pictures = [Image.fromarray(f).resize(size, Image.Resampling.LANCZOS) for f in frames]
    every = Image.fromarray(np.concatenate(frames[::8]))
    palette = every.quantize(64, method=Image.Quantize.FASTOCTREE)
    few = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    few[0].save(target, save_all=True, append_images=few[1:], duration=120, loop=0, optimize=True)


def frames_of(film: Path) -> list[Any]:
    """Return the frames H W 3 of a film."""
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


if __name__ == "__main__":
    main()
