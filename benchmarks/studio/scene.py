"""A long film in a library of its own, whose takes read what the studio would have them read."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.engine import Connection

from engine.protocol import Finished, Pin
from engine.specs import EntryRef, GenerateSpec, TakeResult
from storage import history, memory, projects, references, settings, takes
from storage.canonical import digest_of, new_id
from storage.database import Library
from storage.records import Cut, Entry, Shot, ShotParams, Take
from storage.shot_memory import ShotMemory
from studio.actions.reading import system_facts
from studio.timeline import edits, fields
from studio.timeline.edit import Edit
from studio.timeline.reading import Past, Reading
from tests.engine.facts import INFO
from tests.fake_engine import FakeEngine

NUM_BITS = 8
"""Squares at the bottom of each frame that say its number in its take."""
WORDS = ("red", "blue", "ball", "box", "rolls", "over", "the", "grass", "again")


@dataclass(frozen=True, kw_only=True)
class Size:
    """How long a film is and what its takes measure."""

    num_shots: int
    num_frames: int
    width: int
    height: int
    rate: tuple[int, int]
    num_edits: int = 0
    """Edits after the takes were made: the depth of the history."""


LONG = Size(num_shots=500, num_frames=17, width=160, height=96, rate=(8, 1), num_edits=1000)
"""A long film as the embedded model makes it."""
SHARP = Size(num_shots=12, num_frames=81, width=832, height=480, rate=(16, 1))


class NumberedEngine(FakeEngine):
    """Writes into every frame, in black and white squares, which one of its take it is."""

    def _take(self, job_id: str, frames: list[Any], spec: Any, read: Any) -> Any:
        numbered = [_with_number(frame, number) for number, frame in enumerate(frames)]
        return super()._take(job_id, numbered, spec, read)


def _with_number(frame: Any, number: int) -> Any:
    picture = frame.copy()
    height, width = picture.shape[:2]
    side = width // NUM_BITS
    for bit in range(NUM_BITS):
        shade = 255 if number >> bit & 1 else 0
        picture[height - side // 2 :, bit * side : (bit + 1) * side] = shade
    return np.ascontiguousarray(picture)


def build(library: Library, size: Size, name: str, seed: int) -> str:
    """Store a film of `size` with a take in every shot, and return the project's id."""
    draw = random.Random(seed)
    info = replace(INFO, width=size.width, height=size.height, rate=size.rate)
    engine = NumberedEngine(library.blobs.root, info=info)
    shots = [_shot(size, draw) for _ in range(size.num_shots)]
    made: dict[str, Take] = {}
    with library.write() as tx:
        project = projects.create(tx, name, size.rate, size.width, size.height, {})
        _, cut = history.head(tx, project.id)
        history.ensure_shots(tx, project.id, (shot.shot_id for shot in shots))
        for shot in shots:
            reading = _reading(cut, made)
            made[shot.shot_id] = take = _store(tx, engine, size, shot, reading)
            cut = replace(cut, shots=(*cut.shots, replace(shot, take_id=take.id)))
        _append(tx, project.id, cut, "generate")
        for _ in range(size.num_edits):
            _, cut = history.head(tx, project.id)
            edit = _small_edit(cut, draw)
            _append(tx, project.id, edit.cut, edit.kind)
    return project.id


def _shot(size: Size, draw: random.Random) -> Shot:
    prompt = " ".join(draw.choices(WORDS, k=8))
    return Shot(
        shot_id=new_id(),
        prompt=prompt,
        num_frames=size.num_frames,
        in_=0,
        out=size.num_frames,
        params=ShotParams(seed=draw.getrandbits(32)),
    )


def _reading(cut: Cut, made: Mapping[str, Take]) -> Reading:
    """Return what one more shot at the end of a cut reads, by the studio's own rules."""
    system = system_facts(INFO.systems[0])
    return Past(cut, {take.id: take for take in made.values()}, system).at_end(ShotMemory())


def _store(
    tx: Connection, engine: NumberedEngine, size: Size, shot: Shot, reading: Reading
) -> Take:
    refs = tuple(
        EntryRef(
            take_id=read.take.id,
            latents_digest=read.take.latents_digest or "",
            key=read.key,
            blob_digest="",
            num_frames=read.take.num_frames,
        )
        for read in reading.reads
    )
    asked: dict[str, Any] = {
        "prompt": shot.prompt,
        "num_frames": size.num_frames,
        "seed": shot.params.seed,
        "num_steps": INFO.num_steps,
        "guidance": INFO.guidance,
        "memory_system": shot.memory.system,
        "strength": INFO.strength,
    }
    spec = GenerateSpec(**asked, width=size.width, height=size.height, rate=size.rate, entries=refs)
    result = _make(engine, spec)
    for blob in result.blobs:
        references.add(tx, blob.digest, blob.size, blob.media_type)
    for entry in result.entries:
        memory.add(tx, Entry(**asdict(entry)))
    told = {**asked, "memory_keys": list(reading.keys)}
    take = Take(
        id=new_id(),
        shot_id=shot.shot_id,
        spec=told,
        spec_digest=digest_of(told),
        media_digest=result.media_digest,
        latents_digest=result.latents_digest,
        strip_digest=result.strip_digest,
        strip_tiles=result.strip_tiles,
        num_frames=result.num_frames,
        rate=result.rate,
        width=result.width,
        height=result.height,
        seed=shot.params.seed,
        memory_tokens=result.memory_tokens,
        sources=tuple(asdict(source) for source in result.sources),
        seconds=dict(result.seconds),
    )
    return takes.add(tx, take)


def _make(engine: NumberedEngine, spec: GenerateSpec) -> TakeResult:
    for message in engine.submit("scene", spec):
        if isinstance(message, Pin):
            engine.pinned(message.digest)
        if isinstance(message, Finished):
            return message.result.takes[0]
    raise RuntimeError("The fake engine ended without a take.")


def _small_edit(cut: Cut, draw: random.Random) -> Edit:
    shot = draw.choice(cut.shots)
    if draw.random() < 0.5:
        title = {"title": f"Scene {draw.randrange(1000)}"}
        return fields.set_fields(cut, [shot.shot_id], title, facts=_FACTS)
    # Neighbours only, so that the film stays about as it was made.
    place = cut.shots.index(shot)
    return edits.move(cut, [shot.shot_id], before=cut.shots[max(0, place - 1)].shot_id)


_FACTS: Any = None  # asked only where an edit sets a length, which these leave alone


def _append(tx: Connection, project_id: str, cut: Cut, kind: str) -> None:
    branch, _ = history.head(tx, project_id)
    history.append(
        tx,
        project_id=project_id,
        branch=branch.name,
        expected_rev=branch.rev,
        op_kind=kind,
        op={},
        label=f"Change the film ({kind})",
        cut=cut,
    )


def open_and_build(folder: Path, long: Size, sharp: Size, seed: int) -> dict[str, str]:
    """Make both films in a new library and return their ids."""
    with Library.open(folder) as library:
        with library.write() as tx:
            settings.put(tx, "welcomed", "yes")  # the first steps would lie over the list of films
        return {
            "long": build(library, long, "A long film", seed),
            "sharp": build(library, sharp, "Sharp", seed),
        }
