"""What the engine holds after each of many small shots: a leak shows as a line that rises.

Run as `python -m benchmarks.engine_memory --shots 50 --out docs/measurements/engine-memory.md`. The
real engine process renders the embedded model; it is not started afresh in between.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from engine.client import Limits, LocalExecutor
from engine.evaluate.report import Report, Table, machine_facts, write_report
from engine.protocol import EngineInfo, Finished, Pin
from engine.specs import EntryRef, GenerateSpec, TakeResult
from engine.watch import resident_mib
from studio.settings import Settings

PROMPTS = ("Mia walks in the park.", "Leo dances at the beach.", "Max jumps in the snow.")
MOST_ENTRIES = 8
"""Takes that a shot remembers: their number must not grow, or memory would."""
WARM_SHOTS = 5
"""Shots before the growth is counted: the allocator takes what it needs anyway."""


@dataclass(frozen=True)
class Shot:
    """One small shot."""

    seconds: float
    rss_mib: int


def main() -> int:
    """Render small shots and print the engine's resident memory after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=int, default=50)
    parser.add_argument("--steps", type=int, default=2, help="denoising steps of a shot")
    parser.add_argument("--out", type=Path, default=None, help="markdown file to write")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mnemoreel-memory-") as folder:
        settings = Settings(data_folder=Path(folder))
        executor = LocalExecutor(
            settings.engine_settings, limits=Limits(recycle_jobs=10**9, silence=600.0)
        )
        executor.start()
        try:
            shots = render(executor, given.shots, given.steps)
        finally:
            executor.close()
    write_report(report(shots), given.out)
    return 0


def render(executor: LocalExecutor, count: int, num_steps: int) -> list[Shot]:
    """Return what each shot took and left in memory."""
    info = executor.info
    assert info is not None
    shots: list[Shot] = []
    takes: list[TakeResult] = []
    for number in range(count):
        start = time.perf_counter()
        takes.append(_take(executor, _spec(info, number, num_steps, takes[-MOST_ENTRIES:])))
        shot = Shot(time.perf_counter() - start, resident_mib(executor.pid))
        shots.append(shot)
        print(f"shot {number + 1}: {shot.rss_mib} MiB, {shot.seconds:.1f} s", file=sys.stderr)
    return shots


def _spec(info: EngineInfo, number: int, num_steps: int, past: list[TakeResult]) -> GenerateSpec:
    entries = tuple(
        EntryRef(
            take_id=take.media_digest,
            latents_digest=take.latents_digest,
            key=take.entries[-1].key,
            blob_digest=take.entries[-1].blob_digest,
            num_frames=take.num_frames,
        )
        for take in past
    )
    return GenerateSpec(
        prompt=PROMPTS[number % len(PROMPTS)],
        num_frames=1 + info.frame_multiple,
        width=info.width,
        height=info.height,
        rate=info.rate,
        seed=number,
        num_steps=num_steps,
        guidance=info.guidance,
        memory_system=info.memory_system,
        strength=info.strength,
        entries=entries,
    )


def _take(executor: LocalExecutor, spec: GenerateSpec) -> TakeResult:
    for message in executor.submit(f"shot {spec.seed}", spec):
        if isinstance(message, Pin):
            executor.pinned(message.digest)
        if isinstance(message, Finished):
            return message.result.takes[0]
    raise RuntimeError(f"The shot ended with {message.kind}: {message}.")


def report(shots: list[Shot]) -> Report:
    """Return the page."""
    warm = shots[min(WARM_SHOTS, len(shots)) - 1].rss_mib
    grown = shots[-1].rss_mib - warm
    rows = tuple(
        (str(number), str(shot.rss_mib), f"{shot.seconds:.1f}")
        for number, shot in enumerate(shots, 1)
    )
    return Report(
        title="What the engine holds, shot by shot",
        facts=(
            ("Command", f"`python -m benchmarks.engine_memory {' '.join(sys.argv[1:])}`"),
            *machine_facts(),
            (
                f"Growth from shot {min(WARM_SHOTS, len(shots))} to shot {len(shots)}",
                f"{grown} MiB; largest {max(s.rss_mib for s in shots)} MiB",
            ),
        ),
        tables=(
            Table(
                title="Resident memory of the engine's process",
                columns=("after shot", "MiB", "seconds of the shot"),
                rows=rows,
                note=f"Each shot remembers up to {MOST_ENTRIES} takes before it.",
            ),
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
