"""How far the judge can be believed: how often it reads true shots right, drawn and softened.

Run as `python -m engine.evaluate.judge` when the judge or the VAE has changed. The accuracies are
kept in the judge's configuration, where every table finds what may be reported.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from engine.models.checkpoint import load_vae
from engine.models.judge import Judge, load_judge, save_judge
from engine.recipes import EMBEDDED
from engine.train.judge import FIRST_HELD_OUT, describe, measured
from engine.train.judged_clips import draw_clips, soft_clips

JUDGE = EMBEDDED.parent / "judge"


def measure(judge: Judge, vae: Any, num_clips: int) -> None:
    """Replace the accuracies of `judge` by those over `num_clips` held-out shots through `vae`.

    Raises:
        ValueError: fewer than one shot.
    """
    if num_clips < 1:
        raise ValueError(f"{num_clips} shots to measure the judge on. Expected at least 1.")
    seeds = range(FIRST_HELD_OUT, FIRST_HELD_OUT + num_clips)
    accuracy = measured(judge, draw_clips(seeds), soft_clips(seeds, vae))
    judge.config = replace(judge.config, accuracy=accuracy)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line and write the accuracies into the judge's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, default=JUDGE, help="folder of the judge")
    parser.add_argument("--vae", type=Path, default=EMBEDDED / "vae", help="folder of the VAE")
    parser.add_argument("--clips", type=int, default=400, help="held-out shots of either kind")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    judge = load_judge(options.judge)
    measure(judge, load_vae(options.vae), options.clips)
    save_judge(judge, options.judge)
    print(describe(dict(judge.config.accuracy)))


if __name__ == "__main__":
    main()
