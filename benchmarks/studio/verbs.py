"""What edits and rewinds cost over the API, deep in the history of a long film."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.studio.serving import Server


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long requests took, in milliseconds."""

    median: float
    high: float
    """95th percentile."""


def times_of(milliseconds: list[float]) -> Times:
    """Return the median and the 95th percentile."""
    ordered = sorted(milliseconds)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return Times(median=ordered[len(ordered) // 2], high=high)


def measure(server: Server, project: str, count: int, seed: int) -> dict[str, Times]:
    """Return the times of each verb, `count` requests of each."""
    draw = random.Random(seed)
    base = f"/api/projects/{project}"
    shots = [shot["shot_id"] for shot in server.ask("GET", base)["shots"]]
    nodes = [node["id"] for node in server.ask("GET", f"{base}/history")["nodes"]]

    def edit(op: Callable[[], dict[str, Any]]) -> Callable[[], object]:
        return lambda: server.ask("POST", f"{base}/edits", {"op": op()})

    def name() -> dict[str, Any]:
        fields = {"title": f"Night {draw.randrange(1000)}"}
        return {"kind": "set", "shot_id": draw.choice(shots), "fields": fields}

    def move() -> dict[str, Any]:
        moved, before = draw.sample(shots, 2)
        return {"kind": "move", "shot_ids": [moved], "before": before}

    known = {"version": server.ask("GET", base)["version"]}

    def edit_and_read() -> None:
        server.ask("POST", f"{base}/edits", {"op": move()})
        known["version"] = server.ask("GET", f"{base}?known={known['version']}")["version"]

    verbs: dict[str, Callable[[], object]] = {
        "edit: name a shot": edit(name),
        "edit: move a shot": edit(move),
        "undo": lambda: server.ask("POST", f"{base}/undo", {}),
        "rewind to any node": lambda: server.ask(
            "POST", f"{base}/rewind", {"node_id": draw.choice(nodes[2:])}
        ),
        "read the document": lambda: server.ask("GET", base),
        "edit and read what changed": edit_and_read,
    }
    return {name: times_of([_timed(verb) for _ in range(count)]) for name, verb in verbs.items()}


def sizes(server: Server, project: str) -> tuple[int, int]:
    """Return the bytes of the document, and of what is told of it after a title was changed."""
    base = f"/api/projects/{project}"
    before = server.ask("GET", base)
    op = {"kind": "set", "shot_id": before["shots"][0]["shot_id"], "fields": {"title": "Morning"}}
    server.ask("POST", f"{base}/edits", {"op": op})
    after = server.ask("GET", f"{base}?known={before['version']}")
    return len(json.dumps(before)), len(json.dumps(after))


def _timed(verb: Callable[[], object]) -> float:
    begun = time.perf_counter()
    verb()
    return (time.perf_counter() - begun) * 1000
