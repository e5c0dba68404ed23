"""The library as a whole: how it is, projects as files, and what can be generated again."""

from __future__ import annotations

from pathlib import Path

from storage import backup, history, jobs, projects
from storage.bundle import Bundle, export_project, import_bundle
from storage.check import Problem
from storage.errors import StorageError
from storage.records import Json, Take
from storage.repair import Repairs, repair
from studio.session import Session
from studio.timeline.cut import shot_of

_OWN_WORDS = frozenset({"memory_keys", "engine_version"})


def library_state(session: Session) -> Json:
    """Return what an editor should know of the library: backups that fail, what is damaged."""
    library = session.library
    newest = backup.taken(library.backup_folder)
    return {
        "backup": {
            "problem": library.backup_problem,
            "newest": newest[-1].name if newest else None,
            "count": len(newest),
        },
        "problems": [problem_to_json(p) for p in session.damage],
    }


def problem_to_json(problem: Problem) -> Json:
    """Return a problem with what to do about it."""
    return {
        "kind": problem.kind,
        "subject": problem.subject,
        "message": problem.message,
        "repair": problem.repair,
        "advice": problem.advice,
        "command": problem.command,
        "is_warning": problem.is_warning,
    }


def export_bundle(session: Session, project_id: str, path: Path) -> Bundle:
    """Write a project to one file; raises as `export_project` does."""
    return export_project(session.library, project_id, path)


def take_in_bundle(session: Session, path: Path) -> Bundle:
    """Take a project in from one file; raises as `import_bundle` does."""
    told = import_bundle(session.library, path)
    session.changed(told.project_id)
    return told


def project_name(session: Session, project_id: str) -> str:
    """Return the name of a project, or raise `NotFound`."""
    with session.library.read() as tx:
        return projects.get(tx, project_id).name


def mend(session: Session, problems: list[Problem]) -> tuple[Repairs, list[str]]:
    """Put damaged files aside and queue again what can be generated; return the jobs too.

    A take is made again from its own recipe and seed, reading the memory of the cut as it is now.
    """
    done = repair(session.library, problems)
    queued = [regenerate_take(session, take) for take in done.to_generate]
    return done, [job_id for job_id in queued if job_id]


def regenerate_take(session: Session, take: Take) -> str:
    """Queue a take again from its own spec and return the job's id; empty = its shot is gone."""
    with session.library.write() as tx:
        project_id = history.project_of_shot(tx, take.shot_id)
        try:
            _, cut = history.head(tx, project_id)
        except StorageError:
            return ""  # its project is damaged too, which is a problem of its own
        shot = shot_of(cut, take.shot_id)
        if shot is None:
            return ""
        spec = {k: v for k, v in take.spec.items() if k not in _OWN_WORDS}
        job = jobs.add(
            tx,
            kind="generate",
            project_id=project_id,
            shot_id=take.shot_id,
            spec=spec | {"take_before": shot.take_id},
            queueing_key=f"generate:{take.shot_id}",
        )
    session.changed(project_id)
    return job.id
