"""The figures of the record: the same from Redis as from memory, and cheap with many jobs."""

from __future__ import annotations

import time
import uuid

import pytest

from jobs.job import Chunk, NewJob, PinnedModel, State
from jobs.memory.job_store import memory_job_store
from jobs.options import NO_OPTIONS, JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE, PLAN, label_step
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.small_schema import SCHEMA


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> JobStore:
    if request.param == "memory":
        return memory_job_store()
    return redis_job_store(redis_client(request.getfixturevalue("redis_url")))


def new_job(store: JobStore, options: JobOptions = NO_OPTIONS) -> str:
    new = NewJob(
        id=uuid.uuid4().hex, filename="c.csv", input_bytes=9, schema=SCHEMA, options=options
    )
    return store.jobs.create(new).id


def label(store: JobStore, job_id: str) -> None:
    claim = store.leases.claim(job_id, PLAN, lease_s=30)
    assert claim is not None
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    chunk = Chunk(index=0, start=0, end=9, first_row=1, rows=5)
    store.chunks.add(claim, [chunk], last=True, window=1)
    claim = store.leases.claim(job_id, label_step(0), lease_s=30)
    assert claim is not None
    store.chunks.commit(claim, 0, labelled=3, failed=2, to_review=4, manifest="", window=1)


def finish(store: JobStore, job_id: str) -> None:
    claim = store.leases.claim(job_id, ASSEMBLE, lease_s=30)
    assert claim is not None
    store.chunks.finish(claim)


def test_an_empty_record_has_nothing_to_count(store: JobStore) -> None:
    stats = store.stats.read()
    assert not stats.open_jobs
    assert not stats.ended_jobs
    assert (stats.rows_labelled, stats.rows_failed, stats.rows_to_review) == (0, 0, 0)
    assert (stats.uploads, stats.webhooks_pending, stats.cached_predictions) == (0, 0, 0)


def test_open_jobs_are_counted_by_state_and_rows_in_total(store: JobStore) -> None:
    new_job(store)
    new_job(store)
    labelled = new_job(store)
    label(store, labelled)
    store.uploads.touch("some-upload")
    stats = store.stats.read()
    assert dict(stats.open_jobs) == {State.QUEUED: 2, State.FINALIZING: 1}
    assert (stats.rows_labelled, stats.rows_failed, stats.rows_to_review) == (3, 2, 4)
    assert stats.uploads == 1


def test_totals_outlive_the_jobs_that_they_count(store: JobStore) -> None:
    job_id = new_job(store, JobOptions(webhook_url="https://example.org/hook"))
    label(store, job_id)
    finish(store, job_id)
    cancelled = new_job(store)
    store.jobs.end(cancelled, State.CANCELLED)
    finish(store, cancelled)
    assert store.stats.read().webhooks_pending == 1
    for ended in (job_id, cancelled):
        store.jobs.delete(ended)
    stats = store.stats.read()
    assert not stats.open_jobs
    assert stats.ended_jobs == {State.COMPLETED: 1, State.CANCELLED: 1}
    assert stats.rows_labelled == 3
    assert stats.webhooks_pending == 0


def test_a_job_that_stands_still_shows_for_how_long(store: JobStore) -> None:
    first = new_job(store)
    time.sleep(0.3)
    new_job(store)
    assert 0.3 <= store.stats.read().seconds_since_progress[State.QUEUED] < 5
    label(store, first)
    assert store.stats.read().seconds_since_progress[State.FINALIZING] < 0.25


def test_a_thousand_queued_jobs_are_read_in_little_time(redis_url: str) -> None:
    store = redis_job_store(redis_client(redis_url))
    for _ in range(1000):
        new_job(store)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert store.stats.read().open_jobs[State.QUEUED] == 1000
        took.append(time.perf_counter() - began)
    # Ten times what it takes under coverage on a busy machine.
    assert min(took) < 2.5, took
