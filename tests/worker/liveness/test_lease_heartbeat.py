"""The heartbeat renews a lease and reports a lost one; the clock is injected."""

from __future__ import annotations

import threading
import uuid

import pytest
import redis

from jobs.errors import LeaseLost
from jobs.job import NewJob, State
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from jobs.memory.record.step_leases import MemoryStepLeases
from jobs.ports.record.job_repository import JobRepository
from jobs.ports.record.step_leases import PLAN, Claim
from tests.small_schema import SCHEMA
from tests.waiting import eventually
from worker.liveness.lease_heartbeat import LeaseHeartbeat

LEASE_S = 6.0
INTERVAL_S = 0.001


class CountingLeases(MemoryStepLeases):
    """Counts renewals; can be unreachable."""

    renewals = 0
    unreachable = False

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        if not self.unreachable:
            super().renew(claim, lease_s=lease_s)
        self.renewals += 1
        if self.unreachable:
            raise redis.ConnectionError("unreachable")


@pytest.fixture
def now() -> list[float]:
    return [1_000_000.0]


@pytest.fixture
def state(now: list[float]) -> MemoryState:
    return MemoryState(clock=lambda: now[0])


@pytest.fixture
def leases(state: MemoryState) -> CountingLeases:
    return CountingLeases(state)


@pytest.fixture
def jobs(state: MemoryState) -> JobRepository:
    return MemoryJobRepository(state)


@pytest.fixture
def claim(jobs: JobRepository, leases: CountingLeases) -> Claim:
    job = jobs.create(NewJob(id=uuid.uuid4().hex, filename="c", input_bytes=1, schema=SCHEMA))
    claim = leases.claim(job.id, PLAN, lease_s=LEASE_S)
    assert claim is not None
    return claim


def heartbeat_for(leases: CountingLeases, claim: Claim, now: list[float]) -> LeaseHeartbeat:
    return LeaseHeartbeat(
        leases, claim, lease_s=LEASE_S, renewal_interval_s=INTERVAL_S, clock=lambda: now[0]
    )


def wait_for_renewal(leases: CountingLeases) -> None:
    """Return after a renewal that began after this call."""
    before = leases.renewals
    eventually(lambda: leases.renewals >= before + 2, every_s=INTERVAL_S)


def wait_until_lost(heartbeat: LeaseHeartbeat) -> Exception:
    """The error that `check` raises from then on."""

    def error() -> Exception | None:
        try:
            heartbeat.check()
        except Exception as error:
            return error
        return None

    raised = eventually(error, every_s=INTERVAL_S)
    assert raised is not None
    return raised


def test_the_lease_is_renewed_while_the_step_is_executed(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with heartbeat_for(leases, claim, now) as heartbeat:
        for _ in range(5):
            now[0] += LEASE_S - 1
            wait_for_renewal(leases)
            heartbeat.check()
            assert leases.claim(claim.job_id, PLAN, lease_s=LEASE_S) is None
    now[0] += LEASE_S + 1
    assert leases.claim(claim.job_id, PLAN, lease_s=LEASE_S) is not None


def test_cancelling_the_job_revokes_the_lease(
    jobs: JobRepository, leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with heartbeat_for(leases, claim, now) as heartbeat:
        heartbeat.check()
        jobs.end(claim.job_id, State.CANCELLED)
        assert isinstance(wait_until_lost(heartbeat), LeaseLost)


def test_an_outage_shorter_than_the_lease_is_tolerated(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with heartbeat_for(leases, claim, now) as heartbeat:
        wait_for_renewal(leases)
        leases.unreachable = True
        now[0] += LEASE_S - 1
        wait_for_renewal(leases)
        heartbeat.check()
        leases.unreachable = False
        wait_for_renewal(leases)
        now[0] += LEASE_S - 1
        wait_for_renewal(leases)
        heartbeat.check()


def test_an_outage_longer_than_the_lease_raises_the_connection_error(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with heartbeat_for(leases, claim, now) as heartbeat:
        wait_for_renewal(leases)
        leases.unreachable = True
        now[0] += LEASE_S + 1
        assert isinstance(wait_until_lost(heartbeat), redis.ConnectionError)


def test_confirm_asks_the_store_and_finds_a_lost_lease(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    # Its thread is not started, as in a stopped process.
    heartbeat = LeaseHeartbeat(leases, claim, lease_s=LEASE_S)
    heartbeat.confirm()
    now[0] += LEASE_S + 1
    assert leases.claim(claim.job_id, PLAN, lease_s=LEASE_S) is not None
    heartbeat.check()  # reads the last renewal only
    with pytest.raises(LeaseLost):
        heartbeat.confirm()


def test_the_thread_ends_with_the_block(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    before = threading.active_count()
    with heartbeat_for(leases, claim, now):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
