"""The queue: claims, fences, and results that become visible all at once or not at all."""

from __future__ import annotations

import dataclasses

import pytest

from storage import events, history, jobs, memory, processes, references, takes, tree, workers
from storage.database import Library
from storage.errors import BlobMissing, Fenced, NotFound, Refused
from storage.records import Cut, Job, Project
from tests.storage import scene


@pytest.fixture
def shot_job(library: Library, project: Project) -> Job:
    """A waiting job for the one shot of the project."""
    scene.add_shots(library, project, "s1")
    return scene.queue(library, project, "s1")


def state_of(library: Library, job: Job) -> str:
    with library.read() as tx:
        return jobs.get(tx, job.id).state


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
    assert state_of(library, claimed) == "running"
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


def test_cancelling_a_waiting_job_ends_it(library: Library, shot_job: Job) -> None:
    with library.write() as tx:
        assert jobs.cancel(tx, shot_job.id).state == "cancelled"
        assert jobs.claim(tx, "w", jobs.KINDS) is None
        assert jobs.cancel(tx, shot_job.id).state == "cancelled"


def test_cancelling_a_running_job_waits_for_its_run(library: Library, shot_job: Job) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        asked = jobs.cancel(tx, shot_job.id)
        assert (asked.state, asked.cancel_requested) == ("cancelling", True)
        jobs.heartbeat(tx, claimed.id, claimed.fence)
    with pytest.raises(Fenced, match="cancelling"):
        scene.finish(library, claimed, "too late")
    with library.write() as tx:
        assert jobs.cancelled(tx, claimed.id, claimed.fence).state == "cancelled"


def test_a_finish_that_came_first_wins_over_the_cancel(library: Library, shot_job: Job) -> None:
    scene.finish(library, scene.claim(library), "first")
    with library.write() as tx:
        assert jobs.cancel(tx, shot_job.id).state == "done"


@pytest.mark.parametrize("end", ["fail", "release"])
def test_a_cancelling_job_that_fails_or_dies_is_cancelled(
    library: Library, shot_job: Job, end: str
) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        jobs.cancel(tx, claimed.id)
        ended = getattr(jobs, end)(tx, claimed.id, claimed.fence, {"message": "gone"})
    assert ended.state == "cancelled"


def test_a_failed_job_keeps_its_error_and_can_be_tried_again(
    library: Library, project: Project, shot_job: Job
) -> None:
    other = scene.queue(library, project)
    claimed = scene.claim(library)
    with library.write() as tx:
        failed = jobs.fail(tx, claimed.id, claimed.fence, {"message": "no memory left"})
        assert failed.error == {"message": "no memory left"}
        told = events.since(tx, project.id, 0)[-1]
        assert (told.kind, told.payload["message"]) == ("job_failed", "no memory left")
        again = jobs.retry(tx, claimed.id)
        assert (again.state, again.attempts, again.error) == ("queued", 0, None)
    assert [scene.claim(library).id for _ in range(2)] == [other.id, shot_job.id]


def test_only_a_job_that_ended_badly_is_tried_again(library: Library, shot_job: Job) -> None:
    with library.write() as tx, pytest.raises(Refused, match="is queued"):
        jobs.retry(tx, shot_job.id)
    scene.finish(library, scene.claim(library), "first")
    with library.write() as tx, pytest.raises(Refused, match="is done"):
        jobs.retry(tx, shot_job.id)


def test_trying_again_what_waits_already_gives_the_waiting_job(
    library: Library, project: Project
) -> None:
    first = scene.queue(library, project, queueing_key="k")
    with library.write() as tx:
        jobs.cancel(tx, first.id)
    second = scene.queue(library, project, queueing_key="k")
    with library.write() as tx:
        assert jobs.retry(tx, first.id).id == second.id


def test_a_job_that_kills_its_worker_three_times_is_quarantined_and_the_queue_goes_on(
    library: Library, project: Project, shot_job: Job
) -> None:
    other = scene.queue(library, project)
    states = []
    for _ in range(3):
        claimed = scene.claim(library)
        assert claimed.id == shot_job.id
        with library.write() as tx:
            error = {"message": "The engine was stopped by the system."}
            states.append(jobs.release(tx, claimed.id, claimed.fence, error).state)
    assert states == ["queued", "queued", "quarantined"]
    with library.read() as tx:
        job = jobs.get(tx, shot_job.id)
        assert job.attempts == 3
        assert job.error == {"message": "The engine was stopped by the system."}
    assert scene.claim(library).id == other.id


def test_a_run_that_is_ended_on_purpose_counts_as_none_and_keeps_its_place(
    library: Library, project: Project, shot_job: Job
) -> None:
    scene.queue(library, project)
    for _ in range(4):
        claimed = scene.claim(library)
        assert claimed.id == shot_job.id
        with library.write() as tx:
            back = jobs.release(tx, claimed.id, claimed.fence, is_attempt=False)
            assert (back.state, back.attempts) == ("queued", 0)


def test_a_dead_run_gives_way_to_a_newer_request(library: Library, project: Project) -> None:
    scene.queue(library, project, queueing_key="k")
    claimed = scene.claim(library)
    newer = scene.queue(library, project, queueing_key="k")
    with library.write() as tx:
        gone = jobs.release(tx, claimed.id, claimed.fence)
        assert gone.state == "cancelled"
        assert gone.error is not None and gone.error["job_id"] == newer.id
    assert scene.claim(library).id == newer.id


def test_jobs_of_dead_workers_go_back_once_and_those_of_living_ones_stay(
    library: Library, project: Project
) -> None:
    for _ in range(3):
        scene.queue(library, project)
    with library.write() as tx:
        alive = workers.register(tx, kind="engine")
    lost, kept, asked = scene.claim(library, "dead"), scene.claim(library, alive), None
    asked = scene.claim(library, "dead")
    with library.write() as tx:
        jobs.cancel(tx, asked.id)
        back = jobs.requeue_lost(tx, lambda worker: workers.is_alive(tx, worker))
        assert [(j.id, j.state, j.attempts) for j in back] == [
            (lost.id, "queued", 1),
            (asked.id, "cancelled", 0),
        ]
        assert jobs.get(tx, kept.id).state == "running"
        assert jobs.requeue_lost(tx, lambda worker: worker == alive) == []


def test_workers_whose_process_is_gone_are_forgotten(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with library.write() as tx:
        here = workers.register(tx, kind="engine", device="cpu")
        me = processes.this_process()
        monkeypatch.setattr(
            workers, "this_process", lambda: dataclasses.replace(me, start_time="1")
        )
        gone = workers.register(tx, kind="engine")
        assert (workers.is_alive(tx, here), workers.is_alive(tx, gone)) == (True, False)
        workers.forget_dead(tx)
        assert workers.is_alive(tx, here)
        assert not workers.is_alive(tx, "never registered")


@pytest.mark.parametrize("end", ["finish", "fail", "cancelled", "release"])
def test_the_pins_of_a_job_end_with_its_run(library: Library, shot_job: Job, end: str) -> None:
    claimed = scene.claim(library)
    with library.write() as tx:
        references.pin(tx, "a" * 64, claimed.id)
        references.pin(tx, "a" * 64, claimed.id)
        references.pin(tx, "b" * 64, "another job")
        arguments = () if end in ("cancelled", "release") else ({"message": "x"},)
        getattr(jobs, end)(tx, claimed.id, claimed.fence, *arguments)
        assert references.pinned(tx) == {"b" * 64}


def test_waiting_jobs_can_be_moved(library: Library, project: Project) -> None:
    made = [scene.queue(library, project) for _ in range(4)]
    with library.write() as tx:
        jobs.reorder(tx, made[3].id, 1)
        assert [j.id for j in jobs.active(tx, project.id)] == [made[n].id for n in (0, 3, 1, 2)]
        jobs.reorder(tx, made[0].id, 99)
        jobs.reorder(tx, made[2].id, -1)
        assert [j.id for j in jobs.active(tx)] == [made[n].id for n in (2, 3, 1, 0)]
    running = scene.claim(library)
    with library.write() as tx, pytest.raises(Refused, match="running"):
        jobs.reorder(tx, running.id, 0)


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
        jobs.reorder(tx, made[2], 0)
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
