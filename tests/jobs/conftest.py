"""Both adapters of the job record, with a clock that tests advance."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from jobs.memory.job_store import memory_job_store
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from jobs.ports.job_store import JobStore
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.jobs.steps import create

PassTime = Callable[[float], None]


class Clock:
    """Unix seconds that tests advance."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, clock: Clock) -> JobStore:
    if request.param == "memory":
        return memory_job_store(MemoryState(clock=clock))
    return redis_job_store(redis_client(request.getfixturevalue("redis_url")))


@pytest.fixture
def job_id(store: JobStore) -> str:
    """A queued job."""
    return create(store)


@pytest.fixture
def pass_time(store: JobStore, clock: Clock, request: pytest.FixtureRequest) -> PassTime:
    """Advance the clock of the store; in Redis, which has its own clock, move all times back."""
    if isinstance(store.jobs, MemoryJobRepository):

        def advance(seconds: float) -> None:
            clock.now += seconds

        return advance
    client = redis.Redis.from_url(
        request.getfixturevalue("redis_url"), decode_responses=True, encoding_errors="replace"
    )
    return lambda seconds: _move_times_back(client, round(seconds * 1000))


def _move_times_back(client: Any, ms: int) -> None:
    for key in client.scan_iter("spinelabel:*"):
        kind = client.type(key)
        # Uploads have a duration, not a time.
        if kind == "zset" and not key.endswith(":uploads"):
            for member in client.zrange(key, 0, -1):
                client.zincrby(key, -ms, member)
        elif key.endswith(":workers"):
            for name, report in client.hgetall(key).items():
                reported_ms, _, model = report.partition(" ")
                client.hset(key, name, f"{int(reported_ms) - ms} {model}")
        elif key.endswith(":workers:progress"):
            for name in client.hkeys(key):
                client.hincrby(key, name, -ms)
        elif kind == "hash":
            for field in client.hkeys(key):
                if field.startswith("at:") or field in ("last_progress", "files_deleted"):
                    client.hincrby(key, field, -ms)
        left_ms = client.pttl(key)
        if left_ms > ms:
            client.pexpire(key, left_ms - ms)
        elif left_ms >= 0:
            client.delete(key)
