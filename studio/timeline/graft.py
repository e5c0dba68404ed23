"""Bring a shot from another cut into this one, with the take it shows there. Pure."""

from __future__ import annotations

from typing import Literal

from storage.records import Cut, Shot
from studio.timeline.cut import index_of, shot_of
from studio.timeline.edit import Edit, EditRefused, edited

Verb = Literal["graft", "restore"]
_WORDS = {"graft": "Graft", "restore": "Restore"}


def graft(cut: Cut, source: Cut, shot_id: str, *, verb: Verb, origin: str) -> Edit:
    """Return the edit that gives `cut` the shot as `source` has it.

    A shot that is in the cut takes the state it has there, in its place. One that is not is put
    behind the shot that it follows there.

    Args:
        cut: the newest cut.
        source: the cut that the shot is taken from.
        shot_id: of the source's shot.
        verb: "restore" for one that was deleted, in the label.
        origin: label of the point of the history that the shot comes from.

    Raises:
        EditRefused: no such shot there, the same one is here, or it is locked here.
    """
    shot = shot_of(source, shot_id)
    if shot is None:
        raise EditRefused(f"Shot {shot_id[:40]!r} is not in that cut. Choose one that is.")
    name = f"Shot {source.shots.index(shot) + 1}"
    here = shot_of(cut, shot_id)
    if here == shot:
        raise EditRefused(f"{name} is the same in both cuts: there is nothing to bring over.")
    if here is not None and here.locked:
        raise EditRefused(f"{name} is locked here. Unlock it to bring its other state over.")
    place = _place(cut, source, shot)
    kept = [s for s in cut.shots if s.shot_id != shot_id]
    kept.insert(place, shot)
    label = f"{_WORDS[verb]} {name}"
    if verb == "graft":
        label += f" from “{origin[:60]}”"
    return edited(verb, label, cut, tuple(kept))


def _place(cut: Cut, source: Cut, shot: Shot) -> int:
    here = index_of(cut, shot.shot_id)
    if here is not None:
        return here
    at = source.shots.index(shot)
    for earlier in reversed(source.shots[:at]):
        index = index_of(cut, earlier.shot_id)
        if index is not None:
            return index + 1
    for later in source.shots[at + 1 :]:
        index = index_of(cut, later.shot_id)
        if index is not None:
            return index
    return len(cut.shots)
