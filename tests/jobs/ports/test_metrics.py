"""One suite over both stores: what the workers' work adds to the metrics, and that it does so once."""

from __future__ import annotations

import itertools
import math
import uuid
from collections import Counter

import pytest

from jobs.errors import LeaseLost
from jobs.job import Chunk, NewJob, PinnedModel, State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.metrics import (
    CHUNK_DURATION_BOUNDS_S,
    MAX_GENRES,
    OTHER_GENRES,
    ChunkMetrics,
    Histogram,
    observations,
)
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, Claim, label_step
from jobs.ports.webhooks import Attempt, Outcome, WebhookStore
from jobs.redis.connection import redis_client
from jobs.redis.webhooks import RedisWebhookStore
from tests.jobs.conftest import Clock, PassTime
from tests.small_schema import SCHEMA

LEASE_S = 30.0
ERRORS = {"EMPTY_SUMMARY": 2, "MODEL_REJECTED": 1}
MEASURED = ChunkMetrics(
    duration_s=1.5,
    model_calls_s={"predict": [0.004, 0.3, 0.3, 99.0], "explain": [0.02]},
    cache_hits=7,
    cache_misses=5,
)


@pytest.fixture
def job_id(store: JobStore) -> str:
    return new_job(store)


def new_job(store: JobStore) -> str:
    new = NewJob(id=uuid.uuid4().hex, filename="c.csv", input_bytes=9, schema=SCHEMA)
    return store.jobs.create(new).id


def must_claim(store: JobStore, job_id: str, step: str) -> Claim:
    claim = store.leases.claim(job_id, step, lease_s=LEASE_S)
    assert claim is not None
    return claim


def plan(store: JobStore, job_id: str, chunks: int = 1) -> None:
    claim = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    planned = [Chunk(index=i, start=i, end=i + 1, first_row=i + 1, rows=1) for i in range(chunks)]
    store.chunks.add(claim, planned, last=True, window=chunks)


def commit(store: JobStore, claim: Claim, genres: dict[str, int] | None = None) -> None:
    genres = genres or {"crime": 4, "travel": 2}
    labelled, failed = sum(genres.values()), sum(ERRORS.values())
    store.chunks.commit(
        claim,
        int(claim.step.rpartition("/")[2]),
        labelled=labelled,
        failed=failed,
        manifest="m",
        window=9,
        genres=genres,
        errors=ERRORS,
        metrics=MEASURED,
    )


def buckets(histogram: Histogram) -> dict[float, int]:
    """Observations of each bucket alone."""
    cumulative = [0, *(count for _, count in histogram.cumulative)]
    bounds = [bound for bound, _ in histogram.cumulative]
    alone = [after - before for before, after in itertools.pairwise(cumulative)]
    return {bound: count for bound, count in zip(bounds, alone, strict=True) if count}


def test_a_new_store_has_counted_nothing_and_has_every_bucket(store: JobStore) -> None:
    metrics = store.metrics.read()
    assert not metrics.labelled_rows
    assert not metrics.row_errors
    assert not metrics.webhook_attempts
    assert metrics.chunk_duration.cumulative == (
        *((bound, 0) for bound in CHUNK_DURATION_BOUNDS_S),
        (math.inf, 0),
    )
    assert set(metrics.queue_wait) == {"plan", "label", "assemble"}
    assert set(metrics.retries.values()) == set(metrics.lease_losses.values()) == {0}
    assert (metrics.cache_hits, metrics.cache_misses) == (0, 0)


def test_a_commit_counts_rows_durations_and_cache_lookups(store: JobStore, job_id: str) -> None:
    plan(store, job_id, chunks=2)
    for index in range(2):
        commit(store, must_claim(store, job_id, label_step(index)))
    metrics = store.metrics.read()
    assert metrics.labelled_rows == {"crime": 8, "travel": 4}
    assert metrics.row_errors == {"EMPTY_SUMMARY": 4, "MODEL_REJECTED": 2}
    assert (metrics.cache_hits, metrics.cache_misses) == (14, 10)
    assert buckets(metrics.chunk_duration) == {2.5: 2}
    assert metrics.chunk_duration.sum_s == pytest.approx(3.0)
    predict = metrics.model_calls["predict"]
    assert buckets(predict) == {0.005: 2, 0.5: 4, math.inf: 2}
    assert predict.sum_s == pytest.approx(2 * 99.604)
    assert metrics.model_calls["explain"].count == 2
    counts = store.jobs.get(job_id).row_counts
    assert (
        sum(metrics.labelled_rows.values()) == counts.labelled == store.stats.read().rows_labelled
    )
    assert sum(metrics.row_errors.values()) == counts.failed


def test_only_the_commit_that_is_accepted_counts(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id)
    late = must_claim(store, job_id, label_step(0))
    pass_time(LEASE_S + 1)
    heir = must_claim(store, job_id, label_step(0))
    for refused in (late, late):
        with pytest.raises(LeaseLost):
            commit(store, refused)
    assert not store.metrics.read().labelled_rows
    commit(store, heir)
    counted = store.metrics.read()
    for refused in (late, heir):
        with pytest.raises(LeaseLost):
            commit(store, refused)
    assert store.metrics.read() == counted
    assert counted.labelled_rows == {"crime": 4, "travel": 2}


def test_what_was_counted_outlives_the_job(store: JobStore, job_id: str) -> None:
    plan(store, job_id)
    commit(store, must_claim(store, job_id, label_step(0)))
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    counted = store.metrics.read()
    store.jobs.delete(job_id)
    assert store.metrics.read() == counted
    assert counted.labelled_rows


def test_the_wait_in_the_queue_is_from_the_last_enqueueing_to_the_claim(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    pass_time(20)
    plan(store, job_id, chunks=2)
    pass_time(100)
    must_claim(store, job_id, label_step(0))
    pass_time(900)
    # Recovery enqueues both again: one was abandoned, the other never claimed.
    assert store.leases.find_abandoned(job_id, idle_s=5).chunks == (0, 1)
    pass_time(3)
    for index in range(2):
        commit(store, must_claim(store, job_id, label_step(index)))
    pass_time(0.7)
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    waits = store.metrics.read().queue_wait
    assert buckets(waits["plan"]) == {60: 1}
    assert buckets(waits["label"]) == {300: 1, 5: 2}
    assert waits["label"].sum_s == pytest.approx(106, abs=3)
    assert buckets(waits["assemble"]) == {1: 1}


def test_a_claim_after_another_is_a_retry(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id)
    released = must_claim(store, job_id, label_step(0))
    assert store.metrics.read().retries["label"] == 0
    store.leases.release(released)
    must_claim(store, job_id, label_step(0))
    assert store.metrics.read().retries["label"] == 1
    assert store.leases.claim(job_id, label_step(0), lease_s=LEASE_S) is None
    pass_time(LEASE_S + 1)
    commit(store, must_claim(store, job_id, label_step(0)))
    assert store.metrics.read().retries == {"plan": 0, "label": 2, "assemble": 0}


def test_a_lease_is_lost_once_whoever_notices_first(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, chunks=2)
    for index in range(2):
        must_claim(store, job_id, label_step(index))
    pass_time(LEASE_S + 1)
    # A message that was late claims the step before recovery looks for it.
    must_claim(store, job_id, label_step(0))
    assert store.leases.find_abandoned(job_id, idle_s=5).chunks == (1,)
    assert not store.leases.find_abandoned(job_id, idle_s=5)
    must_claim(store, job_id, label_step(1))
    assert store.metrics.read().lease_losses == {"plan": 0, "label": 2, "assemble": 0}


def test_leases_of_work_that_is_done_released_or_cancelled_are_not_lost(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, chunks=3)
    claims = [must_claim(store, job_id, label_step(index)) for index in range(3)]
    commit(store, claims[0])
    store.leases.release(claims[1])
    store.jobs.end(job_id, State.CANCELLED)
    pass_time(LEASE_S + 1)
    store.leases.find_abandoned(job_id, idle_s=5)
    store.chunks.finish(must_claim(store, job_id, ASSEMBLE))
    assert set(store.metrics.read().lease_losses.values()) == {0}


def test_the_number_of_genres_is_bounded_and_no_row_is_left_out(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, chunks=2)
    for index in range(2):
        genres = {f"genre {n}": 1 for n in range(index * 30, MAX_GENRES + index * 30)}
        commit(store, must_claim(store, job_id, label_step(index)), genres)
    rows = Counter(store.metrics.read().labelled_rows)
    assert rows.pop(OTHER_GENRES) == 30
    assert len(rows) == MAX_GENRES
    assert rows["genre 0"] == 1
    assert rows["genre 50"] == 2
    assert len(store.jobs.get(job_id).genre_counts) == MAX_GENRES + 30


@pytest.fixture
def stores(
    request: pytest.FixtureRequest, store: JobStore, clock: Clock
) -> tuple[JobStore, WebhookStore]:
    if isinstance(store.jobs, MemoryJobRepository):
        webhooks = MemoryWebhookStore(clock)
        return memory_job_store(MemoryState(clock, webhooks=webhooks)), webhooks
    return store, RedisWebhookStore(redis_client(request.getfixturevalue("redis_url")))


def test_recorded_webhook_attempts_are_counted_by_outcome(
    stores: tuple[JobStore, WebhookStore],
) -> None:
    store, webhooks = stores
    outcomes: list[Outcome] = ["failed", "failed", "delivered"]
    new = NewJob(
        id=uuid.uuid4().hex,
        filename="c.csv",
        input_bytes=9,
        schema=SCHEMA,
        options=JobOptions(webhook_url="https://example.org/hook"),
    )
    store.jobs.create(new)
    store.jobs.end(new.id, State.CANCELLED)
    store.chunks.finish(must_claim(store, new.id, ASSEMBLE))
    for outcome in outcomes:
        number = webhooks.claim(new.id, lease_s=5)
        assert number is not None
        attempt = Attempt(
            number=number, at=1.0, seconds=0.1, status=None, outcome=outcome, detail=""
        )
        retry_in_s = None if outcome == "delivered" else 0.0
        assert webhooks.record(new.id, attempt, retry_in_s=retry_in_s)
    assert not webhooks.record(new.id, attempt, retry_in_s=None), "the delivery has ended"
    assert store.metrics.read().webhook_attempts == {"failed": 2, "delivered": 1}


def test_a_duration_on_a_bound_is_in_its_bucket() -> None:
    fields = observations("h", (0.5, 1.0), [0.5, 0.50001, 1.0, 7.0])
    assert fields == {"h:0.5": 1, "h:1": 2, "h:inf": 1, "h:sum_us": 9_000_010}
