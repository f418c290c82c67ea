"""A look at a job may be a moment old, but nobody sees a job go back, and no end is held back for long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.jobs.scoped_store import ScopedJobStore
from api.jobs.snapshot_cache import SnapshotCache
from jobs.errors import JobNotFound
from jobs.job import Job, NewJob, PinnedModel, State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import PLAN
from tests.api.callers import somebody
from tests.small_schema import SCHEMA

BEGAN = 1_000_000.0


class Clocks:
    """The record's clock and this process's, which go together."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> float:
        return self.now


class CountingRepository(MemoryJobRepository):
    """With a tally of the jobs that were read."""

    reads = 0

    def get(self, job_id: str) -> Job:
        self.reads += 1
        return super().get(job_id)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def memory(clocks: Clocks) -> MemoryState:
    return MemoryState(clock=clocks)


@pytest.fixture
def repository(memory: MemoryState) -> CountingRepository:
    return CountingRepository(memory)


@pytest.fixture
def store(memory: MemoryState, repository: CountingRepository) -> JobStore:
    store = replace(memory_job_store(memory), jobs=repository)
    store.uploads.touch("job")
    store.jobs.create(NewJob(id="job", filename="a.csv", input_bytes=1, schema=SCHEMA, owner="ann"))
    repository.reads = 0
    return store


@pytest.fixture
def jobs(store: JobStore, clocks: Clocks) -> ScopedJobStore:
    return ScopedJobStore(store, lambda: somebody("ann"), SnapshotCache(clocks))


def test_who_asks_again_within_a_fifth_of_a_second_is_told_the_same(
    jobs: ScopedJobStore, repository: CountingRepository, clocks: Clocks
) -> None:
    clocks.now += 60
    looks = []
    for _ in range(10):
        looks.append(jobs.get_cached("job"))
        clocks.now += 0.019
    assert repository.reads == 1
    assert len(set(map(id, looks))) == 1
    clocks.now += 0.02
    assert jobs.get_cached("job").read_at > looks[0].read_at


def test_of_a_young_job_only_a_twentieth_of_its_age_may_be_missed(
    jobs: ScopedJobStore, repository: CountingRepository, clocks: Clocks
) -> None:
    clocks.now += 1
    jobs.get_cached("job")
    clocks.now += 0.049
    jobs.get_cached("job")
    assert repository.reads == 1
    clocks.now += 0.002
    jobs.get_cached("job")
    assert repository.reads == 2


def test_what_is_not_a_mere_look_asks_the_record(
    jobs: ScopedJobStore, repository: CountingRepository, clocks: Clocks
) -> None:
    clocks.now += 60
    jobs.get_cached("job")
    jobs.get("job")
    assert repository.reads == 2


def test_whoever_cancels_sees_it_at_once(jobs: ScopedJobStore, clocks: Clocks) -> None:
    clocks.now += 60
    assert jobs.get_cached("job").state is State.QUEUED
    jobs.end("job", State.CANCELLED)
    assert jobs.get_cached("job").state is State.CANCELLING


def test_what_one_request_has_seen_later_ones_see(
    jobs: ScopedJobStore, store: JobStore, clocks: Clocks
) -> None:
    clocks.now += 60
    jobs.get_cached("job")
    claim = store.leases.claim("job", PLAN, lease_s=60)
    assert claim is not None
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    clocks.now += 0.01
    assert jobs.newest(limit=1)[0].state is State.VALIDATING
    assert jobs.get_cached("job").state is State.VALIDATING


def test_a_thread_that_read_earlier_does_not_bring_the_past_back(
    store: JobStore, clocks: Clocks
) -> None:
    clocks.now += 60
    recent = SnapshotCache(clocks)
    requested_at = recent.now()
    earlier = store.jobs.get("job")
    clocks.now += 0.01
    later = recent.put(store.jobs.get("job"), requested_at=recent.now())
    recent.put(earlier, requested_at=requested_at)
    assert recent.get("job") is later


def test_an_end_is_not_remembered_since_files_may_go(store: JobStore, clocks: Clocks) -> None:
    clocks.now += 60
    recent = SnapshotCache(clocks)
    requested_at = recent.now()
    job = recent.put(store.jobs.get("job"), requested_at=requested_at)
    recent.put(replace(job, state=State.COMPLETED), requested_at=requested_at)
    assert recent.get("job") is None
    # Read before the end, by another thread that comes late.
    recent.put(job, requested_at=requested_at)
    assert recent.get("job") is None


@pytest.mark.parametrize("state", [State.COMPLETED, State.CANCELLING])
def test_a_clock_that_is_put_back_hides_nothing(
    store: JobStore, clocks: Clocks, state: State
) -> None:
    clocks.now += 60
    recent = SnapshotCache(clocks)
    job = recent.put(store.jobs.get("job"), requested_at=recent.now())
    clocks.now += 0.01
    changed = replace(job, state=state, read_at=job.read_at - 30)
    recent.put(changed, requested_at=recent.now())
    assert recent.get("job") is (None if changed.is_terminal else changed)


def test_a_look_at_somebody_elses_job_finds_none(
    repository: CountingRepository, jobs: ScopedJobStore, clocks: Clocks
) -> None:
    clocks.now += 60
    jobs.get_cached("job")
    with pytest.raises(JobNotFound):
        jobs.for_caller(somebody("bob")).get_cached("job")
    assert jobs.for_caller(somebody("root", is_admin=True)).get_cached("job").id == "job"
    assert repository.reads == 1
