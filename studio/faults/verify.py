"""After a fault: is everything there that was acknowledged, and does the library open by itself?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from storage import history, projects, references, takes, tree
from storage.check import check
from storage.database import Library
from storage.errors import StorageError
from storage.records import Json
from studio.faults.tally import Tally

_REFUSALS = (StorageError, DatabaseError, OSError, LookupError, ValueError)


def look_after(folder: Path, told: Sequence[Json], tally: Tally, *, read_data: bool = True) -> None:
    """Open the library again and count into `tally` what is not as it was acknowledged.

    A library that does not open, or a check with anything but warnings, counts as a repair.
    """
    committed = [item for item in told if "refused" not in item and "broke" not in item]
    tally.acknowledged += len(committed)
    for item in told:
        if "broke" in item:
            tally.repairs += 1
            tally.notes.append(f"The program broke off: {item['broke']}")
    try:
        with Library.open(folder) as library:
            for problem in _losses(library, committed):
                tally.lost += 1
                tally.notes.append(problem)
            report = check(library, read_data=read_data)
            if not report.is_clean:
                tally.repairs += 1
                tally.notes += [p.message for p in report.problems if not p.is_warning][:3]
    except _REFUSALS as error:
        tally.repairs += 1
        tally.lost += len(committed)
        tally.notes.append(f"The library does not open: {error}")


def _losses(library: Library, told: Sequence[Json]) -> list[str]:
    problems = []
    with library.read() as tx:
        for item in told:
            try:
                if "node" in item:
                    node = tree.get(tx, item["node"])
                    references.read(tx, node.state_digest)
                    if node.state_digest != item["state"]:
                        problems.append(f"Node {node.id} has another state.")
                if "take" in item:
                    take = takes.get(tx, item["take"])
                    library.blobs.verify(take.media_digest)
                    if (take.media_digest, take.row_digest) != (item["media"], item["row"]):
                        problems.append(f"Take {take.id} is another one.")
            except _REFUSALS as error:
                problems.append(f"{sorted(item)} is gone: {error}")
        (project,) = projects.list_all(tx)
        revision = history.head(tx, project.id)[0].rev
    newest = max((item["rev"] for item in told if "rev" in item), default=0)
    if revision < newest:
        problems.append(f"The head is at revision {revision}; {newest} was acknowledged.")
    return problems
