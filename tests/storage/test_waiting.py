"""What an editor does to the queue: order, pause, specs, and what stays listed."""

from __future__ import annotations

import pytest

from storage import jobs, waiting
from storage.database import Library
from storage.errors import Fenced, Refused
from storage.records import Job, Project
from tests.storage import scene


def fail(library: Library, words: str = "no memory left") -> Job:
    claimed = scene.claim(library)
    with library.write() as tx:
        return jobs.fail(tx, claimed.id, claimed.fence, {"message": words})


def failed_ids(library: Library, project: Project) -> list[str]:
    with library.read() as tx:
        return [job.id for job in waiting.failed(tx, project.id)]


def test_a_paused_queue_starts_nothing_but_what_is_looked_at(
    library: Library, project: Project
) -> None:
    with library.write() as tx:
        assert waiting.startable(tx, {"generate", "recall"}) == {"generate", "recall"}
        waiting.set_paused(tx, paused=True)
        assert waiting.startable(tx, {"generate", "recall"}) == {"recall"}
        assert waiting.startable(tx, {"export"}) == set()
        scene_job = jobs.add(tx, kind="generate", project_id=project.id, spec={})
        assert jobs.claim(tx, "w", waiting.startable(tx, {"generate"})) is None
        waiting.set_paused(tx, paused=False)
        claimed = jobs.claim(tx, "w", waiting.startable(tx, {"generate"}))
        assert claimed is not None and claimed.id == scene_job.id


def test_a_failed_job_is_listed_until_it_is_dismissed(library: Library, project: Project) -> None:
    scene.queue(library, project)
    job = fail(library)
    assert failed_ids(library, project) == [job.id]
    with library.write() as tx:
        dismissed = waiting.dismiss(tx, job.id)
    assert dismissed.error == {"message": "no memory left", "dismissed": True}
    assert failed_ids(library, project) == []
    with library.write() as tx:
        again = jobs.retry(tx, job.id)
        assert again.error is None
    fail(library, "again")
    assert failed_ids(library, project) == [job.id]


def test_a_failed_shot_that_was_asked_for_again_is_not_listed_twice(
    library: Library, project: Project, clock: scene.Clock
) -> None:
    scene.add_shots(library, project, "s1")
    scene.queue(library, project, "s1")
    first = fail(library)
    clock.at += 1
    second = scene.queue(library, project, "s1")
    assert failed_ids(library, project) == []
    assert fail(library).id == second.id
    assert failed_ids(library, project) == [first.id, second.id]


def test_only_a_failed_job_is_dismissed_and_only_a_waiting_one_is_changed(
    library: Library, project: Project
) -> None:
    job = scene.queue(library, project)
    with library.write() as tx, pytest.raises(Refused, match="queued"):
        waiting.dismiss(tx, job.id)
    with library.write() as tx:
        assert waiting.change_spec(tx, job.id, {"prompt": "snow"}).spec == {"prompt": "snow"}
        assert [j.id for j in waiting.of_project(tx, project.id, job.kind)] == [job.id]
    scene.claim(library)
    with library.write() as tx, pytest.raises(Refused, match="running"):
        waiting.change_spec(tx, job.id, {})


def test_done_jobs_are_listed_newest_first_until_they_are_cleared(
    library: Library, project: Project, clock: scene.Clock
) -> None:
    made = []
    for _ in range(3):
        clock.at += 10
        scene.queue(library, project)
        claimed = scene.claim(library)
        clock.at += 5
        with library.write() as tx:
            made.append(jobs.finish(tx, claimed.id, claimed.fence, {}).id)
    with library.write() as tx:
        assert [j.id for j in waiting.done(tx, project.id, since=0)] == made[::-1]
        assert [j.id for j in waiting.done(tx, project.id, since=clock.at - 1)] == made[2:]
        assert len(waiting.newest_done(tx, claimed.kind, 2)) == 2
        waiting.clear_done(tx, project.id, until=clock.at - 5)
        assert [j.id for j in waiting.done(tx, project.id, since=0)] == made[2:]


def test_a_kept_job_finishes_while_it_is_cancelled_and_a_discarded_one_does_not(
    library: Library, project: Project
) -> None:
    scene.queue(library, project)
    claimed = scene.claim(library)
    with library.write() as tx:
        asked = jobs.cancel(tx, claimed.id, keep=True)
        assert (asked.state, jobs.is_kept(asked)) == ("cancelling", True)
    with library.write() as tx:
        assert jobs.finish(tx, claimed.id, claimed.fence, {"kept": 1}).state == "done"
    scene.queue(library, project)
    claimed = scene.claim(library)
    with library.write() as tx:
        jobs.cancel(tx, claimed.id, keep=True)
        assert not jobs.is_kept(jobs.cancel(tx, claimed.id))
    with library.write() as tx, pytest.raises(Fenced):
        jobs.finish(tx, claimed.id, claimed.fence, {})
