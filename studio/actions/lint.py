"""Editor's notes on continuity: which shots are compared, what was measured, what was dismissed.

Notes never block anything. They are measured by a job of low priority after each take, against
earlier shots of the same cut whose prompts name the same somebody.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from engine.specs import LINT_VERSION
from storage import history, jobs, measurements, settings, takes
from storage.canonical import digest_of
from storage.records import Cut, Json, Shot, Take
from studio.session import Session
from studio.timeline import timecode
from studio.timeline.cut import duration, starts
from studio.timeline.names import names_in

KIND = "lint"
PRIORITY = -20
"""Behind everything that an editor asked for."""
MOST_PAST = 3
"""Earlier shots that a shot is compared with: the first that shows somebody, and the newest."""
MOST_DISMISSED = 2000
_DISMISSED = "lint_dismissed:"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One shot of the cut and the earlier takes it is compared with."""

    shot: Shot
    take: Take
    past: tuple[Take, ...]

    @functools.cached_property
    def key(self) -> str:
        """Digest of everything the measurement depends on."""
        pictures = [t.media_digest for t in (self.take, *self.past)]
        return digest_of([KIND, LINT_VERSION, *pictures])


def checks(cut: Cut, known: Mapping[str, Take]) -> Iterator[Check]:
    """Yield what can be compared: shots whose prompt names somebody that an earlier one names."""
    earlier: list[tuple[frozenset[str], Take]] = []
    for shot in cut.shots:
        take = known.get(shot.take_id) if shot.take_id else None
        if take is None or shot.muted:
            continue
        names = names_in(str(take.spec.get("prompt", "")))
        past = _past(earlier, names, take)
        if past and take.kind == "generated":
            yield Check(shot=shot, take=take, past=past)
        earlier.append((names, take))


def _past(
    earlier: Sequence[tuple[frozenset[str], Take]], names: frozenset[str], take: Take
) -> tuple[Take, ...]:
    """Return the first earlier take that shows one of the same people, and the newest ones."""

    def showing(order: Iterable[tuple[frozenset[str], Take]]) -> Iterator[Take]:
        return (t for others, t in order if names & others and t.id != take.id)

    if not names:
        return ()
    first = itertools.islice(showing(earlier), 1)
    newest = list(itertools.islice(showing(reversed(earlier)), MOST_PAST - 1))
    return tuple({t.id: t for t in (*first, *reversed(newest))}.values())


def queue_checks(
    tx: Connection, project_id: str, shot_ids: Sequence[str | None] | None = None
) -> int:
    """Queue what was not measured yet, of some shots or (None) the whole cut; return how many."""
    _, cut = history.head(tx, project_id)
    known = {t.id: t for t in takes.of_project(tx, project_id)}
    wanted = [c for c in checks(cut, known) if shot_ids is None or c.shot.shot_id in shot_ids]
    measured = measurements.find(tx, KIND, [check.key for check in wanted])
    missing = [check for check in wanted if check.key not in measured]
    for check in missing:
        spec = {
            "key": check.key,
            "take_id": check.take.id,
            "past": [take.id for take in check.past],
        }
        jobs.add(
            tx,
            kind=KIND,
            project_id=project_id,
            shot_id=check.shot.shot_id,
            spec=spec,
            queueing_key=f"{KIND}:{project_id}:{check.key}",
            priority=PRIORITY,
        )
    return len(missing)


def check_all(session: Session, project_id: str) -> int:
    """Queue every comparison of the cut that was not made yet, and return how many."""
    with session.library.write() as tx:
        count = queue_checks(tx, project_id)
    session.changed(project_id)
    return count


def notes_to_json(session: Session, project_id: str) -> Json:
    """Return the notes on the newest cut, in its order, and how many shots were not measured."""
    with session.library.read() as tx:
        _, cut = history.head(tx, project_id)
        known = {t.id: t for t in takes.of_project(tx, project_id)}
        wanted = list(checks(cut, known))
        measured = measurements.find(tx, KIND, [check.key for check in wanted])
        dismissed = set(settings.get(tx, _DISMISSED + project_id, []))
    places = {shot.shot_id: start for shot, start in zip(cut.shots, starts(cut), strict=True)}
    notes = [
        note
        for check in wanted
        for note in _notes(cut, check, places, measured.get(check.key, {}))
        if note["id"] not in dismissed
    ]
    missing = sum(check.key not in measured for check in wanted)
    return {"notes": notes, "checked": len(wanted) - missing, "unchecked": missing}


def dismiss_note(session: Session, project_id: str, note_id: str) -> None:
    """Show a note no more; the same difference in other pictures gives a new one."""
    with session.library.write() as tx:
        name = _DISMISSED + project_id
        kept = [*settings.get(tx, name, []), note_id][-MOST_DISMISSED:]
        settings.put(tx, name, kept)
    session.publish(project_id, {"kind": "notes"})


def _notes(cut: Cut, check: Check, places: Mapping[str, int], measured: Json) -> Iterator[Json]:
    start = places[check.shot.shot_id]
    for found in measured.get("notes", ()):
        offset = max(0, int(found["frame"]) - check.shot.in_)
        if offset >= duration(check.shot):
            continue  # trimmed away
        frame = start + offset
        yield {
            "id": f"{check.key}:{found['about']}",
            "shot_id": check.shot.shot_id,
            "about": found["about"],
            "frame": frame,
            "score": found["score"],
            "threshold": found["threshold"],
            "text": _text(found, timecode.format(frame, cut.rate), _past_name(cut, found)),
            "detail": _detail(found),
        }


def _past_name(cut: Cut, found: Json) -> str:
    takes_shown = [shot.take_id for shot in cut.shots]
    past = found.get("past_take_id")
    return f"Shot {takes_shown.index(past) + 1}" if past in takes_shown else "an earlier shot"


def _text(found: Json, at: str, past: str) -> str:
    if found["about"] == "colours":
        before, after = found["before"], found["after"]
        change = f"another shade of {after}" if before == after else f"{before} → {after}"
        return f"Colours of the subject: {change} from {at}, against {past}"
    if found["about"] == "features":
        return f"The subject differs from {past} in shape or texture, from {at}"
    return f"The picture gets {found['after']} from {at}"


_MEASURED = {
    "colours": "Measured: colours in the middle of the picture that are missing in the other shot.",
    "features": "Measured: distance of the model's own latents in the middle of the picture.",
    "brightness": "Measured: mean lightness of the picture against the shot's first frame.",
}


def _detail(found: Json) -> str:
    measured = _MEASURED.get(found["about"], "")
    return (
        f"{measured} Score {found['score']:.1f}, noted above {found['threshold']:.1f}. It compares "
        "pixels and features; it does not know what they show."
    )
