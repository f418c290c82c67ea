from __future__ import annotations

import threading
import time
import uuid

import pytest

from jobs.errors import LeaseLost
from jobs.job import NewJob, State
from jobs.memory_store import MemoryJobStore
from jobs.store import PLAN, Claim
from worker.pulse import Pulse


@pytest.fixture
def store() -> MemoryJobStore:
    return MemoryJobStore()


@pytest.fixture
def claim(store: MemoryJobStore) -> Claim:
    job = store.create(NewJob(id=uuid.uuid4().hex, filename="c", input_bytes=1, layout={}))
    claim = store.claim(job.id, PLAN, lease_s=0.3)
    assert claim is not None
    return claim


def test_the_lease_outlives_its_term_while_the_work_runs(
    store: MemoryJobStore, claim: Claim
) -> None:
    with Pulse(store, claim, lease_s=0.3) as pulse:
        time.sleep(0.6)
        pulse.check()
        assert store.claim(claim.job_id, PLAN, lease_s=1) is None


def test_a_cancelled_job_stops_the_work(store: MemoryJobStore, claim: Claim) -> None:
    with Pulse(store, claim, lease_s=0.3) as pulse:
        pulse.check()
        store.end(claim.job_id, State.CANCELLED)
        time.sleep(0.4)
        with pytest.raises(LeaseLost):
            pulse.check()


def test_the_thread_ends_with_the_block(store: MemoryJobStore, claim: Claim) -> None:
    before = threading.active_count()
    with Pulse(store, claim, lease_s=60):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
