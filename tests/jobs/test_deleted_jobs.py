"""One suite over both record stores: a deleted or unknown job is never written to, and a deleted one leaves nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from jobs.errors import JobNotFound, LeaseLost
from jobs.job import Chunk, NewJob, PinnedModel, State
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.options import JobOptions
from jobs.ports.corrections import CorrectionStore
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE, PLAN, Claim, label_step
from jobs.ports.webhooks import Attempt, WebhookStore
from jobs.redis.connection import redis_client
from jobs.redis.corrections import RedisCorrectionStore
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from tests.small_schema import SCHEMA

LEASE = 30.0
ATTEMPT = Attempt(number=1, at=1.0, seconds=0.1, status=200, outcome="delivered", detail="")
CHUNKS = [
    Chunk(index=0, start=0, end=10, first_row=1, rows=2),
    Chunk(index=1, start=10, end=20, first_row=3, rows=2),
    Chunk(index=2, start=20, end=30, first_row=5, rows=2),
]


@dataclass
class Record:
    """The three stores that write to a job, and where a job's id is still found."""

    jobs: JobStore
    callbacks: WebhookStore
    corrections: CorrectionStore
    places: Callable[[str], list[str]]


def _in_redis(client: redis.Redis, text: str) -> list[str]:
    """The keys that have the text in their name or in what they hold."""
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
    """The paths within the object that lead to the text."""

    def walk(value: object, path: str, seen: frozenset[int]) -> Iterator[str]:
        if id(value) in seen:
            return
        seen |= {id(value)}
        if isinstance(value, str):
            if text in value:
                yield path
        elif isinstance(value, dict):
            for key, held in value.items():
                yield from walk(key, f"{path}/key", seen)
                yield from walk(held, f"{path}/{key}", seen)
        elif isinstance(value, list | tuple | set | frozenset):
            for held in value:
                yield from walk(held, f"{path}[]", seen)
        elif hasattr(value, "__dict__"):
            yield from walk(vars(value), path, seen)

    return list(walk(root, "", frozenset()))


@pytest.fixture(params=["memory", "redis"])
def record(request: pytest.FixtureRequest) -> Record:
    if request.param == "memory":
        callbacks, corrections = MemoryWebhookStore(), MemoryCorrectionStore()
        jobs = memory_job_store(MemoryState(webhooks=callbacks, corrections=corrections))
        return Record(jobs, callbacks, corrections, lambda text: _in_memory(jobs, text))
    url = request.getfixturevalue("redis_url")
    # The schema is binary.
    client = redis.Redis.from_url(url, decode_responses=True, encoding_errors="replace")
    return Record(
        redis_job_store(redis_client(url)),
        RedisWebhookStore(redis_client(url)),
        RedisCorrectionStore(redis_client(url)),
        lambda text: _in_redis(client, text),
    )


def must_claim(record: Record, job_id: str, step: str) -> Claim:
    claim = record.jobs.leases.claim(job_id, step, lease_s=LEASE)
    assert claim is not None
    return claim


def live(record: Record) -> tuple[str, list[Claim]]:
    """A job that was cancelled in the middle of its work and has ended, and every claim that was given of it."""
    job_id, store = uuid.uuid4().hex, record.jobs
    store.uploads.touch(job_id)
    new = NewJob(
        id=job_id,
        filename="c.csv",
        input_bytes=9,
        schema=SCHEMA,
        owner="anna",
        options=JobOptions(webhook_url="https://a.org/"),
    )
    store.jobs.create(new, max_open=3)
    planning = must_claim(record, job_id, PLAN)
    store.chunks.begin_planning(planning, model=PinnedModel(1, "d1"))
    store.chunks.add(planning, CHUNKS, last=True, window=3)
    first, second = (must_claim(record, job_id, label_step(index)) for index in (0, 1))
    store.chunks.commit(first, 0, labelled=2, failed=0, manifest="s", window=3, genres={"crime": 2})
    store.jobs.end(job_id, State.CANCELLED)
    assembling = must_claim(record, job_id, ASSEMBLE)
    store.chunks.finish(assembling)
    return job_id, [planning, first, second, assembling]


def write_all(record: Record, job_id: str, claims: list[Claim]) -> None:
    """Everything that could be written to a job by a process that does not know that it is gone."""
    store = record.jobs
    for claim in claims:
        for write in (
            lambda c=claim: store.leases.renew(c, lease_s=LEASE),
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
            store.leases.claim(job_id, step, lease_s=LEASE)
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
    assert record.callbacks.claim(job_id, lease_s=1) is None
    assert not record.callbacks.record(job_id, ATTEMPT, retry_in_s=1)
    assert record.callbacks.log(job_id).attempts == ()


@pytest.mark.parametrize("files", ["kept", "deleted"])
def test_nothing_of_a_deleted_job_is_left_or_written_again(record: Record, files: str) -> None:
    job_id, claims = live(record)
    assert record.places(job_id), "the search finds a job that is there"
    record.corrections.put(job_id, 1, "crime")
    if files == "deleted":
        record.jobs.jobs.mark_files_deleted(job_id)
    assert record.callbacks.claim(job_id, lease_s=0) == 1
    assert record.callbacks.record(job_id, ATTEMPT, retry_in_s=0)
    record.jobs.jobs.delete(job_id)
    assert record.places(job_id) == []
    write_all(record, job_id, claims)
    assert record.places(job_id) == []
    assert (record.jobs.jobs.count_open("anna"), record.jobs.stats.read().webhooks_pending) == (
        0,
        0,
    )


def test_nothing_is_written_to_a_job_that_never_was(record: Record) -> None:
    job_id = uuid.uuid4().hex
    claims = [
        Claim(job_id=job_id, step=step, fence=1, attempt=1)
        for step in (PLAN, label_step(0), ASSEMBLE)
    ]
    write_all(record, job_id, claims)
    assert record.places(job_id) == []


def test_nothing_that_a_late_process_does_is_added_to_a_job_that_has_ended(record: Record) -> None:
    job_id, claims = live(record)
    before, places = record.jobs.jobs.get(job_id), sorted(record.places(job_id))
    for claim in claims:
        with pytest.raises(LeaseLost):
            record.jobs.leases.renew(claim, lease_s=LEASE)
        record.jobs.leases.release(claim)
    after = record.jobs.jobs.get(job_id)
    assert (after.state, after.row_counts) == (before.state, before.row_counts)
    assert sorted(record.places(job_id)) == places
    record.jobs.jobs.delete(job_id)
    assert record.places(job_id) == []


def test_a_job_is_finished_once_however_often_its_claim_says_so(record: Record) -> None:
    job_id, claims = live(record)
    assert record.callbacks.claim(job_id, lease_s=60) == 1
    first = record.jobs.jobs.get(job_id)
    again = record.jobs.chunks.finish(claims[-1])
    assert (again.state, again.chunks, again.chunks_done) == (State.CANCELLED, 3, 1)
    assert again.state_times == first.state_times
    assert record.jobs.stats.read().ended_jobs == {State.CANCELLED: 1}
    assert record.callbacks.claim(job_id, lease_s=60) is None, "its callback was scheduled once"


def test_files_are_deleted_once_and_not_of_a_job_that_was_deleted_meanwhile(record: Record) -> None:
    kept, gone = live(record)[0], live(record)[0]
    expired = record.jobs.jobs.past_retention(ended_s_ago=-1, limit=9)
    assert set(expired) == {kept, gone}
    record.jobs.jobs.delete(gone)
    with pytest.raises(JobNotFound):
        record.jobs.jobs.mark_files_deleted(gone)
    with pytest.raises(JobNotFound):
        record.jobs.jobs.get(gone)
    record.jobs.jobs.mark_files_deleted(kept)
    at = record.jobs.jobs.get(kept).files_deleted_at
    record.jobs.jobs.mark_files_deleted(kept)
    assert record.jobs.jobs.get(kept).files_deleted_at == at is not None
