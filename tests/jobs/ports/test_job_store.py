"""One suite over both job stores: what holds for Redis holds for the one in memory."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import redis

from jobs.errors import (
    IllegalTransition,
    JobNotFound,
    LeaseLost,
    TooManyOpenJobs,
    UploadLost,
)
from jobs.job import Chunk, Failure, NewJob, PinnedModel, State
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.options import JobOptions
from jobs.ports.idempotency import KeyClaim, KeyCompletion
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE, PLAN, AbandonedSteps, Claim, label_step
from jobs.ports.upload_registry import UPLOAD_LOST_AFTER_S, UPLOAD_REFUSED_FOR_S
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.jobs.conftest import PassTime
from tests.small_schema import SCHEMA

LEASE = 30.0


@pytest.fixture
def job_id(store: JobStore) -> str:
    new = NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=9, schema=SCHEMA)
    return store.jobs.create(new).id


def chunks(*rows: int) -> list[Chunk]:
    made, first = [], 1
    for index, count in enumerate(rows):
        made.append(
            Chunk(index=index, start=index * 10, end=index * 10 + 10, first_row=first, rows=count)
        )
        first += count
    return made


def must_claim(store: JobStore, job_id: str, step: str, lease_s: float = LEASE) -> Claim:
    claim = store.leases.claim(job_id, step, lease_s=lease_s)
    assert claim is not None
    return claim


def plan(store: JobStore, job_id: str, *rows: int, window: int = 2) -> tuple[int, ...]:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(3, "d3"))
    return store.chunks.add(claim, chunks(*rows), last=True, window=window).dispatch_chunks


def commit(store: JobStore, job_id: str, index: int, labelled: int, failed: int = 0):  # type: ignore[no-untyped-def]  # its type is the store's business
    claim = must_claim(store, job_id, label_step(index))
    return store.chunks.commit(
        claim, index, labelled=labelled, failed=failed, manifest=f"part {index}", window=2
    )


def test_a_new_job_is_queued_and_active(store: JobStore, job_id: str) -> None:
    job = store.jobs.get(job_id)
    assert job.state is State.QUEUED
    assert (job.filename, job.input_bytes) == ("c.csv", 9)
    assert store.jobs.schema(job_id) == SCHEMA
    assert job.row_counts.total == 0
    assert State.QUEUED in job.state_times
    assert job_id in store.jobs.active_ids()


def test_a_job_is_created_once_however_often_it_is_asked_for(store: JobStore) -> None:
    new = NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=9, schema=SCHEMA, owner="anna")
    store.uploads.touch(new.id)
    held = store.idempotency.claim("name", "token", lease_s=60)
    assert isinstance(held, KeyClaim)
    settlement = KeyCompletion(claim=held, fingerprint="f")
    first = store.jobs.create(new, max_open=1, completion=settlement)
    claim = must_claim(store, new.id, PLAN)
    again = store.jobs.create(new, max_open=1, completion=settlement)
    assert (again.id, again.state_times) == (first.id, first.state_times)
    assert store.jobs.count_open("anna") == len(store.jobs.newest(limit=9)) == 1
    store.chunks.begin_planning(
        claim, model=PinnedModel(1, "d1")
    )  # what was claimed meanwhile is still held


def test_an_unknown_job_is_not_found(store: JobStore) -> None:
    for call in (
        lambda: store.jobs.get("nobody"),
        lambda: store.leases.claim("nobody", PLAN, lease_s=1),
        lambda: store.jobs.end("nobody", State.CANCELLED),
        lambda: store.jobs.delete("nobody"),
    ):
        with pytest.raises(JobNotFound):
            call()


def test_jobs_are_listed_newest_first_page_by_page(pass_time: PassTime, store: JobStore) -> None:
    made = []
    for _ in range(3):
        new = NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=1, schema=SCHEMA)
        made.append(store.jobs.create(new).id)
        pass_time(0.002)
    first = [job.id for job in store.jobs.newest(limit=2)]
    assert first == [made[2], made[1]]
    assert next(iter(store.jobs.newest(limit=1, before=made[1]))).id == made[0]


def test_the_whole_way_from_queued_to_completed(store: JobStore, job_id: str) -> None:
    assert plan(store, job_id, 5, 5, 2) == (0, 1)
    assert store.jobs.get(job_id).state is State.IN_PROGRESS
    assert commit(store, job_id, 0, 4, 1).dispatch_chunks == (2,)
    assert not commit(store, job_id, 1, 5).last
    assert commit(store, job_id, 2, 2).last
    assert store.jobs.get(job_id).state is State.FINALIZING
    done = store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    assert done.state is State.COMPLETED
    counts = done.row_counts
    assert (counts.total, counts.labelled, counts.failed, counts.pending) == (12, 11, 1, 0)
    assert (done.chunks, done.chunks_done, done.model_version) == (3, 3, 3)
    assert job_id not in store.jobs.active_ids()
    order = [State.QUEUED, State.VALIDATING, State.IN_PROGRESS, State.FINALIZING, State.COMPLETED]
    times = [done.state_times[state] for state in order]
    assert times == sorted(times)


def test_labelling_starts_before_planning_ends(store: JobStore, job_id: str) -> None:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    assert store.chunks.add(claim, chunks(5), last=False, window=4).dispatch_chunks == (0,)
    assert not commit(store, job_id, 0, 5).last
    assert store.jobs.get(job_id).state is State.IN_PROGRESS
    late = Chunk(index=1, start=10, end=20, first_row=6, rows=1)
    assert store.chunks.add(claim, [late], last=True, window=4).dispatch_chunks == (1,)
    assert commit(store, job_id, 1, 1).last


def test_a_catalogue_whose_last_chunk_is_done_before_planning_ends_still_ends(
    store: JobStore, job_id: str
) -> None:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    store.chunks.add(claim, chunks(5), last=False, window=4)
    commit(store, job_id, 0, 5)
    assert store.chunks.add(claim, [], last=True, window=4).last


def test_a_catalogue_without_rows_ends_at_once(store: JobStore, job_id: str) -> None:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    assert store.chunks.add(claim, [], last=True, window=4).last
    assert store.jobs.get(job_id).state is State.FINALIZING


def test_a_held_step_cannot_be_claimed_again(store: JobStore, job_id: str) -> None:
    must_claim(store, job_id, PLAN)
    assert store.leases.claim(job_id, PLAN, lease_s=LEASE) is None


def test_an_expired_lease_is_taken_over_and_the_old_holder_is_fenced_off(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5)
    dead = must_claim(store, job_id, label_step(0), lease_s=10)
    pass_time(20)
    heir = must_claim(store, job_id, label_step(0))
    assert heir.fence > dead.fence
    assert (dead.attempt, heir.attempt) == (1, 2)
    with pytest.raises(LeaseLost):
        store.leases.renew(dead, lease_s=LEASE)
    with pytest.raises(LeaseLost):
        store.chunks.commit(dead, 0, labelled=5, failed=0, manifest="s", window=2)
    assert store.chunks.commit(heir, 0, labelled=5, failed=0, manifest="s", window=2).last


def test_a_renewed_lease_outlives_its_first_term(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5)
    claim = must_claim(store, job_id, label_step(0), lease_s=10)
    store.leases.renew(claim, lease_s=LEASE)
    pass_time(20)
    assert store.leases.claim(job_id, label_step(0), lease_s=LEASE) is None


def test_a_chunk_is_committed_once(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5)
    claim = must_claim(store, job_id, label_step(0))
    store.chunks.commit(claim, 0, labelled=5, failed=0, manifest="s", window=2)
    with pytest.raises(LeaseLost):
        store.chunks.commit(claim, 0, labelled=5, failed=0, manifest="s", window=2)
    assert store.leases.claim(job_id, label_step(0), lease_s=LEASE) is None
    assert store.jobs.get(job_id).row_counts.labelled == 5
    assert store.chunks.manifests(job_id).keys() == {0}


def test_an_unrecorded_chunk_cannot_be_claimed(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5)
    assert store.leases.claim(job_id, label_step(7), lease_s=LEASE) is None
    with pytest.raises(KeyError):
        store.chunks.get(job_id, 7)


def test_a_released_step_is_free_at_once_and_the_attempt_is_not_counted(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5)
    first = must_claim(store, job_id, label_step(0))
    store.leases.release(first)
    again = must_claim(store, job_id, label_step(0))
    assert again.attempt == 1
    store.leases.release(first)  # a stale release changes nothing
    assert store.leases.claim(job_id, label_step(0), lease_s=LEASE) is None


def test_a_cancelled_job_loses_its_leases_and_keeps_what_was_finished(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5)
    commit(store, job_id, 0, 5)
    running = must_claim(store, job_id, label_step(1))
    assert store.jobs.end(job_id, State.CANCELLED).state is State.CANCELLING
    with pytest.raises(LeaseLost):
        store.leases.renew(running, lease_s=LEASE)
    with pytest.raises(LeaseLost):
        store.chunks.commit(running, 1, labelled=5, failed=0, manifest="s", window=2)
    assert store.chunks.manifests(job_id).keys() == {0}
    ended = store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    assert ended.state is State.CANCELLED
    assert (ended.row_counts.labelled, ended.row_counts.pending) == (5, 5)
    assert store.jobs.end(job_id, State.CANCELLED).state is State.CANCELLED  # idempotent


def test_a_failed_job_says_why(store: JobStore, job_id: str) -> None:
    failure = Failure(code="MODEL_MISMATCH", message="Train again.")
    store.jobs.end(job_id, State.FAILED, failure)
    assert store.jobs.get(job_id).state is State.FINALIZING
    ended = store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    assert (ended.state, ended.failure) == (State.FAILED, failure)


def test_the_first_ending_wins(store: JobStore, job_id: str) -> None:
    store.jobs.end(job_id, State.CANCELLED)
    assert (
        store.jobs.end(job_id, State.FAILED, Failure(code="X", message="x")).state
        is State.CANCELLING
    )


def test_assembly_is_not_due_while_rows_are_missing(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5)
    assert store.leases.claim(job_id, ASSEMBLE, lease_s=LEASE) is None


def test_the_first_pinned_model_stays(pass_time: PassTime, store: JobStore, job_id: str) -> None:
    first = must_claim(store, job_id, PLAN, lease_s=10)
    assert store.chunks.begin_planning(first, model=PinnedModel(3, "d3")) == (3, "d3")
    pass_time(20)
    second = must_claim(store, job_id, PLAN)
    assert store.chunks.begin_planning(second, model=PinnedModel(3, "other")) == (3, "d3")
    assert store.jobs.get(job_id).model == PinnedModel(3, "d3")
    with pytest.raises(LeaseLost):
        store.chunks.begin_planning(first, model=PinnedModel(5, "d5"))


def test_planning_resumes_after_the_chunks_already_recorded(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    first = must_claim(store, job_id, PLAN, lease_s=10)
    store.chunks.begin_planning(first, model=PinnedModel(3, "d3"))
    store.chunks.add(first, chunks(5, 5), last=False, window=1)
    pass_time(20)
    second = must_claim(store, job_id, PLAN)
    with pytest.raises(LeaseLost):
        store.chunks.add(first, chunks(5, 5, 5)[2:], last=True, window=1)
    assert list(store.chunks.all(job_id)) == chunks(5, 5)
    store.chunks.add(second, chunks(5, 5, 2)[2:], last=True, window=1)
    job = store.jobs.get(job_id)
    assert (job.row_counts.total, job.chunks, job.planned) == (12, 3, True)


def test_missing_names_exactly_the_steps_that_nobody_holds(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=60) == AbandonedSteps()
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(plan=True)
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(), (
        "it counts as sent again"
    )
    plan(store, job_id, 5, 5, 5)
    held = must_claim(store, job_id, label_step(0))
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(chunks=(1,))
    store.chunks.commit(held, 0, labelled=5, failed=0, manifest="s", window=2)
    commit(store, job_id, 1, 5)
    commit(store, job_id, 2, 5)
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(assemble=True)
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    pass_time(5)
    assert not store.leases.find_abandoned(job_id, idle_s=0)


def test_the_window_bounds_what_is_handed_out(store: JobStore, job_id: str) -> None:
    assert plan(store, job_id, *[1] * 6, window=2) == (0, 1)
    assert commit(store, job_id, 1, 1).dispatch_chunks == (2,)
    assert commit(store, job_id, 0, 1).dispatch_chunks == (3,)


def test_only_a_job_that_has_ended_can_be_deleted(store: JobStore, job_id: str) -> None:
    with pytest.raises(IllegalTransition):
        store.jobs.delete(job_id)
    store.jobs.end(job_id, State.CANCELLED)
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    store.jobs.delete(job_id)
    with pytest.raises(JobNotFound):
        store.jobs.get(job_id)
    assert job_id not in [job.id for job in store.jobs.newest(limit=100)]


def test_workers_are_known_while_they_report(pass_time: PassTime, store: JobStore) -> None:
    store.workers.report("w1", {"version": 3})
    store.workers.report("w2", None)
    seen = {report.name: report.model for report in store.workers.active(within_s=5)}
    assert seen == {"w1": {"version": 3}, "w2": None}
    pass_time(20)
    assert not store.workers.active(within_s=10)
    store.workers.report("w2", {"version": 4})
    assert [report.name for report in store.workers.active(within_s=10)] == ["w2"]


def test_the_progress_of_a_worker_ages_by_itself(pass_time: PassTime, store: JobStore) -> None:
    def age_s() -> float | None:
        (report,) = store.workers.active(within_s=1000)
        return report.seconds_since_progress

    store.workers.report("w1", None)
    assert age_s() is None
    store.workers.report_progress("w1", age_s=7)
    store.workers.report_progress("another", age_s=0)
    assert age_s() == pytest.approx(7, abs=5)
    pass_time(60)
    store.workers.report("w1", None)
    assert age_s() == pytest.approx(67, abs=5)
    store.workers.report_progress("w1", age_s=0)
    assert age_s() == pytest.approx(0, abs=5)


def test_progress_of_workers_that_are_gone_is_deleted_after_a_day(redis_url: str) -> None:
    workers = redis_job_store(redis_client(redis_url)).workers
    workers.report_progress("gone", age_s=86_460)
    workers.report_progress("new", age_s=0)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert set(client.hkeys("spinelabel:workers:progress")) == {"new"}


def test_rate_and_eta_follow_the_commits(pass_time: PassTime, store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5)
    assert store.jobs.get(job_id).rows_per_second is None
    pass_time(20)
    commit(store, job_id, 0, 5)
    job = store.jobs.get(job_id)
    assert job.rows_per_second is not None
    assert job.rows_per_second == pytest.approx(5 / 20, rel=0.5)
    assert job.eta_seconds is not None
    assert job.eta_seconds <= 5 / job.rows_per_second


def test_ping_answers_only_where_there_is_a_store(store: JobStore, tmp_path: Path) -> None:
    store.jobs.ping()
    with pytest.raises(redis.ConnectionError):
        redis_job_store(redis_client(f"unix://{tmp_path}/no-redis-here.sock")).jobs.ping()


def halves(index: int, right_index: int) -> tuple[Chunk, Chunk]:
    left = Chunk(index=index, start=index * 10, end=index * 10 + 5, first_row=1, rows=2)
    right = Chunk(index=right_index, start=index * 10 + 5, end=index * 10 + 10, first_row=3, rows=3)
    return left, right


def test_a_chunk_is_replaced_by_its_halves_in_the_order_of_the_input(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5)
    left, right = halves(0, 2)
    claim = must_claim(store, job_id, label_step(0))
    assert store.chunks.split(claim, left, right, attempts=2, window=4).dispatch_chunks == (2, 0)
    assert [chunk.index for chunk in store.chunks.all(job_id)] == [0, 2, 1]
    assert (store.jobs.get(job_id).row_counts.total, store.jobs.get(job_id).chunks) == (10, 3)
    again = must_claim(store, job_id, label_step(0))
    assert again.attempt == 3
    store.chunks.commit(again, 0, labelled=2, failed=0, manifest="s", window=4)
    assert not commit(store, job_id, 1, 5).last
    assert must_claim(store, job_id, label_step(2)).attempt == 3


def test_only_the_holder_may_split_and_only_after_planning(store: JobStore, job_id: str) -> None:
    planner = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(planner, model=PinnedModel(1, "d1"))
    store.chunks.add(planner, chunks(5), last=False, window=4)
    claim = must_claim(store, job_id, label_step(0))
    with pytest.raises(LeaseLost):
        store.chunks.split(claim, *halves(0, 1), attempts=0, window=4)
    store.chunks.add(planner, [], last=True, window=4)
    store.leases.release(claim)
    with pytest.raises(LeaseLost):
        store.chunks.split(claim, *halves(0, 1), attempts=0, window=4)
    assert store.jobs.get(job_id).chunks == 1


def test_a_job_that_changes_its_model_starts_over_and_refuses_the_old_ones_work(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5, 5)
    commit(store, job_id, 0, 4, 1)
    old = must_claim(store, job_id, label_step(1))
    claim = must_claim(store, job_id, label_step(2))
    assert store.chunks.restart_with_model(
        claim, model=PinnedModel(4, "d4"), window=2
    ).dispatch_chunks == (0, 1)
    for lost in (old, claim):
        with pytest.raises(LeaseLost):
            store.chunks.commit(
                lost, int(lost.step[-1]), labelled=5, failed=0, manifest="s", window=2
            )
    job = store.jobs.get(job_id)
    assert (job.model, job.chunks_done, job.row_counts.processed) == ((4, "d4"), 0, 0)
    for index in range(3):
        outcome = commit(store, job_id, index, 5)
    assert outcome.last
    assert store.jobs.get(job_id).row_counts.labelled == 15


def test_planning_may_change_the_model_before_and_after_the_first_chunk(
    store: JobStore, job_id: str
) -> None:
    planner = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(planner, model=PinnedModel(3, "d3"))
    assert (
        store.chunks.restart_with_model(
            planner, model=PinnedModel(3, "other"), window=4
        ).dispatch_chunks
        == ()
    )
    store.chunks.add(planner, chunks(5), last=False, window=4)
    labeller = must_claim(store, job_id, label_step(0))
    assert store.chunks.restart_with_model(
        planner, model=PinnedModel(2, "d2"), window=4
    ).dispatch_chunks == (0,)
    with pytest.raises(LeaseLost):
        store.chunks.commit(labeller, 0, labelled=5, failed=0, manifest="s", window=2)
    store.chunks.add(planner, [], last=True, window=4)
    assert commit(store, job_id, 0, 5).last
    assert store.jobs.get(job_id).model == PinnedModel(2, "d2")


def end_now(store: JobStore, job_id: str) -> None:
    store.jobs.end(job_id, State.CANCELLED)
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))


def test_files_of_ended_jobs_are_kept_until_they_are_deleted(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    assert job_id not in store.jobs.past_retention(ended_s_ago=0, limit=9)
    assert not store.jobs.get(job_id).has_files
    end_now(store, job_id)
    pass_time(20)
    assert job_id in store.jobs.past_retention(ended_s_ago=10, limit=9)
    assert job_id not in store.jobs.past_retention(ended_s_ago=60, limit=9)
    assert store.jobs.get(job_id).has_files
    store.jobs.mark_files_deleted(job_id)
    assert store.jobs.get(job_id).files_deleted_at is not None
    assert not store.jobs.get(job_id).has_files
    with pytest.raises(JobNotFound):
        store.jobs.schema(job_id)
    assert job_id not in store.jobs.past_retention(ended_s_ago=0, limit=9)


def test_ended_jobs_are_named_a_bounded_number_at_a_time_the_first_to_end_first(
    pass_time: PassTime,
    store: JobStore,
) -> None:
    ended = [made_by(store, "anna") for _ in range(5)]
    for job_id in ended:
        end_now(store, job_id)
        pass_time(0.002)  # times are kept in milliseconds
    assert store.jobs.past_retention(ended_s_ago=0, limit=2) == ended[:2]
    assert store.jobs.past_retention(ended_s_ago=0, limit=2, skip=2) == ended[2:4]
    assert store.jobs.past_retention(ended_s_ago=0, limit=9, skip=5) == []
    for job_id in reversed(ended[:3]):
        assert job_id not in store.jobs.without_files(ended_s_ago=0, limit=9)
        store.jobs.mark_files_deleted(job_id)
    assert store.jobs.past_retention(ended_s_ago=0, limit=9) == ended[3:]
    assert store.jobs.without_files(ended_s_ago=0, limit=2) == ended[:2]
    assert store.jobs.without_files(ended_s_ago=0, limit=9) == ended[:3]
    assert store.jobs.without_files(ended_s_ago=60, limit=9) == []
    store.jobs.delete(ended[0])
    assert store.jobs.without_files(ended_s_ago=0, limit=9) == ended[1:3]


def test_a_job_knows_when_too_many_rows_failed(store: JobStore) -> None:
    new = NewJob(
        id=uuid.uuid4().hex,
        filename="c",
        input_bytes=1,
        schema=SCHEMA,
        options=JobOptions(error_threshold=0.1),
    )
    store.jobs.create(new)
    plan(store, new.id, 50, 50, 50)
    commit(store, new.id, 0, 40, 10)
    assert not store.jobs.get(new.id).too_many_failed
    commit(store, new.id, 1, 48, 2)
    assert store.jobs.get(new.id).too_many_failed


def test_a_step_whose_holder_is_gone_is_missing_at_once_and_only_once(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5)
    must_claim(store, job_id, label_step(0), lease_s=10)
    must_claim(store, job_id, label_step(1))
    pass_time(20)
    assert store.leases.find_abandoned(job_id, idle_s=60) == AbandonedSteps(chunks=(0,))
    assert store.leases.find_abandoned(job_id, idle_s=60) == AbandonedSteps()
    assert must_claim(store, job_id, label_step(0)).attempt == 2


def test_a_chunk_keeps_the_seal_of_its_part(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5)
    commit(store, job_id, 1, 5)
    assert store.chunks.manifests(job_id) == {1: "part 1"}


def test_the_newest_part_is_that_of_the_last_commit(store: JobStore, job_id: str) -> None:
    assert store.chunks.latest_output("nobody") is None
    plan(store, job_id, 5, 7)
    assert store.chunks.latest_output(job_id) is None
    commit(store, job_id, 1, 7)
    commit(store, job_id, 0, 5)
    newest = store.chunks.latest_output(job_id)
    assert newest is not None
    chunk, seal = newest
    assert (chunk.index, chunk.first_row, chunk.rows, seal) == (0, 1, 5, "part 0")
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    assert store.chunks.latest_output(job_id) is None


def test_a_newest_part_that_was_taken_back_is_none(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5)
    commit(store, job_id, 0, 5)
    store.chunks.reopen(must_claim(store, job_id, ASSEMBLE), [0])
    assert store.chunks.latest_output(job_id) is None


def test_chunks_whose_parts_were_damaged_are_labelled_again(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5, 2)
    for index, (labelled, failed) in enumerate([(5, 0), (4, 1), (0, 2)]):
        commit(store, job_id, index, labelled, failed)
    claim = must_claim(store, job_id, ASSEMBLE)
    again = store.chunks.reopen(claim, [0, 2])
    assert (again.dispatch_chunks, again.last) == ((0, 2), False)
    job = store.jobs.get(job_id)
    assert (job.state, job.ending, job.chunks_done) == (State.IN_PROGRESS, None, 1)
    assert (job.row_counts.labelled, job.row_counts.failed, job.row_counts.pending) == (4, 1, 7)
    with pytest.raises(LeaseLost):
        store.chunks.finish(claim)
    assert store.leases.claim(job_id, ASSEMBLE, lease_s=LEASE) is None
    assert must_claim(store, job_id, label_step(0)).attempt == 1
    assert not commit(store, job_id, 2, 1, 1).last
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps()


def test_a_job_that_ends_early_does_without_damaged_parts(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5, 2)
    commit(store, job_id, 0, 5)
    commit(store, job_id, 1, 4, 1)
    store.jobs.end(job_id, State.CANCELLED)
    claim = must_claim(store, job_id, ASSEMBLE)
    again = store.chunks.reopen(claim, [1])
    assert (again.dispatch_chunks, again.last) == ((), True)
    with pytest.raises(LeaseLost):
        store.chunks.reopen(claim, [0])
    ended = store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    counts = ended.row_counts
    assert (ended.state, counts.labelled, counts.failed) == (State.CANCELLED, 5, 0)
    assert counts.pending == 7


@pytest.mark.parametrize("back", [30, 3600])
def test_a_lease_that_no_clock_could_have_given_holds_nothing(
    store: JobStore, job_id: str, back: float
) -> None:
    # So long after now: it was given before the clock was put back by as much.
    plan(store, job_id, 5)
    must_claim(store, job_id, label_step(0), lease_s=back)
    assert store.leases.find_abandoned(job_id, idle_s=60, lease_s=6) == AbandonedSteps(chunks=(0,))
    must_claim(store, job_id, label_step(0), lease_s=back)
    assert must_claim(store, job_id, label_step(0), lease_s=6).attempt == 3
    assert store.leases.find_abandoned(job_id, idle_s=60, lease_s=6) == AbandonedSteps()


def test_what_was_sent_before_the_clock_was_put_back_is_missing() -> None:
    now = [7200.0]
    store = memory_job_store(MemoryState(clock=lambda: now[0]))
    store.jobs.create(NewJob(id="j", filename="c", input_bytes=1, schema=SCHEMA))
    assert not store.leases.find_abandoned("j", idle_s=4)
    now[0] = 3600.0
    assert store.leases.find_abandoned("j", idle_s=4) == AbandonedSteps(plan=True)
    assert not store.leases.find_abandoned("j", idle_s=4)


def made_by(store: JobStore, owner: str | None, max_open: int | None = None) -> str:
    new = NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=1, schema=SCHEMA, owner=owner)
    return store.jobs.create(new, max_open=max_open).id


def test_the_tallies_of_genres_and_of_rows_to_review_grow_with_the_chunks_and_forget_what_is_labelled_again(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 3, 3)
    assert store.jobs.get(job_id).genre_counts == {}
    for index, genres in enumerate(({"crime": 2, "history": 1}, {"crime": 1, "true:crime": 1})):
        claim = must_claim(store, job_id, label_step(index))
        store.chunks.commit(
            claim,
            index,
            labelled=sum(genres.values()),
            failed=3 - sum(genres.values()),
            manifest="s",
            window=2,
            genres=genres,
            to_review=index + 1,
        )
    assert store.jobs.get(job_id).to_review == 3
    assert store.jobs.get(job_id).genre_counts == {"crime": 3, "history": 1, "true:crime": 1}
    store.chunks.reopen(must_claim(store, job_id, ASSEMBLE), [0])
    assert store.jobs.get(job_id).genre_counts == {"crime": 1, "true:crime": 1}
    assert store.jobs.get(job_id).to_review == 2
    store.chunks.restart_with_model(
        must_claim(store, job_id, label_step(0)), model=PinnedModel(4, "d4"), window=2
    )
    assert store.jobs.get(job_id).genre_counts == {}
    assert store.jobs.get(job_id).to_review == 0


def test_a_job_knows_the_thresholds_that_it_was_made_with(store: JobStore) -> None:
    new = NewJob(
        id="1",
        filename="c",
        input_bytes=1,
        schema=SCHEMA,
        options=JobOptions(error_threshold=0.0, review_threshold=0.25),
    )
    for job in (store.jobs.create(new), store.jobs.get("1")):
        assert (job.options.error_threshold, job.options.review_threshold) == (0.0, 0.25)


def test_a_job_keeps_its_owner_and_its_webhook_url(store: JobStore) -> None:
    new = NewJob(
        id="1",
        filename="c.csv",
        input_bytes=1,
        schema=SCHEMA,
        owner="anna",
        options=JobOptions(webhook_url="https://a.org/"),
    )
    for job in (store.jobs.create(new), store.jobs.get("1")):
        assert (job.owner, job.options.webhook_url) == ("anna", "https://a.org/")


def test_an_owners_list_holds_that_owners_jobs_alone(pass_time: PassTime, store: JobStore) -> None:
    first, other, nobodys = (made_by(store, owner) for owner in ("anna", "ben", None))
    pass_time(0.002)
    second = made_by(store, "anna")
    assert [job.id for job in store.jobs.newest(limit=9, owner="anna")] == [second, first]
    assert [job.id for job in store.jobs.newest(limit=9, owner="anna", before=second)] == [first]
    assert {job.id for job in store.jobs.newest(limit=9)} == {first, other, nobodys, second}
    with pytest.raises(JobNotFound):
        store.jobs.newest(limit=9, owner="anna", before=other)


def test_a_deleted_job_leaves_its_owners_list(store: JobStore) -> None:
    job_id = made_by(store, "anna")
    store.jobs.end(job_id, State.CANCELLED)
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    store.jobs.delete(job_id)
    assert not store.jobs.newest(limit=9, owner="anna")


def test_an_owner_has_no_more_open_jobs_than_allowed(store: JobStore) -> None:
    first = made_by(store, "anna", max_open=2)
    made_by(store, "anna", max_open=2)
    made_by(store, "ben", max_open=1)
    with pytest.raises(TooManyOpenJobs):
        made_by(store, "anna", max_open=2)
    assert len(store.jobs.newest(limit=9, owner="anna")) == store.jobs.count_open("anna") == 2
    assert (store.jobs.count_open("ben"), store.jobs.count_open("nobody")) == (1, 0)
    store.jobs.end(first, State.CANCELLED)
    store.chunks.finish(must_claim(store, first, ASSEMBLE))
    made_by(store, "anna", max_open=2)


@pytest.mark.parametrize(
    "options",
    [
        JobOptions(),
        JobOptions(
            error_threshold=0.5,
            review_threshold=0.25,
            alternatives=3,
            evidence=True,
            neutralise_formulas=True,
            webhook_url="https://a.org/",
        ),
    ],
)
def test_a_job_keeps_its_options(store: JobStore, options: JobOptions) -> None:
    new = NewJob(id="1", filename="c", input_bytes=1, schema=SCHEMA, options=options)
    assert store.jobs.create(new).options == store.jobs.get("1").options == options


def new_job() -> NewJob:
    return NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=9, schema=SCHEMA)


def test_an_upload_of_which_nothing_is_heard_for_long_is_lost_and_becomes_no_job(
    store: JobStore,
) -> None:
    job = new_job()
    store.uploads.touch(job.id)
    assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S - 1) == []
    assert store.uploads.expire(elapsed_s=1) == [job.id]
    for call in (lambda: store.uploads.touch(job.id), lambda: store.jobs.create(job)):
        with pytest.raises(UploadLost):
            call()
    assert store.jobs.active_ids() == []


def test_an_upload_that_is_heard_of_is_not_lost(store: JobStore) -> None:
    job = new_job()
    for _ in range(3):
        store.uploads.touch(job.id)
        assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S - 1) == []
    assert store.jobs.create(job).state is State.QUEUED


@pytest.mark.parametrize("end", ["create", "forget"])
def test_an_upload_that_is_over_is_never_lost(store: JobStore, end: str) -> None:
    job = new_job()
    store.uploads.touch(job.id)
    if end == "create":
        store.jobs.create(job)
    else:
        store.uploads.forget(job.id)
    assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []


def test_a_lost_upload_is_named_until_its_process_cannot_be_there_any_more(store: JobStore) -> None:
    store.uploads.touch("gone")
    for _ in range(3):  # a sweep may die before it has deleted anything
        assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == ["gone"]
    assert store.uploads.expire(elapsed_s=UPLOAD_REFUSED_FOR_S) == []
    assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []
