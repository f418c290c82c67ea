"""The contract of `StepLeases`."""

from __future__ import annotations

import pytest

from cli.local_stack.data.redis_server import RedisServer
from jobs.errors import LeaseLost
from jobs.job import State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.state import MemoryState
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, AbandonedSteps, label_step
from tests.jobs.conftest import PassTime
from tests.jobs.steps import LEASE_S, cancel, commit, create, finish, must_claim, plan


def test_a_claimed_step_cannot_be_claimed_again(store: JobStore, job_id: str) -> None:
    must_claim(store, job_id, PLAN)
    assert store.leases.claim(job_id, PLAN, lease_s=LEASE_S) is None


def test_an_expired_claim_is_refused_after_the_step_was_claimed_again(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5)
    expired = must_claim(store, job_id, label_step(0), lease_s=10)
    pass_time(20)
    current = must_claim(store, job_id, label_step(0))
    assert current.fence > expired.fence
    assert (expired.attempt, current.attempt) == (1, 2)
    with pytest.raises(LeaseLost):
        store.leases.renew(expired, lease_s=LEASE_S)
    with pytest.raises(LeaseLost):
        store.chunks.commit(expired, 0, labelled=5, failed=0, manifest="s", window=2)
    assert store.chunks.commit(current, 0, labelled=5, failed=0, manifest="s", window=2).last


def test_renewing_extends_the_lease(pass_time: PassTime, store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5)
    claim = must_claim(store, job_id, label_step(0), lease_s=10)
    store.leases.renew(claim, lease_s=LEASE_S)
    pass_time(20)
    assert store.leases.claim(job_id, label_step(0), lease_s=LEASE_S) is None


def test_a_chunk_that_is_not_recorded_cannot_be_claimed(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5)
    assert store.leases.claim(job_id, label_step(7), lease_s=LEASE_S) is None
    with pytest.raises(KeyError):
        store.chunks.get(job_id, 7)


def test_releasing_frees_the_step_without_counting_the_attempt(
    store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5)
    first = must_claim(store, job_id, label_step(0))
    store.leases.release(first)
    again = must_claim(store, job_id, label_step(0))
    assert again.attempt == 1
    store.leases.release(first)  # an old claim: no effect
    assert store.leases.claim(job_id, label_step(0), lease_s=LEASE_S) is None


def test_cancelling_revokes_claims_and_keeps_committed_chunks(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5, 5)
    commit(store, job_id, 0, 5)
    running = must_claim(store, job_id, label_step(1))
    assert store.jobs.end(job_id, State.CANCELLED).state is State.CANCELLING
    with pytest.raises(LeaseLost):
        store.leases.renew(running, lease_s=LEASE_S)
    with pytest.raises(LeaseLost):
        store.chunks.commit(running, 1, labelled=5, failed=0, manifest="s", window=2)
    assert store.chunks.manifests(job_id).keys() == {0}
    ended = finish(store, job_id)
    assert ended.state is State.CANCELLED
    assert (ended.row_counts.labelled, ended.row_counts.pending) == (5, 5)
    assert store.jobs.end(job_id, State.CANCELLED).state is State.CANCELLED  # idempotent


def test_assembly_cannot_be_claimed_while_chunks_are_missing(store: JobStore, job_id: str) -> None:
    plan(store, job_id, 5)
    assert store.leases.claim(job_id, ASSEMBLE, lease_s=LEASE_S) is None


def test_find_abandoned_returns_the_idle_steps_without_a_claim(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=60) == AbandonedSteps()
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(plan=True)
    # It counts as enqueued by the first call.
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps()
    plan(store, job_id, 5, 5, 5)
    claim = must_claim(store, job_id, label_step(0))
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(chunks=(1,))
    store.chunks.commit(claim, 0, labelled=5, failed=0, manifest="s", window=2)
    commit(store, job_id, 1, 5)
    commit(store, job_id, 2, 5)
    pass_time(5)
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(assemble=True)
    finish(store, job_id)
    pass_time(5)
    assert not store.leases.find_abandoned(job_id, idle_s=0)


def test_a_step_with_an_expired_lease_is_abandoned_once(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    plan(store, job_id, 5, 5)
    must_claim(store, job_id, label_step(0), lease_s=10)
    must_claim(store, job_id, label_step(1))
    pass_time(20)
    assert store.leases.find_abandoned(job_id, idle_s=60) == AbandonedSteps(chunks=(0,))
    assert store.leases.find_abandoned(job_id, idle_s=60) == AbandonedSteps()
    assert must_claim(store, job_id, label_step(0)).attempt == 2


@pytest.mark.parametrize("lease_s", [30, 3600])
def test_a_lease_longer_than_the_maximum_counts_as_expired(
    store: JobStore, job_id: str, lease_s: float
) -> None:
    # A lease can end that late only if the clock was put back after the claim.
    plan(store, job_id, 5)
    must_claim(store, job_id, label_step(0), lease_s=lease_s)
    assert store.leases.find_abandoned(job_id, idle_s=60, lease_s=6) == AbandonedSteps(chunks=(0,))
    must_claim(store, job_id, label_step(0), lease_s=lease_s)
    assert must_claim(store, job_id, label_step(0), lease_s=6).attempt == 3
    assert store.leases.find_abandoned(job_id, idle_s=60, lease_s=6) == AbandonedSteps()


def test_a_step_enqueued_before_the_clock_was_put_back_is_abandoned() -> None:
    now = [7200.0]
    store = memory_job_store(MemoryState(clock=lambda: now[0]))
    job_id = create(store)
    assert not store.leases.find_abandoned(job_id, idle_s=4)
    now[0] = 3600.0
    assert store.leases.find_abandoned(job_id, idle_s=4) == AbandonedSteps(plan=True)
    assert not store.leases.find_abandoned(job_id, idle_s=4)


def test_a_released_claim_does_not_count_as_an_attempt(store: JobStore, job_id: str) -> None:
    for _ in range(3):
        claim = must_claim(store, job_id, PLAN)
        assert claim.attempt == 1
        store.leases.release(claim)


def test_releasing_a_claim_again_has_no_effect(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    store.leases.release(must_claim(store, job_id, PLAN))
    must_claim(store, job_id, PLAN, lease_s=10)
    pass_time(20)
    second = must_claim(store, job_id, PLAN)
    assert second.attempt == 2
    for _ in range(3):  # as if replies had been lost
        store.leases.release(second)
    assert must_claim(store, job_id, PLAN).attempt == 2


def test_releasing_an_expired_claim_keeps_the_lease_of_its_successor(
    pass_time: PassTime, store: JobStore, job_id: str
) -> None:
    expired = must_claim(store, job_id, PLAN, lease_s=10)
    pass_time(20)
    current = must_claim(store, job_id, PLAN)
    for _ in range(2):
        store.leases.release(expired)
    store.leases.renew(current, lease_s=LEASE_S)
    assert store.leases.claim(job_id, PLAN, lease_s=LEASE_S) is None
    store.leases.release(current)
    assert must_claim(store, job_id, PLAN).attempt == 1


def test_releasing_a_claim_of_an_ended_or_deleted_job_leaves_no_data(
    store: JobStore, job_id: str, redis_server: RedisServer
) -> None:
    claim = must_claim(store, job_id, PLAN)
    cancel(store, job_id)
    store.leases.release(claim)
    store.jobs.delete(job_id)
    store.leases.release(claim)
    assert store.jobs.newest(limit=1) == []
    with redis_server.client() as client:
        assert client.keys(f"*{job_id}*") == []
