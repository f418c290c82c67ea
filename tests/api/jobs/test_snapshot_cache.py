"""Cached snapshots: a little old at most, never older than an earlier one, never terminal."""

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
from tests.api.callers import make_caller
from tests.small_schema import SCHEMA

START = 1_000_000.0


class Clock:
    """The clock of the store and of the cache."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class CountingRepository(MemoryJobRepository):
    """Counts reads of jobs."""

    reads = 0

    def get(self, job_id: str) -> Job:
        self.reads += 1
        return super().get(job_id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> MemoryState:
    return MemoryState(clock=clock)


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
def jobs(store: JobStore, clock: Clock) -> ScopedJobStore:
    return ScopedJobStore(store, lambda: make_caller("ann"), SnapshotCache(clock))


def test_a_snapshot_is_reused_for_a_fifth_of_a_second(
    jobs: ScopedJobStore, repository: CountingRepository, clock: Clock
) -> None:
    clock.now += 60
    snapshots = []
    for _ in range(10):
        snapshots.append(jobs.get_cached("job"))
        clock.now += 0.019
    assert repository.reads == 1
    assert len(set(map(id, snapshots))) == 1
    clock.now += 0.02
    assert jobs.get_cached("job").read_at > snapshots[0].read_at


def test_a_snapshot_of_a_young_job_is_reused_for_a_twentieth_of_its_age(
    jobs: ScopedJobStore, repository: CountingRepository, clock: Clock
) -> None:
    clock.now += 1
    jobs.get_cached("job")
    clock.now += 0.049
    jobs.get_cached("job")
    assert repository.reads == 1
    clock.now += 0.002
    jobs.get_cached("job")
    assert repository.reads == 2


def test_an_uncached_read_reads_the_store(
    jobs: ScopedJobStore, repository: CountingRepository, clock: Clock
) -> None:
    clock.now += 60
    jobs.get_cached("job")
    jobs.get("job")
    assert repository.reads == 2


def test_a_cancellation_is_visible_at_once(jobs: ScopedJobStore, clock: Clock) -> None:
    clock.now += 60
    assert jobs.get_cached("job").state is State.QUEUED
    jobs.end("job", State.CANCELLED)
    assert jobs.get_cached("job").state is State.CANCELLING


def test_a_newer_state_in_a_list_updates_the_cache(
    jobs: ScopedJobStore, store: JobStore, clock: Clock
) -> None:
    clock.now += 60
    jobs.get_cached("job")
    claim = store.leases.claim("job", PLAN, lease_s=60)
    assert claim is not None
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    clock.now += 0.01
    assert jobs.newest(limit=1)[0].state is State.VALIDATING
    assert jobs.get_cached("job").state is State.VALIDATING


def test_an_older_snapshot_does_not_replace_a_newer_one(store: JobStore, clock: Clock) -> None:
    clock.now += 60
    cache = SnapshotCache(clock)
    requested_at = cache.now()
    earlier = store.jobs.get("job")
    clock.now += 0.01
    later = cache.put(store.jobs.get("job"), requested_at=cache.now())
    cache.put(earlier, requested_at=requested_at)
    assert cache.get("job") is later


def test_terminal_states_are_not_cached_because_files_expire(store: JobStore, clock: Clock) -> None:
    clock.now += 60
    cache = SnapshotCache(clock)
    requested_at = cache.now()
    job = cache.put(store.jobs.get("job"), requested_at=requested_at)
    cache.put(replace(job, state=State.COMPLETED), requested_at=requested_at)
    assert cache.get("job") is None
    # A snapshot from before the end, stored late by another thread.
    cache.put(job, requested_at=requested_at)
    assert cache.get("job") is None


@pytest.mark.parametrize("state", [State.COMPLETED, State.CANCELLING])
def test_a_store_clock_that_is_set_back_hides_no_change(
    store: JobStore, clock: Clock, state: State
) -> None:
    clock.now += 60
    cache = SnapshotCache(clock)
    job = cache.put(store.jobs.get("job"), requested_at=cache.now())
    clock.now += 0.01
    changed = replace(job, state=state, read_at=job.read_at - 30)
    cache.put(changed, requested_at=cache.now())
    assert cache.get("job") is (None if changed.is_terminal else changed)


def test_a_cached_snapshot_is_hidden_from_other_owners(
    repository: CountingRepository, jobs: ScopedJobStore, clock: Clock
) -> None:
    clock.now += 60
    jobs.get_cached("job")
    with pytest.raises(JobNotFound):
        jobs.for_caller(make_caller("bob")).get_cached("job")
    assert jobs.for_caller(make_caller("root", is_admin=True)).get_cached("job").id == "job"
    assert repository.reads == 1
