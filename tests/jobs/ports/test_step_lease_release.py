"""A claim that is given back counts for no attempt, once, even when its lease ran out meanwhile."""

from __future__ import annotations

import uuid

import pytest

from cli.local_stack.data.redis_server import RedisServer
from jobs.job import NewJob, State
from jobs.memory.job_store import memory_job_store
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE, PLAN, Claim
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.small_schema import SCHEMA


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> JobStore:
    if request.param == "memory":
        return memory_job_store()
    return redis_job_store(redis_client(request.getfixturevalue("redis_url")))


@pytest.fixture
def job_id(store: JobStore) -> str:
    return store.jobs.create(
        NewJob(id=uuid.uuid4().hex, filename="c", input_bytes=1, schema=SCHEMA)
    ).id


def claimed(store: JobStore, job_id: str, *, lease_s: float = 30) -> Claim:
    claim = store.leases.claim(job_id, PLAN, lease_s=lease_s)
    assert claim is not None
    return claim


def claimed_after(store: JobStore, job_id: str, earlier: Claim) -> Claim:
    """A claim that takes the step from one whose lease ran out."""
    assert earlier.step == PLAN
    while (claim := store.leases.claim(job_id, PLAN, lease_s=30)) is None:
        pass
    return claim


def test_a_claim_that_is_given_back_is_not_counted(store: JobStore, job_id: str) -> None:
    for _ in range(3):
        claim = claimed(store, job_id)
        assert claim.attempt == 1
        store.leases.release(claim)


def test_giving_back_twice_uncounts_once(store: JobStore, job_id: str) -> None:
    store.leases.release(claimed(store, job_id, lease_s=0.001))
    lost = claimed(store, job_id, lease_s=0.001)
    second = claimed_after(store, job_id, lost)
    assert second.attempt == 2
    for _ in range(3):  # replies to the first ones were lost
        store.leases.release(second)
    assert claimed(store, job_id).attempt == 2


def test_a_claim_whose_lease_ran_out_is_uncounted_and_its_heir_keeps_the_step(
    store: JobStore, job_id: str
) -> None:
    lost = claimed(store, job_id, lease_s=0.001)
    heir = claimed_after(store, job_id, lost)
    for _ in range(2):
        store.leases.release(lost)
    store.leases.renew(heir, lease_s=30)
    assert store.leases.claim(job_id, PLAN, lease_s=30) is None
    store.leases.release(heir)
    assert claimed(store, job_id).attempt == 1


def test_giving_back_a_step_of_a_job_that_ended_or_is_gone_leaves_nothing(
    store: JobStore, job_id: str, redis_server: RedisServer
) -> None:
    claim = claimed(store, job_id)
    store.jobs.end(job_id, State.CANCELLED)
    last = store.leases.claim(job_id, ASSEMBLE, lease_s=30)
    assert last is not None
    store.chunks.finish(last)
    store.leases.release(claim)
    store.jobs.delete(job_id)
    store.leases.release(claim)
    assert store.jobs.newest(limit=1) == []
    with redis_server.client() as client:
        assert client.keys(f"*{job_id}*") == []
