"""The contract of `StatsReader`."""

from __future__ import annotations

import time

from jobs.job import State
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import label_step
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.jobs.conftest import PassTime
from tests.jobs.steps import cancel, create, finish, must_claim, new_job, plan


def label(store: JobStore, job_id: str) -> None:
    """Plan and label the only chunk of a job."""
    plan(store, job_id, 5)
    claim = must_claim(store, job_id, label_step(0))
    store.chunks.commit(claim, 0, labelled=3, failed=2, to_review=4, manifest="", window=1)


def test_all_counts_of_an_empty_record_are_zero(store: JobStore) -> None:
    stats = store.stats.read()
    assert not stats.open_jobs
    assert not stats.ended_jobs
    assert (stats.rows_labelled, stats.rows_failed, stats.rows_to_review) == (0, 0, 0)
    assert (stats.uploads, stats.webhooks_pending, stats.cached_predictions) == (0, 0, 0)


def test_open_jobs_are_counted_by_state_and_rows_are_totalled(store: JobStore) -> None:
    create(store)
    create(store)
    labelled = create(store)
    label(store, labelled)
    store.uploads.touch("upload")
    stats = store.stats.read()
    assert dict(stats.open_jobs) == {State.QUEUED: 2, State.FINALIZING: 1}
    assert (stats.rows_labelled, stats.rows_failed, stats.rows_to_review) == (3, 2, 4)
    assert stats.uploads == 1


def test_totals_include_deleted_jobs(store: JobStore) -> None:
    new = new_job(options=JobOptions(webhook_url="https://example.org/hook"))
    store.jobs.create(new)
    label(store, new.id)
    finish(store, new.id)
    cancelled = create(store)
    cancel(store, cancelled)
    assert store.stats.read().webhooks_pending == 1
    for job_id in (new.id, cancelled):
        store.jobs.delete(job_id)
    stats = store.stats.read()
    assert not stats.open_jobs
    assert stats.ended_jobs == {State.COMPLETED: 1, State.CANCELLED: 1}
    assert stats.rows_labelled == 3
    assert stats.webhooks_pending == 0


def test_the_time_without_progress_is_the_longest_of_a_state(
    pass_time: PassTime, store: JobStore
) -> None:
    first = create(store)
    pass_time(600)
    create(store)
    assert store.stats.read().seconds_since_progress[State.QUEUED] >= 600
    label(store, first)
    assert store.stats.read().seconds_since_progress[State.FINALIZING] < 600


def test_the_statistics_of_a_thousand_open_jobs_are_read_quickly(redis_url: str) -> None:
    store = redis_job_store(redis_client(redis_url))
    for _ in range(1000):
        create(store)
    durations_s = []
    for _ in range(5):
        start = time.perf_counter()
        assert store.stats.read().open_jobs[State.QUEUED] == 1000
        durations_s.append(time.perf_counter() - start)
    # Ten times the duration under coverage on a busy machine.
    assert min(durations_s) < 2.5, durations_s
