"""The whole training plan of the embedded model: stages in order, each resumable.

Run as `python -m engine.train.plan --out runs/embedded`, stop it at any time, run it again to
continue. A stage that has written its result is not run again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One command of the plan, and the file that says it is done."""

    module: str
    arguments: tuple[str, ...]
    done: Path


def stages(out: Path, *, hours: float, threads: int, init_vae: Path | None) -> Iterator[Stage]:
    """Yield the stages; `hours` is the time for all of them, shared as measured (docs/training.md).

    The VAE gets 25 %, frame retrieval 12 %, the next shot 63 %; latents are encoded on the way.
    """
    seconds = hours * 3600
    vae, base = out / "tiny_vae", out / "base"
    latents, pretrain, finetune = out / "latents", out / "pretrain", out / "finetune"
    count = ("--threads", str(threads))
    start = ("--init", str(init_vae)) if init_vae else ()
    yield Stage(
        "engine.train.tiny_vae",
        ("--out", str(vae), "--budget-seconds", str(0.25 * seconds), "--resume", *start, *count),
        vae / "vae" / "config.json",
    )
    yield Stage(
        "engine.train.latents",
        ("--vae", str(vae / "vae"), "--out", str(latents), "--num-stories", "8192", *count),
        latents / f"{8192 - 32:07d}.safetensors",
    )
    yield Stage(
        "engine.train.assemble",
        ("--vae", str(vae / "vae"), "--out", str(base)),
        base / "card.json",
    )
    for name, before, share in (
        ("pretrain_memory", base, 0.12),
        ("finetune", pretrain / "checkpoint", 0.63),
    ):
        folder = pretrain if name == "pretrain_memory" else finetune
        yield Stage(
            f"engine.train.{name}",
            (
                *("--checkpoint", str(before), "--latents", str(latents), "--out", str(folder)),
                *("--budget-seconds", str(share * seconds), *count),
            ),
            folder / "done",
        )


def run(plan: Iterator[Stage]) -> None:
    """Run the stages that are not done; the first that fails ends the plan."""
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    for stage in plan:
        if stage.done.exists():
            print(f"{stage.module} is done.", flush=True)
            continue
        print(f"{stage.module} {' '.join(stage.arguments)}", flush=True)
        command = [sys.executable, "-m", stage.module, *stage.arguments]
        subprocess.run(command, check=True, env=environment)
        stage.done.touch()


def main() -> None:
    """Train everything from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of all stages")
    parser.add_argument("--hours", type=float, default=8.0, help="time for all stages together")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--init-vae", type=Path, help="safetensors of a VAE to start from")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    run(
        stages(
            arguments.out,
            hours=arguments.hours,
            threads=arguments.threads,
            init_vae=arguments.init_vae,
        )
    )


if __name__ == "__main__":
    main()
