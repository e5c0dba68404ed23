"""An editor who does what chance says, and the model that tells what must come of it.

The model is the pure studio.timeline, kept by the test: it asks the server for no cut, only for
the ids that new shots were given.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from storage.canonical import canonical
from storage.records import Cut, Json, Shot, cut_from_json, cut_to_json, shot_to_json
from studio.timeline import operation
from studio.timeline.carry import carried
from studio.timeline.edit import EditRefused, Material
from studio.timeline.memory_edits import PRESETS
from studio.timeline.plan import EngineFacts
from studio.timeline.reading import DEFAULT_BUDGET, LEAST_BUDGET, MOST_BUDGET

WORDS = ("a red ball", "a blue box rolls", "the ball rolls over the grass", "Ä ß \u202e שלום 🎬")


def facts_of(engine: Json) -> EngineFacts:
    """Return what edits need to know of the model, from the answer of /api/engine."""
    info = engine["info"]
    return EngineFacts(
        frame_multiple=info["frame_multiple"],
        max_frames=info["max_frames"],
        default_frames=info["default_frames"],
        rate=(info["rate"][0], info["rate"][1]),
        tokens_per_shot=info["tokens_per_shot"],
        seconds_per_shot=info["seconds_per_shot"],
        words=frozenset(info["words"]),
        memory_system=info["memory_system"],
    )


def cut_in(document: Json) -> Json:
    """Return the cut that a document shows, as the history stores it."""
    fields = shot_to_json(Shot(shot_id="", num_frames=1, in_=0, out=1))
    project = document["project"]
    budget = document["memory"]["budget"]
    return {
        "rate": project["rate"],
        "width": project["width"],
        "height": project["height"],
        "shots": [{name: shot[name] for name in fields} for shot in document["shots"]],
        "markers": document["markers"],
        # A cut that names none has the default, which chance therefore never sets.
        **({} if budget == DEFAULT_BUDGET else {"memory_budget": budget}),
    }


@dataclass(kw_only=True)
class Model:
    """The cut as it must be, and every cut before it."""

    cut: Cut
    facts: EngineFacts
    materials: dict[str, Material] = field(default_factory=dict)
    """Every take of the project."""
    takes: dict[str, list[str]] = field(default_factory=dict)
    """Takes of a shot, by its id."""
    past: list[bytes] = field(default_factory=list)
    """The cut before each edit, oldest first, as canonical JSON."""

    @classmethod
    def of(cls, document: Json, facts: EngineFacts) -> Model:
        """Begin with the cut of a document."""
        return cls(cut=cut_from_json(cut_in(document)), facts=facts)

    @property
    def bytes(self) -> bytes:
        """The cut as canonical JSON."""
        return canonical(cut_to_json(self.cut))

    def learn(self, shot_id: str, takes: Sequence[Json]) -> None:
        """Note the takes that a shot has."""
        for take in takes:
            self.takes.setdefault(shot_id, [])
            if take["take_id"] not in self.takes[shot_id]:
                self.takes[shot_id].append(take["take_id"])
            self.materials[take["take_id"]] = Material(
                take_id=take["take_id"], number=take["number"], num_frames=take["num_frames"]
            )

    def apply(self, op: Json, document: Json) -> bool:
        """Change the cut by an operation; False = it must be refused, and nothing changes.

        `document` is what the server has now: from it come only the ids of new shots, and what
        "accept as is" stores, which is a digest of everything a take read.
        """
        new_ids = ids_unknown_to(self.cut, document)
        shown = {shot.shot_id for shot in self.cut.shots if shot.take_id}
        accepted = {
            shot.shot_id: shot.memory.accepted
            for shot in cut_from_json(cut_in(document)).shots
            if shot.shot_id in shown and shot.memory.accepted
        }
        setting = operation.Setting(
            facts=self.facts,
            materials=self.materials,
            new_id=lambda: next(new_ids),
            accepted=accepted,
        )
        try:
            edit = operation.run(self.cut, op, setting)
        except EditRefused:
            return False
        self.past.append(self.bytes)
        self.cut = edit.cut
        return True

    def show_take(self, shot_id: str, take: Json) -> None:
        """Note that a generation ended, which shows its take whole."""
        self.learn(shot_id, [take])
        self.past.append(self.bytes)
        shots = tuple(
            replace(shot, take_id=take["take_id"], in_=0, out=take["num_frames"])
            if shot.shot_id == shot_id
            else shot
            for shot in self.cut.shots
        )
        markers = carried(self.cut.markers, self.cut.shots, shots)
        self.cut = replace(self.cut, shots=shots, markers=markers)


def ids_unknown_to(cut: Cut, document: Json) -> Iterator[str]:
    """Yield the ids of a document's shots that `cut` does not have, in order."""
    known = {shot.shot_id for shot in cut.shots}
    return (shot["shot_id"] for shot in document["shots"] if shot["shot_id"] not in known)


Draw = Callable[[random.Random, Model], Json]


def some(draw: random.Random, model: Model, most: int = 3) -> list[str]:
    """Return the ids of one to `most` shots."""
    shots = model.cut.shots
    chosen = draw.sample(shots, min(len(shots), draw.randint(1, most)))
    return [shot.shot_id for shot in chosen]


def one(draw: random.Random, model: Model) -> Shot:
    """Return one shot, twice as often one that is not locked."""
    first, second = draw.choice(model.cut.shots), draw.choice(model.cut.shots)
    return second if first.locked else first


def place(draw: random.Random, model: Model) -> str | None:
    """Return a shot to put something before, or None for the end."""
    return draw.choice([None, *(shot.shot_id for shot in model.cut.shots)])


def _move(draw: random.Random, model: Model) -> Json:
    return {"shot_ids": some(draw, model), "before": place(draw, model)}


def _trim(draw: random.Random, model: Model) -> Json:
    shot = one(draw, model)
    material = model.materials.get(shot.take_id or "")
    length = material.num_frames if material else shot.num_frames
    start = draw.randrange(length)
    # Now and then one frame too far, which must be refused.
    return {"shot_id": shot.shot_id, "in": start, "out": draw.randint(start + 1, length + 1)}


def _delete(draw: random.Random, model: Model) -> Json:
    return {"shot_ids": some(draw, model, 2)}


def _duplicate(draw: random.Random, model: Model) -> Json:
    return {"shot_ids": some(draw, model, 2)}


def _insert(draw: random.Random, model: Model) -> Json:
    multiple, most = model.facts.frame_multiple, model.facts.max_frames
    length = 1 + multiple * draw.randint(1, (most - 1) // multiple)
    return {"before": place(draw, model), "prompt": draw.choice(WORDS), "num_frames": length}


def _split(draw: random.Random, model: Model) -> Json:
    shot = one(draw, model)
    return {"shot_id": shot.shot_id, "frame": draw.randrange(max(2, shot.out - shot.in_))}


def _set(draw: random.Random, model: Model) -> Json:
    shot = one(draw, model)
    fields: Json = {
        "title": draw.choice(WORDS),
        "prompt": draw.choice(WORDS),
        "muted": not shot.muted,
        "locked": not shot.locked,
        "seed": draw.getrandbits(40),
        "num_steps": draw.randrange(0, 20),
        "guidance": draw.choice([None, 1, 2.5, 7]),
        "strength": draw.choice([None, 0, 0.5, 2]),
        "memory_system": draw.choice(["none", shot.memory.system]),
        "num_frames": 1 + model.facts.frame_multiple * draw.randint(1, 4),
    }
    # A locked shot stays locked for long: unlocking is drawn as often as everything else together.
    names = ["locked"] if shot.locked and draw.random() < 0.5 else draw.sample(list(fields), 1)
    if draw.random() < 0.3:
        return {"shot_ids": some(draw, model), "fields": {names[0]: fields[names[0]]}}
    return {"shot_id": shot.shot_id, "fields": {name: fields[name] for name in names}}


def _clear(draw: random.Random, model: Model) -> Json:
    return {"shot_ids": some(draw, model, 2)}


def _solo(draw: random.Random, model: Model) -> Json:
    return {"shot_ids": some(draw, model, 2) if draw.random() < 0.4 else []}


def marked(draw: random.Random, model: Model) -> int:
    """Return the frame of a marker, or now and then one where none stands."""
    frames = [marker.frame for marker in model.cut.markers]
    return draw.choice(frames) if frames and draw.random() < 0.9 else draw.randrange(200)


def _add_marker(draw: random.Random, model: Model) -> Json:
    return {"frame": draw.randrange(300), "label": draw.choice(["", *WORDS])}


def _rename_marker(draw: random.Random, model: Model) -> Json:
    return {"frame": marked(draw, model), "label": draw.choice(WORDS)}


def _move_marker(draw: random.Random, model: Model) -> Json:
    return {"frame": marked(draw, model), "to": draw.randrange(300)}


def _delete_markers(draw: random.Random, model: Model) -> Json:
    return {"frames": [marked(draw, model)]}


def _set_memory(draw: random.Random, model: Model) -> Json:
    shot = one(draw, model)
    others = [s for s in some(draw, model) if s != shot.shot_id]
    return {"shot_id": shot.shot_id, "pins": others[:1], "forgotten": others[1:]}


def _accept(draw: random.Random, model: Model) -> Json:
    return {"shot_ids": some(draw, model, 2)}


def _forget_frames(draw: random.Random, model: Model) -> Json:
    start = draw.randrange(12)
    parts = [
        {"shot_id": shot_id, "start": start, "after": start + draw.randint(0, 4)}
        for shot_id in some(draw, model, 2)
    ]
    return {"shot_id": one(draw, model).shot_id, "parts": parts}


def _memory_preset(draw: random.Random, model: Model) -> Json:
    preset = draw.choice([*PRESETS, "anything"])
    return {"shot_id": one(draw, model).shot_id, "preset": preset}


def _set_budget(draw: random.Random, model: Model) -> Json:
    return {"tokens": draw.choice([None, LEAST_BUDGET, LEAST_BUDGET - 1, MOST_BUDGET])}


def _pick_take(draw: random.Random, model: Model) -> Json:
    shot = one(draw, model)
    choices = model.takes.get(shot.shot_id) or list(model.materials)
    return {"shot_id": shot.shot_id, "take_id": draw.choice(choices)}


DRAWS: dict[str, Draw] = {
    "move": _move,
    "trim": _trim,
    "delete": _delete,
    "duplicate": _duplicate,
    "insert": _insert,
    "split": _split,
    "set": _set,
    "set_memory": _set_memory,
    "pick_take": _pick_take,
    "accept": _accept,
    "forget_frames": _forget_frames,
    "memory_preset": _memory_preset,
    "set_budget": _set_budget,
    "clear": _clear,
    "solo": _solo,
    "add_marker": _add_marker,
    "rename_marker": _rename_marker,
    "move_marker": _move_marker,
    "delete_markers": _delete_markers,
}
"""How chance makes an operation of each kind."""
WEIGHTS = {"set": 4, "trim": 3, "move": 3, "split": 2, "add_marker": 3}


def operations(seed: int, model: Model) -> Iterator[Json]:
    """Yield operations on the model's cut for as long as anyone asks."""
    draw = random.Random(seed)
    kinds = list(DRAWS)
    weights = [WEIGHTS.get(kind, 1) for kind in kinds]
    while True:
        (kind,) = draw.choices(kinds, weights)
        count = len(model.cut.shots)
        if kind == "delete" and count < 4:
            kind = "insert"
        elif kind in ("duplicate", "insert", "split") and count > 16:
            kind = "delete"
        yield {"kind": kind} | DRAWS[kind](draw, model)
