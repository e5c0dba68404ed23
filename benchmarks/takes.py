"""How well the shipped model holds, varies and pins: frames of takes made again, against the first.

Run as `python -m benchmarks.takes --out docs/measurements/takes.md`; `--quick` tries it with one
prompt and two steps, whose figures mean nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from engine.bench import Bench
from engine.device.probe import choose_device
from engine.evaluate.report import Report, Table, facts_of, write_report
from engine.jobs import run_job
from engine.recipes import Model, embedded, load_model
from engine.specs import BaseTake, GenerateSpec, JobResult, PinnedFrame
from engine.takes import BlobDesk, latents_from_bytes
from engine.video import vae as video_vae
from engine.video.picture import psnr
from storage.blobs import BlobStore

PROMPTS = (
    "Mia with red hair and a blue shirt walks in the park.",
    "Leo with a green hat dances at the beach.",
    "Max jumps in the snow.",
)
REDO = (2, 4)
"""Latent frames 2 and 3 of 5: frames 5 to 12 of 17."""
FIRST, STOP = 5, 13
STRENGTHS = (0.1, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Made:
    """A take as its latents' digest and its frames, decoded from them."""

    digest: str
    frames: torch.Tensor


def maker(model: Model, folder: Path) -> Callable[[GenerateSpec], Made]:
    """Return what makes a take on a blob store in `folder`."""
    store = BlobStore(folder)

    def make(spec: GenerateSpec) -> Made:
        desk = BlobDesk(store=store, pin=lambda _: None)
        bench = Bench(model=model, desk=desk, is_cancelled=lambda: False)
        (result,) = [r for r in run_job(bench, spec) if isinstance(r, JobResult)]
        digest = result.takes[0].latents_digest
        latents = latents_from_bytes(store.read(digest), model.parts.vae.config.z_dim)
        return Made(digest, video_vae.decode(model.parts.vae, latents))

    return make


def jump(frames: torch.Tensor, at: int) -> float:
    """Return how far frame `at` is from the one before, against the median of all steps."""
    steps = (frames[1:].float() - frames[:-1].float()).abs().flatten(1).mean(1)
    return float(steps[at - 1] / steps.median().clamp_min(1e-6))


def rows_of(make: Callable[[GenerateSpec], Made], spec: GenerateSpec) -> dict[str, float]:
    """Return every figure of one prompt."""
    first, other = make(spec), make(replace(spec, seed=spec.seed + 1))
    base = BaseTake(latents_digest=first.digest, redo=REDO)
    again = make(replace(spec, seed=spec.seed + 2, base=base)).frames
    rows = {
        "held before the range (dB)": psnr(again[:FIRST], first.frames[:FIRST]),
        "made anew (dB)": psnr(again[FIRST:STOP], first.frames[FIRST:STOP]),
        "held, first 4 frames after (dB)": psnr(again[STOP:], first.frames[STOP:]),
        "jump into the range (times a usual step)": jump(again, FIRST),
        "jump out of the range": jump(again, STOP),
        "another seed (dB)": psnr(other.frames, first.frames),
    }
    for strength in STRENGTHS:
        whole = BaseTake(latents_digest=first.digest, redo=(0, 5), strength=strength)
        varied = make(replace(spec, seed=spec.seed + 3, base=whole)).frames
        rows[f"variation {strength:.0%} (dB)"] = psnr(varied, first.frames)
    pin = PinnedFrame(digest=other.digest, source="take", frame=16)
    started = make(replace(spec, seed=spec.seed + 4, start=pin)).frames
    landed = make(replace(spec, seed=spec.seed + 5, end=pin)).frames
    picture = other.frames[16:17]
    rows |= {
        "pinned start against its picture (dB)": psnr(started[:1], picture),
        "jump after the start frame": jump(started, 1),
        "pinned end against its picture (dB)": psnr(landed[16:], picture),
        "jump into the last 4 frames": jump(landed, 13),
    }
    return rows


def table(found: list[dict[str, float]]) -> Table:
    """Return the figures of all prompts as a table."""
    rows = []
    for name in found[0]:
        values = [figures[name] for figures in found]
        numbers = (statistics.median(values), min(values), max(values))
        rows.append((name, *(f"{number:.2f}" for number in numbers)))
    note = (
        "PSNR over frames decoded from latents, against the first take (100 = the same). A jump of "
        "1 is the median step between two frames. Held latents come back bit-equal; the "
        "VAE is causal, so frames before a range are the same, and the first frames after it still "
        "see a little of what was made anew."
    )
    columns = ("figure", "median", "least", "most")
    return Table(title="Held, varied, pinned", columns=columns, rows=tuple(rows), note=note)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--quick", action="store_true", help="one prompt, two steps: does it run?")
    given = parser.parse_args()
    model = load_model(embedded(), choose_device(threads=1))
    card = model.card
    prompts, num_steps = (PROMPTS[:1], 2) if given.quick else (PROMPTS, card.num_steps)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        make = maker(model, Path(folder))
        for index, prompt in enumerate(prompts):
            spec = GenerateSpec(
                prompt=prompt,
                num_frames=card.default_frames,
                width=card.width,
                height=card.height,
                rate=card.rate,
                seed=100 * index,
                num_steps=num_steps,
                guidance=card.guidance,
                memory_system="none",
                strength=card.strength,
            )
            found.append(rows_of(make, spec))
            print(f"{index + 1} of {len(prompts)} prompts", flush=True)
    shot = f"{card.width} x {card.height}, {card.default_frames} frames, {num_steps} steps"
    facts = (
        *facts_of(model, "benchmarks.takes", sys.argv[1:]),
        ("Shots", f"{len(prompts)}, each the first of a film: {shot}"),
    )
    write_report(Report(title="Takes made again", facts=facts, tables=(table(found),)), given.out)


if __name__ == "__main__":
    main()
