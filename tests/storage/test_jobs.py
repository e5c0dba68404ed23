"""The queue: claims, fences, and results that become visible all at once or not at all."""

from __future__ import annotations

import pytest

from storage import (
    events,
    history,
    jobs,
    memory,
    references,
    takes,
    tree,
    waiting,
)
from storage.database import Library
from storage.errors import BlobMissing, Fenced, NotFound, Refused
from storage.records import Cut, Job, Project
from tests.storage import scene


def kinds_of_events(library: Library, project: Project) -> list[str]:
    with library.read() as tx:
        return [e.kind for e in events.since(tx, project.id, 0)]


def test_a_job_is_claimed_once_under_a_new_fence(library: Library, shot_job: Job) -> None:
    claimed = scene.claim(library)
    assert (claimed.id, claimed.state, claimed.fence) == (shot_job.id, "running", 1)
    assert claimed.worker_id == "w"
    with library.write() as tx:
        assert jobs.claim(tx, "other", jobs.KINDS) is None


def test_only_the_kinds_asked_for_are_claimed(library: Library, shot_job: Job) -> None:
    with library.write() as tx:
        assert jobs.claim(tx, "media child", {"ingest", "export"}) is None
        claimed = jobs.claim(tx, "engine", {"generate"})
        assert claimed is not None and claimed.id == shot_job.id


def test_jobs_are_claimed_by_priority_then_in_order(library: Library, project: Project) -> None:
    first = scene.queue(library, project)
    second = scene.queue(library, project)
    urgent = scene.queue(library, project, priority=1)
    assert [scene.claim(library).id for _ in range(3)] == [urgent.id, first.id, second.id]


def test_a_second_click_updates_the_waiting_job(library: Library, project: Project) -> None:
    scene.add_shots(library, project, "s1")
    first = scene.queue(library, project, "s1", queueing_key="generate s1")
    with library.write() as tx:
        again = jobs.add(
            tx,
            kind="generate",
            project_id=project.id,
            shot_id="s1",
            spec={"prompt": "snow"},
            queueing_key="generate s1",
        )
    assert again.id == first.id
    assert again.spec == {"prompt": "snow"}
    scene.claim(library)
    third = scene.queue(library, project, "s1", queueing_key="generate s1")
    assert third.id != first.id, "the first one runs already"


def test_a_kind_nobody_runs_is_refused(library: Library, project: Project) -> None:
    with pytest.raises(Refused, match="kind 'dance'"), library.write() as tx:
        jobs.add(tx, kind="dance", project_id=project.id, spec={})


def test_a_job_waits_until_its_time(library: Library, shot_job: Job, clock: scene.Clock) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        jobs.release(tx, claimed.id, claimed.fence, not_before=clock.at + 500_000)
        assert jobs.claim(tx, "w", jobs.KINDS) is None
        clock.at += 500_000
        assert jobs.claim(tx, "w", jobs.KINDS) is not None


def test_a_heartbeat_extends_the_lease(library: Library, shot_job: Job, clock: scene.Clock) -> None:
    claimed = scene.claim(library)
    clock.at += 1_000_000
    with library.write() as tx:
        alive = jobs.heartbeat(tx, claimed.id, claimed.fence)
    assert (alive.heartbeat_at, alive.lease_until) == (clock.at, clock.at + 60_000_000)


def test_progress_is_told_at_every_tenth_only(
    library: Library, project: Project, shot_job: Job
) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        told = [
            jobs.progress(tx, claimed.id, claimed.fence, done / 40, "step") for done in range(41)
        ]
    payloads = [event.payload["done"] for event in told if event is not None]
    assert payloads == [n / 10 for n in range(1, 11)]
    assert kinds_of_events(library, project).count("job_progress") == 10


def test_a_finished_job_commits_take_entry_blobs_and_pick_together(
    library: Library, project: Project, shot_job: Job
) -> None:
    claimed = scene.claim(library)
    done = scene.finish(library, claimed, "first")
    (made,) = done.takes
    with library.read() as tx:
        assert takes.get(tx, made.id) == made
        assert (made.number, made.job_id, made.fence) == (1, claimed.id, 1)
        assert memory.for_latents(tx, made.latents_digest or "")[0].num_tokens == 12
        assert references.media_type(tx, made.media_digest) == "application/octet-stream"
        branch, cut = history.head(tx, project.id)
        assert cut.shots[0].take_id == made.id
        assert done.node is not None and branch.head_node == done.node.id
        node = tree.get(tx, done.node.id)
        assert (node.label, node.author, node.op_kind) == ("New take", "engine", "pick_take")
        job = jobs.get(tx, claimed.id)
        assert job.state == "done"
        assert job.result == {"take_ids": [made.id], "picked": True}
        assert kinds_of_events(library, project) == [
            *("edit", "job_queued", "job_started", "edit", "job_done")
        ]


def test_takes_are_offered_where_the_pick_gives_none(
    library: Library, project: Project, shot_job: Job
) -> None:
    claimed = scene.claim(library)
    blobs = scene.blobs_for(library, "first")
    seen: list[Cut] = []

    def locked(cut: Cut) -> None:
        seen.append(cut)

    with library.write() as tx:
        before = history.head(tx, project.id)
        done = jobs.finish_with_takes(
            tx,
            job=claimed,
            fence=claimed.fence,
            takes=[scene.take("s1", blobs)],
            entries=[scene.entry(blobs)],
            blobs=blobs,
            pick=locked,
            result={"seconds": 3},
        )
        assert done.node is None
        assert seen == [before[1]]
        assert history.head(tx, project.id) == before
        assert [t.number for t in takes.of_shot(tx, "s1")] == [1]
        assert done.job.result == {
            "seconds": 3,
            "take_ids": [done.takes[0].id],
            "picked": False,
        }


def test_the_pick_sees_the_cut_as_it_is_now_not_as_it_was_queued(
    library: Library, project: Project, shot_job: Job
) -> None:
    claimed = scene.claim(library)
    scene.add_shots(library, project, "s2")
    scene.finish(library, claimed, "first")
    with library.read() as tx:
        _, cut = history.head(tx, project.id)
        assert [s.shot_id for s in cut.shots] == ["s1", "s2"]


def test_a_take_that_arrives_after_a_rewind_keeps_the_future(
    library: Library, project: Project, shot_job: Job
) -> None:
    scene.add_shots(library, project, "s2")
    with library.write() as tx:
        history.undo(tx, project.id)
    scene.finish(library, scene.claim(library), "first")
    with library.read() as tx:
        assert len(history.branches(tx, project.id)) == 2


def test_a_stale_run_makes_nothing_visible(
    library: Library, project: Project, shot_job: Job
) -> None:
    stale = scene.claim(library)
    with library.write() as tx:
        jobs.release(tx, stale.id, stale.fence)
    newer = scene.claim(library)
    assert newer.fence == 2
    with pytest.raises(Fenced, match="running under claim 2; this run has claim 1"):
        scene.finish(library, stale, "stale")
    with library.read() as tx:
        assert takes.of_shot(tx, "s1") == []
        assert references.unreferenced(tx) == []
    scene.finish(library, newer, "newer")
    with library.read() as tx:
        assert len(takes.of_shot(tx, "s1")) == 1
    with pytest.raises(Fenced, match="is done under claim 2"):
        scene.finish(library, newer, "twice")
    with library.read() as tx:
        assert len(takes.of_shot(tx, "s1")) == 1


def test_every_change_of_a_claimed_job_checks_the_fence(library: Library, shot_job: Job) -> None:
    stale = scene.claim(library)
    with library.write() as tx:
        jobs.release(tx, stale.id, stale.fence)
    scene.claim(library)
    with library.write() as tx:
        for late in (
            lambda: jobs.heartbeat(tx, stale.id, 1),
            lambda: jobs.progress(tx, stale.id, 1, 0.0),
            lambda: jobs.finish(tx, stale.id, 1, {}),
            lambda: jobs.fail(tx, stale.id, 1, {"message": "x"}),
            lambda: jobs.cancelled(tx, stale.id, 1),
            lambda: jobs.release(tx, stale.id, 1),
        ):
            with pytest.raises(Fenced):
                late()
        assert jobs.get(tx, stale.id).state == "running"


def test_a_job_whose_blob_is_missing_is_not_finished(
    library: Library, project: Project, shot_job: Job
) -> None:
    claimed = scene.claim(library)
    blobs = scene.blobs_for(library, "first")
    library.blobs.delete(blobs[0][0])
    with pytest.raises(BlobMissing), library.write() as tx:
        jobs.finish_with_takes(
            tx,
            job=claimed,
            fence=claimed.fence,
            takes=[scene.take("s1", blobs)],
            entries=[],
            blobs=blobs,
            pick=lambda cut: (cut, "x"),
        )
    assert scene.state_of(library, claimed) == "running"
    with library.read() as tx:
        assert takes.of_project(tx, project.id) == []


def test_a_job_without_takes_leaves_its_result_and_blobs(
    library: Library, project: Project
) -> None:
    job = scene.queue(library, project)
    claimed = scene.claim(library)
    blob = scene.put(library, b"a picture")
    with library.write() as tx:
        done = jobs.finish(tx, job.id, claimed.fence, {"recalled": blob[0]}, [blob])
        assert done.result == {"recalled": blob[0]}
        assert done.finished_at is not None
        assert references.exists(tx, blob[0])


def test_waiting_jobs_can_be_moved(library: Library, project: Project) -> None:
    made = [scene.queue(library, project) for _ in range(4)]
    with library.write() as tx:
        waiting.reorder(tx, made[3].id, 1)
        assert [j.id for j in jobs.active(tx, project.id)] == [made[n].id for n in (0, 3, 1, 2)]
        waiting.reorder(tx, made[0].id, 99)
        waiting.reorder(tx, made[2].id, -1)
        assert [j.id for j in jobs.active(tx)] == [made[n].id for n in (2, 3, 1, 0)]
    running = scene.claim(library)
    with library.write() as tx, pytest.raises(Refused, match="running"):
        waiting.reorder(tx, running.id, 0)


def test_active_jobs_list_the_running_one_first_and_recent_ones_the_newest(
    library: Library, project: Project, clock: scene.Clock
) -> None:
    made = []
    for _ in range(3):
        clock.at += 1
        made.append(scene.queue(library, project).id)
    other = scene.make_project(library, "Other")
    elsewhere = scene.queue(library, other, priority=5)
    with library.write() as tx:
        waiting.reorder(tx, made[2], 0)
    assert scene.claim(library).id == elsewhere.id
    running = scene.claim(library)
    with library.write() as tx:
        jobs.cancel(tx, made[1])
        assert [j.id for j in jobs.active(tx, project.id)] == [running.id, made[0]]
        assert [j.id for j in jobs.recent(tx, project.id)] == made[::-1]
        assert [j.id for j in jobs.recent(tx, project.id, 1)] == made[:-2:-1]


def test_events_are_numbered_over_the_library(library: Library, project: Project) -> None:
    other = scene.make_project(library, "Other")
    with library.read() as tx:
        assert events.last_seq(tx) == 0
    scene.queue(library, project)
    scene.queue(library, other)
    with library.read() as tx:
        (mine,) = events.since(tx, project.id, 0)
        assert events.since(tx, project.id, mine.seq) == []
        assert events.last_seq(tx, project.id) == mine.seq
        assert events.last_seq(tx) == mine.seq + 1


def test_a_job_that_is_not_there_is_named(library: Library) -> None:
    with library.read() as tx, pytest.raises(NotFound, match="'nothing'"):
        jobs.get(tx, "nothing")
