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
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One command of the plan."""

    module: str
    arguments: tuple[str, ...]
    done: Path
    """File that says it has run to its end."""


@dataclass(frozen=True, kw_only=True)
class PlanSize:
    """How much of everything."""

    hours: float = 8.0
    """Training time of all stages together; encoding and measuring come on top."""
    threads: int = 2
    num_stories: int = 8192
    """Stories that are encoded for the memory stages."""
    num_text_steps: int = 700
    """Steps of the text encoder; minutes, whatever the hours."""
    num_validation: int = 16
    num_statistics: int = 64
    """Held-out clips behind the statistics of the latents."""
    num_judge_clips: tuple[int, int, int] = (2800, 160, 200)
    """Drawn, soft and held-out clips of the judge."""
    init_vae: Path | None = None
    """Safetensors of a VAE to start from; None = random weights."""


TINY = PlanSize(
    hours=0.001,
    threads=1,
    num_stories=4,
    num_text_steps=2,
    num_validation=4,
    num_statistics=2,
    num_judge_clips=(4, 2, 2),
)
"""A few steps of every stage: shows that the plan runs through, trains nothing."""


def stages(out: Path, size: PlanSize) -> Iterator[Stage]:
    """Yield the stages in order; shares of the time as measured (docs/training.md)."""
    vae, polish, base = out / "tiny_vae", out / "tiny_vae_polish", out / "base"
    latents, components = out / "latents", out / "components"
    pretrain, finetune = out / "pretrain", out / "finetune"
    start = ("--init", str(size.init_vae)) if size.init_vae else ()
    yield _vae_stage(vae, size, 0.22, start)
    yield _stage(
        "latents",
        latents,
        size,
        ("--vae", str(vae / "vae"), "--num-stories", str(size.num_stories)),
    )
    shards = ("--vae", str(vae / "vae"), "--latents", str(latents))
    yield Stage(
        "engine.train.retakes", (*shards, "--threads", str(size.threads)), out / "retakes.done"
    )
    yield Stage(
        "engine.train.assemble",
        ("--vae", str(vae / "vae"), "--out", str(base)),
        out / "base.done",
    )
    text = out / "text"
    words: tuple[str, ...] = ("--checkpoint", str(base), "--budget-steps", str(size.num_text_steps))
    yield _stage("pretrain_text", text, size, words)
    words = ("--checkpoint", str(text / "checkpoint"), "--latents", str(latents))
    yield _stage("components", components, size, words)
    for name, folder, before, share in (
        ("pretrain_memory", pretrain, components, 0.11),
        ("finetune", finetune, pretrain / "checkpoint", 0.57),
    ):
        words = ("--checkpoint", str(before), "--latents", str(latents))
        words += ("--validation-stories", str(size.num_validation))
        yield _stage(name, folder, size, (*words, *_budget(size, share)))
    weights = vae / "vae" / "diffusion_pytorch_model.safetensors"
    yield _vae_stage(polish, size, 0.07, ("--init", str(weights), "--freeze-encoder"))
    drawn, soft, held_out = (str(count) for count in size.num_judge_clips)
    words = ("--vae", str(polish / "vae"), "--num-clips", drawn, "--num-soft", soft)
    yield _stage(
        "judge", out / "judge", size, (*words, "--num-held-out", held_out, *_budget(size, 0.03))
    )
    yield Stage(
        "engine.train.release",
        (
            *("--checkpoint", str(finetune / "checkpoint"), "--vae", str(polish / "vae")),
            *("--out", str(out / "embedded")),
        ),
        out / "embedded.done",
    )


def _vae_stage(folder: Path, size: PlanSize, share: float, words: tuple[str, ...]) -> Stage:
    count = ("--statistics-clips", str(size.num_statistics))
    return _stage("tiny_vae", folder, size, ("--resume", *words, *count, *_budget(size, share)))


def _stage(name: str, folder: Path, size: PlanSize, words: tuple[str, ...]) -> Stage:
    shared = ("--out", str(folder), "--threads", str(size.threads))
    return Stage(f"engine.train.{name}", (*shared, *words), folder.with_name(f"{folder.name}.done"))


def _budget(size: PlanSize, share: float) -> tuple[str, str]:
    return "--budget-seconds", str(round(share * size.hours * 3600, 3))


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
    parser.add_argument("--hours", type=float, help="training time of all stages together")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--init-vae", type=Path, help="safetensors of a VAE to start from")
    parser.add_argument("--tiny", action="store_true", help="minutes, to see that it runs through")
    given = parser.parse_args()
    chosen = {"hours": given.hours, "threads": given.threads, "init_vae": given.init_vae}
    size = replace(
        TINY if given.tiny else PlanSize(),
        **{name: value for name, value in chosen.items() if value is not None},
    )
    given.out.mkdir(parents=True, exist_ok=True)
    run(stages(given.out, size))
    print(f"The whole plan is done. The checkpoint is {given.out / 'embedded'}.")


if __name__ == "__main__":
    main()
