"""The shots of a document as JSON text: worked out once for a state of the film, for every page.

A page asks for the document after every edit, and eight pages ask at once. What a row says is a
function of what never changes (a state, takes, the model's facts), so it is kept by that. A page
that names the version it has is told only the rows that differ.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storage.canonical import new_id
from storage.kept import Kept
from storage.records import Cut, Json, Shot, Take, shot_to_json
from studio.actions.memory_document import MemoryDocument
from studio.actions.take_document import json_text, take_text
from studio.timeline.cut import starts
from studio.timeline.names import names_in
from studio.timeline.plan import unknown_words
from studio.timeline.staleness import Staleness

_VERSIONS = 64
_FILMS = 8


@dataclass(frozen=True, kw_only=True)
class Row:
    """One shot as the document has it."""

    shot_id: str
    """As JSON text."""
    text: str
    """A JSON object without its start, which moves with every edit before it."""
    source: tuple[object, ...]
    """What the text was made from."""

    def told(self, start: int) -> str:
        """Return the whole JSON object."""
        return f'{{"start":{start},{self.text[1:]}'


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The shots of one state of a film, and what the document says of its memory."""

    version: str
    """Names these rows: a page sends it back to be told only what differs."""
    rows: Mapping[str, Row]
    """By shot, in order."""
    starts: Sequence[int]
    memory: Json
    update: Json
    graded: Staleness | None = None
    """What the memory was found with; kept of the newest rows only."""

    def told(self, since: Rows | None) -> str:
        """Return the JSON list of the shots; one that is as it was in `since` is its id alone."""
        before = {} if since is None else since.rows
        told = []
        for (shot_id, row), start in zip(self.rows.items(), self.starts, strict=True):
            old = before.get(shot_id)
            is_same = old is not None and old.text == row.text
            told.append(row.shot_id if is_same else row.told(start))
        return f"[{','.join(told)}]"


class RowsDesk:
    """Keeps the rows of the newest states. Safe on any thread: a state is worked out once."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._making = threading.Lock()
        self._by_state: Kept[Hashable, Rows] = Kept(_VERSIONS)
        self._by_version: Kept[str, Rows] = Kept(_VERSIONS)
        self._newest: Kept[str, Rows] = Kept(_FILMS)

    def version(self, name: str) -> Rows | None:
        """Return rows that were told before, or None where they are not kept any more."""
        return self._by_version.find(name)

    def rows(self, project_id: str, state: Hashable, make: Callable[[Rows | None], Rows]) -> Rows:
        """Return the rows of a state; `make` works them out, given the project's newest ones."""
        with self._making:
            found = self._by_state.find((project_id, state))
            if found is None:
                newest = make(self._newest.find(project_id))
                self._newest.put(project_id, newest)
                found = replace(newest, graded=None)
                self._by_state.put((project_id, state), found)
                self._by_version.put(found.version, found)
        return found


def rows_of(
    cut: Cut,
    takes: tuple[Mapping[str, Take], frozenset[str]],
    memory: MemoryDocument,
    words: frozenset[str],
    before: Rows | None,
) -> Rows:
    """Return the rows of a cut.

    Args:
        cut: the shots.
        takes: every take of the project by id, and the ids of those in the trash.
        memory: what the document says of the cut's memory.
        words: that the model knows. Empty = any.
        before: rows of another state, whose texts are used again where they say the same.
    """
    known, trashed = takes
    counts = Counter(take.shot_id for take in known.values() if take.id not in trashed)
    older = {} if before is None else before.rows
    rows = {}
    for shot in cut.shots:
        take = known.get(shot.take_id) if shot.take_id else None
        num_takes = max(counts[shot.shot_id], 1 if take else 0)
        about = memory.shots[shot.shot_id]
        unknown = unknown_words(shot.prompt, words)
        source = (shot, take and take.row_digest, num_takes, about, unknown)
        old = older.get(shot.shot_id)
        if old is None or old.source != source:
            text = _text_of(shot, take, {"num_takes": num_takes, **about}, unknown)
            old = Row(shot_id=json_text(shot.shot_id), text=text, source=source)
        rows[shot.shot_id] = old
    return Rows(
        version=new_id(),
        rows=rows,
        starts=starts(cut),
        memory=memory.memory,
        update=memory.update,
        graded=memory.graded,
    )


def _text_of(shot: Shot, take: Take | None, about: Json, unknown: Iterable[str]) -> str:
    said = {"unknown_words": list(unknown), "names": sorted(names_in(shot.prompt))}
    fields = json_text({**shot_to_json(shot), **about, **said})
    return f'{fields[:-1]},"take":{take_text(take) if take else "null"}}}'
