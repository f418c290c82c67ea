"""Deleted and unknown jobs: no late call writes to them, and a deleted job leaves no data."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from jobs.errors import JobNotFound, LeaseLost
from jobs.job import PinnedModel, State
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.state import MemoryState
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.options import JobOptions
from jobs.ports.corrections import CorrectionStore
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, Claim, label_step
from jobs.ports.webhooks import Attempt, WebhookStore
from jobs.redis.connection import redis_client
from jobs.redis.corrections import RedisCorrectionStore
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from tests.jobs.steps import LEASE_S, chunks, must_claim, new_job

ATTEMPT = Attempt(number=1, at=1.0, seconds=0.1, status=200, outcome="delivered", detail="")
CHUNKS = chunks(2, 2, 2)


@dataclass
class Record:
    """The stores that write to a job, and a search for a text in all of their data."""

    jobs: JobStore
    webhooks: WebhookStore
    corrections: CorrectionStore
    search: Callable[[str], list[str]]


def _in_redis(client: redis.Redis, text: str) -> list[str]:
    """The keys whose name or value contains the text."""
    readers: dict[str, Callable[[str], object]] = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1),
    }
    keys = [str(key) for key in client.scan_iter()]
    return [k for k in keys if text in k or text in str(readers[str(client.type(k))](k))]


def _in_memory(root: object, text: str) -> list[str]:
    """The paths in the object to values that contain the text."""

    def walk(value: object, path: str, seen: frozenset[int]) -> Iterator[str]:
        if id(value) in seen:
            return
        seen |= {id(value)}
        if isinstance(value, str):
            if text in value:
                yield path
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from walk(key, f"{path}/key", seen)
                yield from walk(item, f"{path}/{key}", seen)
        elif isinstance(value, list | tuple | set | frozenset):
            for item in value:
                yield from walk(item, f"{path}[]", seen)
        elif hasattr(value, "__dict__"):
            yield from walk(vars(value), path, seen)

    return list(walk(root, "", frozenset()))


@pytest.fixture(params=["memory", "redis"])
def record(request: pytest.FixtureRequest) -> Record:
    if request.param == "memory":
        webhooks, corrections = MemoryWebhookStore(), MemoryCorrectionStore()
        jobs = memory_job_store(MemoryState(webhooks=webhooks, corrections=corrections))
        return Record(jobs, webhooks, corrections, lambda text: _in_memory(jobs, text))
    url = request.getfixturevalue("redis_url")
    # The schema is binary.
    client = redis.Redis.from_url(url, decode_responses=True, encoding_errors="replace")
    return Record(
        redis_job_store(redis_client(url)),
        RedisWebhookStore(redis_client(url)),
        RedisCorrectionStore(redis_client(url)),
        lambda text: _in_redis(client, text),
    )


def cancelled_job(record: Record) -> tuple[str, list[Claim]]:
    """A job that was cancelled during labelling and has ended, and all of its claims."""
    store, new = record.jobs, new_job("anna", JobOptions(webhook_url="https://a.org/"))
    job_id = new.id
    store.uploads.touch(job_id)
    store.jobs.create(new, max_open=3)
    planning = must_claim(store, job_id, PLAN)
    store.chunks.begin_planning(planning, model=PinnedModel(1, "d1"))
    store.chunks.add(planning, CHUNKS, last=True, window=3)
    first, second = (must_claim(store, job_id, label_step(index)) for index in (0, 1))
    store.chunks.commit(first, 0, labelled=2, failed=0, manifest="s", window=3, genres={"crime": 2})
    store.jobs.end(job_id, State.CANCELLED)
    assembling = must_claim(store, job_id, ASSEMBLE)
    store.chunks.finish(assembling)
    return job_id, [planning, first, second, assembling]


def check_late_calls(record: Record, job_id: str, claims: list[Claim]) -> None:
    """Make every call that a late process could make, and check that each is refused."""
    store = record.jobs
    for claim in claims:
        for write in (
            lambda c=claim: store.leases.renew(c, lease_s=LEASE_S),
            lambda c=claim: store.chunks.begin_planning(c, model=PinnedModel(1, "d1")),
            lambda c=claim: store.chunks.add(c, CHUNKS, last=True, window=3),
            lambda c=claim: store.chunks.commit(c, 0, labelled=2, failed=0, manifest="s", window=3),
            lambda c=claim: store.chunks.split(c, *CHUNKS[:2], attempts=0, window=3),
            lambda c=claim: store.chunks.restart_with_model(
                c, model=PinnedModel(2, "d2"), window=3
            ),
            lambda c=claim: store.chunks.reopen(c, [0]),
            lambda c=claim: store.chunks.finish(c),
        ):
            with pytest.raises(LeaseLost):
                write()
        store.leases.release(claim)
    for step in (PLAN, label_step(0), ASSEMBLE):
        with pytest.raises(JobNotFound):
            store.leases.claim(job_id, step, lease_s=LEASE_S)
    for call in (
        lambda: store.jobs.end(job_id, State.CANCELLED),
        lambda: store.leases.find_abandoned(job_id, idle_s=0),
        lambda: store.jobs.mark_files_deleted(job_id),
        lambda: store.jobs.delete(job_id),
        lambda: record.corrections.put(job_id, 1, "crime"),
        lambda: store.jobs.get(job_id),
        lambda: store.jobs.schema(job_id),
        lambda: store.chunks.all(job_id),
        lambda: store.chunks.get(job_id, 0),
        lambda: store.chunks.manifests(job_id),
    ):
        with pytest.raises(JobNotFound):
            call()
    assert store.chunks.latest_output(job_id) is None
    store.uploads.forget(job_id)
    record.corrections.remove(job_id, 1)
    assert record.webhooks.claim(job_id, lease_s=1) is None
    assert not record.webhooks.record(job_id, ATTEMPT, retry_in_s=1)
    assert record.webhooks.log(job_id).attempts == ()


@pytest.mark.parametrize("files", ["kept", "deleted"])
def test_a_deleted_job_leaves_no_data_and_late_calls_write_none(record: Record, files: str) -> None:
    job_id, claims = cancelled_job(record)
    assert record.search(job_id), "the search must find an existing job"
    record.corrections.put(job_id, 1, "crime")
    if files == "deleted":
        record.jobs.jobs.mark_files_deleted(job_id)
    assert record.webhooks.claim(job_id, lease_s=0) == 1
    assert record.webhooks.record(job_id, ATTEMPT, retry_in_s=0)
    record.jobs.jobs.delete(job_id)
    assert record.search(job_id) == []
    check_late_calls(record, job_id, claims)
    assert record.search(job_id) == []
    assert (record.jobs.jobs.count_open("anna"), record.jobs.stats.read().webhooks_pending) == (
        0,
        0,
    )


def test_calls_for_an_unknown_job_write_no_data(record: Record) -> None:
    job_id = uuid.uuid4().hex
    claims = [
        Claim(job_id=job_id, step=step, fence=1, attempt=1)
        for step in (PLAN, label_step(0), ASSEMBLE)
    ]
    check_late_calls(record, job_id, claims)
    assert record.search(job_id) == []


def test_late_renewals_and_releases_do_not_change_an_ended_job(record: Record) -> None:
    job_id, claims = cancelled_job(record)
    before, keys = record.jobs.jobs.get(job_id), sorted(record.search(job_id))
    for claim in claims:
        with pytest.raises(LeaseLost):
            record.jobs.leases.renew(claim, lease_s=LEASE_S)
        record.jobs.leases.release(claim)
    after = record.jobs.jobs.get(job_id)
    assert (after.state, after.row_counts) == (before.state, before.row_counts)
    assert sorted(record.search(job_id)) == keys
    record.jobs.jobs.delete(job_id)
    assert record.search(job_id) == []


def test_finishing_a_job_again_has_no_effect(record: Record) -> None:
    job_id, claims = cancelled_job(record)
    assert record.webhooks.claim(job_id, lease_s=60) == 1
    first = record.jobs.jobs.get(job_id)
    again = record.jobs.chunks.finish(claims[-1])
    assert (again.state, again.chunks, again.chunks_done) == (State.CANCELLED, 3, 1)
    assert again.state_times == first.state_times
    assert record.jobs.stats.read().ended_jobs == {State.CANCELLED: 1}
    assert record.webhooks.claim(job_id, lease_s=60) is None, "its webhook is due once"


def test_files_are_marked_as_deleted_once_and_not_for_a_deleted_job(record: Record) -> None:
    kept, deleted = cancelled_job(record)[0], cancelled_job(record)[0]
    expired = record.jobs.jobs.past_retention(ended_s_ago=-1, limit=9)
    assert set(expired) == {kept, deleted}
    record.jobs.jobs.delete(deleted)
    with pytest.raises(JobNotFound):
        record.jobs.jobs.mark_files_deleted(deleted)
    with pytest.raises(JobNotFound):
        record.jobs.jobs.get(deleted)
    record.jobs.jobs.mark_files_deleted(kept)
    at = record.jobs.jobs.get(kept).files_deleted_at
    record.jobs.jobs.mark_files_deleted(kept)
    assert record.jobs.jobs.get(kept).files_deleted_at == at is not None
