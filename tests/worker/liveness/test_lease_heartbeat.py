"""A lease is renewed while its work runs, and the work learns when it is lost. The store's clock is the test's."""

from __future__ import annotations

import threading
import uuid

import pytest
import redis

from jobs.errors import LeaseLost
from jobs.job import NewJob, State
from jobs.memory.job_repository import MemoryJobRepository
from jobs.memory.state import MemoryState
from jobs.memory.step_leases import MemoryStepLeases
from jobs.ports.job_repository import JobRepository
from jobs.ports.step_leases import PLAN, Claim
from tests.waiting import eventually
from worker.liveness.lease_heartbeat import LeaseHeartbeat

LEASE_S = 6.0
OFTEN_S = 0.001


class CountingLeases(MemoryStepLeases):
    """Counts renewals; may be away."""

    renewals = 0
    away = False

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        if not self.away:
            super().renew(claim, lease_s=lease_s)
        self.renewals += 1
        if self.away:
            raise redis.ConnectionError("away")


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
    job = jobs.create(NewJob(id=uuid.uuid4().hex, filename="c", input_bytes=1, layout={}))
    claim = leases.claim(job.id, PLAN, lease_s=LEASE_S)
    assert claim is not None
    return claim


def pulse_of(leases: CountingLeases, claim: Claim, now: list[float]) -> LeaseHeartbeat:
    return LeaseHeartbeat(
        leases, claim, lease_s=LEASE_S, renewal_interval_s=OFTEN_S, clock=lambda: now[0]
    )


def renewed(leases: CountingLeases) -> None:
    """Return after a renewal that began after this call did."""
    before = leases.renewals
    eventually(lambda: leases.renewals >= before + 2, every_s=OFTEN_S)


def lost(pulse: LeaseHeartbeat) -> Exception:
    def error() -> Exception | None:
        try:
            pulse.check()
        except Exception as error:
            return error
        return None

    found = eventually(error, every_s=OFTEN_S)
    assert found is not None
    return found


def test_the_lease_outlives_its_term_while_the_work_runs(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with pulse_of(leases, claim, now) as pulse:
        for _ in range(5):
            now[0] += LEASE_S - 1
            renewed(leases)
            pulse.check()
            assert leases.claim(claim.job_id, PLAN, lease_s=LEASE_S) is None
    now[0] += LEASE_S + 1
    assert leases.claim(claim.job_id, PLAN, lease_s=LEASE_S) is not None


def test_a_cancelled_job_stops_the_work(
    jobs: JobRepository, leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with pulse_of(leases, claim, now) as pulse:
        pulse.check()
        jobs.end(claim.job_id, State.CANCELLED)
        assert isinstance(lost(pulse), LeaseLost)


def test_a_store_that_is_away_for_less_than_the_lease_is_not_noticed(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with pulse_of(leases, claim, now) as pulse:
        renewed(leases)
        leases.away = True
        now[0] += LEASE_S - 1
        renewed(leases)
        pulse.check()
        leases.away = False
        renewed(leases)
        now[0] += LEASE_S - 1
        renewed(leases)
        pulse.check()


def test_a_store_that_is_away_for_longer_than_the_lease_is_told_from_a_lost_step(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    with pulse_of(leases, claim, now) as pulse:
        renewed(leases)
        leases.away = True
        now[0] += LEASE_S + 1
        assert isinstance(lost(pulse), redis.ConnectionError)


def test_what_cannot_be_taken_back_is_preceded_by_a_question_to_the_store(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    pulse = LeaseHeartbeat(
        leases, claim, lease_s=LEASE_S
    )  # its thread does not run, as in a stopped process
    pulse.confirm()
    now[0] += LEASE_S + 1
    assert leases.claim(claim.job_id, PLAN, lease_s=LEASE_S) is not None
    pulse.check()  # nothing has told it yet
    with pytest.raises(LeaseLost):
        pulse.confirm()


def test_the_thread_ends_with_the_block(
    leases: CountingLeases, claim: Claim, now: list[float]
) -> None:
    before = threading.active_count()
    with pulse_of(leases, claim, now):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
