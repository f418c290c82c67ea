"""A Redis whose memory is full can be read, and jobs can be deleted there, which is what makes room."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import redis

from jobs.errors import JobNotFound
from jobs.job import NewJob, State
from jobs.ports.job_store import ASSEMBLE
from jobs.redis.api_keys import RedisApiKeyStore
from jobs.redis.corrections import RedisCorrectionStore
from jobs.redis.job_store import RedisJobStore
from jobs.redis.webhooks import RedisWebhookStore


@pytest.fixture
def store(redis_url: str) -> Iterator[RedisJobStore]:
    yield RedisJobStore(redis_url)
    redis.Redis.from_url(redis_url).config_set("maxmemory", 0)


def ended(store: RedisJobStore) -> str:
    new = NewJob(id=uuid.uuid4().hex, filename="c", input_bytes=1, layout={"a": 1}, owner="anna")
    store.create(new)
    store.end(new.id, State.CANCELLED)
    claim = store.claim(new.id, ASSEMBLE, lease_s=30)
    assert claim is not None
    store.finish(claim)
    return new.id


def test_what_reads_and_what_makes_room_works(store: RedisJobStore, redis_url: str) -> None:
    deleted, emptied = ended(store), ended(store)
    redis.Redis.from_url(redis_url).config_set("maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="used memory"):
        ended(store)
    assert store.get(deleted).state is State.CANCELLED
    assert store.layout(deleted) == {"a": 1}
    assert len(store.newest(limit=9)) == 2
    assert len(store.jobs_past_retention(ended_s_ago=0, limit=9)) == 2
    assert store.stats().ended_jobs == {State.CANCELLED: 2}
    assert store.open_jobs("anna") == 0
    assert store.planned_chunks(deleted) == []
    assert store.committed_chunks(deleted) == {}
    assert store.latest_chunk_output(deleted) is None
    assert store.workers(within_s=60) == []
    assert RedisWebhookStore(redis_url).log(deleted).attempts == ()
    assert RedisCorrectionStore(redis_url).stand(deleted).count == 0
    assert RedisApiKeyStore(redis_url).all() == []
    store.delete(deleted)
    with pytest.raises(JobNotFound):
        store.get(deleted)
    store.files_deleted(emptied)
    assert list(store.without_files(ended_s_ago=0, limit=9)) == [emptied]
    store.delete(emptied)
    assert not store.newest(limit=9)
