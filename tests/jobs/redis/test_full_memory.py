"""A Redis whose memory is full still permits reads, and deletions that free memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from jobs.errors import JobNotFound
from jobs.job import State
from jobs.ports.job_store import JobStore
from jobs.redis.api_keys import RedisApiKeyStore
from jobs.redis.connection import redis_client
from jobs.redis.corrections import RedisCorrectionStore
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from tests.jobs.steps import cancel, create
from tests.small_schema import SCHEMA


@pytest.fixture
def store(redis_url: str) -> Iterator[JobStore]:
    yield redis_job_store(redis_client(redis_url))
    redis.Redis.from_url(redis_url).config_set("maxmemory", 0)


def ended_job(store: JobStore) -> str:
    """The id of a cancelled job."""
    job_id = create(store, "anna")
    cancel(store, job_id)
    return job_id


def test_a_full_redis_permits_reads_and_deletions(store: JobStore, redis_url: str) -> None:
    deleted, without_files = ended_job(store), ended_job(store)
    redis.Redis.from_url(redis_url).config_set("maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="used memory"):
        ended_job(store)
    assert store.jobs.get(deleted).state is State.CANCELLED
    assert store.jobs.schema(deleted) == SCHEMA
    assert len(store.jobs.newest(limit=9)) == 2
    assert len(store.jobs.past_retention(ended_s_ago=0, limit=9)) == 2
    assert store.stats.read().ended_jobs == {State.CANCELLED: 2}
    assert store.jobs.count_open("anna") == 0
    assert store.chunks.all(deleted) == []
    assert store.chunks.manifests(deleted) == {}
    assert store.chunks.latest_output(deleted) is None
    assert store.workers.active(within_s=60) == []
    assert RedisWebhookStore(redis_client(redis_url)).log(deleted).attempts == ()
    assert RedisCorrectionStore(redis_client(redis_url)).summary(deleted).count == 0
    assert RedisApiKeyStore(redis_client(redis_url)).all() == []
    store.jobs.delete(deleted)
    with pytest.raises(JobNotFound):
        store.jobs.get(deleted)
    store.jobs.mark_files_deleted(without_files)
    assert list(store.jobs.without_files(ended_s_ago=0, limit=9)) == [without_files]
    store.jobs.delete(without_files)
    assert not store.jobs.newest(limit=9)
