"""The contract of `JobRepository`."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from jobs.errors import IllegalTransition, JobNotFound, TooManyOpenJobs
from jobs.job import Failure, PinnedModel, State
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.record.idempotency import KeyClaim, KeyCompletion
from jobs.ports.record.step_leases import PLAN
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.jobs.conftest import PassTime
from tests.jobs.steps import cancel, create, finish, must_claim, new_job
from tests.small_schema import SCHEMA


def test_a_new_job_is_queued_and_active(store: JobStore, job_id: str) -> None:
    job = store.jobs.get(job_id)
    assert job.state is State.QUEUED
    assert (job.filename, job.input_bytes) == ("c.csv", 9)
    assert store.jobs.schema(job_id) == SCHEMA
    assert job.row_counts.total == 0
    assert State.QUEUED in job.state_times
    assert job_id in store.jobs.active_ids()


def test_creating_the_same_job_again_has_no_effect(store: JobStore) -> None:
    new = new_job("anna")
    store.uploads.touch(new.id)
    key = store.idempotency.claim("name", "token", lease_s=60)
    assert isinstance(key, KeyClaim)
    completion = KeyCompletion(claim=key, fingerprint="f")
    first = store.jobs.create(new, max_open=1, completion=completion)
    claim = must_claim(store, new.id, PLAN)
    again = store.jobs.create(new, max_open=1, completion=completion)
    assert (again.id, again.state_times) == (first.id, first.state_times)
    assert store.jobs.count_open("anna") == len(store.jobs.newest(limit=9)) == 1
    # The claim between the two calls is still valid.
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))


def test_an_unknown_job_is_not_found(store: JobStore) -> None:
    for call in (
        lambda: store.jobs.get("unknown"),
        lambda: store.leases.claim("unknown", PLAN, lease_s=1),
        lambda: store.jobs.end("unknown", State.CANCELLED),
        lambda: store.jobs.delete("unknown"),
    ):
        with pytest.raises(JobNotFound):
            call()


def test_jobs_are_listed_newest_first_in_pages(pass_time: PassTime, store: JobStore) -> None:
    job_ids = []
    for _ in range(3):
        job_ids.append(create(store))
        pass_time(0.002)
    page = [job.id for job in store.jobs.newest(limit=2)]
    assert page == [job_ids[2], job_ids[1]]
    assert next(iter(store.jobs.newest(limit=1, before=job_ids[1]))).id == job_ids[0]


def test_a_list_by_owner_contains_jobs_of_that_owner_only(
    pass_time: PassTime, store: JobStore
) -> None:
    first, other, without_owner = (create(store, owner) for owner in ("anna", "ben", None))
    pass_time(0.002)
    second = create(store, "anna")
    assert [job.id for job in store.jobs.newest(limit=9, owner="anna")] == [second, first]
    assert [job.id for job in store.jobs.newest(limit=9, owner="anna", before=second)] == [first]
    assert {job.id for job in store.jobs.newest(limit=9)} == {first, other, without_owner, second}
    with pytest.raises(JobNotFound):
        store.jobs.newest(limit=9, owner="anna", before=other)


def test_a_deleted_job_is_removed_from_the_list_of_its_owner(store: JobStore) -> None:
    job_id = create(store, "anna")
    cancel(store, job_id)
    store.jobs.delete(job_id)
    assert not store.jobs.newest(limit=9, owner="anna")


def test_an_owner_has_at_most_max_open_jobs(store: JobStore) -> None:
    first = create(store, "anna", max_open=2)
    create(store, "anna", max_open=2)
    create(store, "ben", max_open=1)
    with pytest.raises(TooManyOpenJobs):
        create(store, "anna", max_open=2)
    assert len(store.jobs.newest(limit=9, owner="anna")) == store.jobs.count_open("anna") == 2
    assert (store.jobs.count_open("ben"), store.jobs.count_open("unknown")) == (1, 0)
    cancel(store, first)
    create(store, "anna", max_open=2)


def test_a_failed_job_has_its_failure(store: JobStore, job_id: str) -> None:
    failure = Failure(code="MODEL_MISMATCH", message="Train again.")
    store.jobs.end(job_id, State.FAILED, failure)
    assert store.jobs.get(job_id).state is State.FINALIZING
    ended = finish(store, job_id)
    assert (ended.state, ended.failure) == (State.FAILED, failure)


def test_the_first_ending_is_kept(store: JobStore, job_id: str) -> None:
    store.jobs.end(job_id, State.CANCELLED)
    failure = Failure(code="X", message="x")
    assert store.jobs.end(job_id, State.FAILED, failure).state is State.CANCELLING


def test_only_a_terminal_job_can_be_deleted(store: JobStore, job_id: str) -> None:
    with pytest.raises(IllegalTransition):
        store.jobs.delete(job_id)
    cancel(store, job_id)
    store.jobs.delete(job_id)
    with pytest.raises(JobNotFound):
        store.jobs.get(job_id)
    assert job_id not in [job.id for job in store.jobs.newest(limit=100)]


def test_a_job_is_past_retention_until_its_files_are_marked_as_deleted(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    assert job_id not in store.jobs.past_retention(ended_s_ago=0, limit=9)
    assert not store.jobs.get(job_id).has_files
    cancel(store, job_id)
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


def test_ended_jobs_are_listed_in_bounded_pages_by_the_time_of_their_end(
    pass_time: PassTime,
    store: JobStore,
) -> None:
    ended = [create(store, "anna") for _ in range(5)]
    for job_id in ended:
        cancel(store, job_id)
        pass_time(0.002)  # times have a resolution of milliseconds
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


def test_a_job_keeps_its_thresholds(store: JobStore) -> None:
    new = new_job(options=JobOptions(error_threshold=0.0, review_threshold=0.25))
    for job in (store.jobs.create(new), store.jobs.get(new.id)):
        assert (job.options.error_threshold, job.options.review_threshold) == (0.0, 0.25)


def test_a_job_keeps_its_owner_and_webhook_url(store: JobStore) -> None:
    new = new_job("anna", JobOptions(webhook_url="https://a.org/"))
    for job in (store.jobs.create(new), store.jobs.get(new.id)):
        assert (job.owner, job.options.webhook_url) == ("anna", "https://a.org/")


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
    new = new_job(options=options)
    assert store.jobs.create(new).options == store.jobs.get(new.id).options == options


def test_ping_raises_if_redis_is_unreachable(store: JobStore, tmp_path: Path) -> None:
    store.jobs.ping()
    with pytest.raises(redis.ConnectionError):
        redis_job_store(redis_client(f"unix://{tmp_path}/absent.sock")).jobs.ping()
