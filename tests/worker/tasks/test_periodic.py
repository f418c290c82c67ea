"""Recovery, expiry, cleaning and forgetting: one faulty job or folder stops none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from jobs.files.storage import Storage, input_path
from jobs.job import Job, State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from jobs.memory.record.step_leases import MemoryStepLeases
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import AbandonedSteps
from jobs.queue.task_queue import CLEAN_TASK, EXPIRE_TASK, FORGET_TASK, PLAN_TASK, RECOVER_TASK
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.celery_app import make_app
from worker.dependencies import Services
from worker.settings import WorkerSettings
from worker.tasks.clean_storage import clean_storage
from worker.tasks.expire_jobs import expire_jobs
from worker.tasks.forget_jobs import forget_jobs
from worker.tasks.recover_jobs import recover_jobs

NO_MODEL = "127.0.0.1:1"


class Faults:
    """Makes the record of one job unreadable."""

    def __init__(self) -> None:
        self.job_id = ""
        self.error: Exception = KeyError("state")

    def check(self, job_id: str) -> None:
        if job_id == self.job_id:
            raise self.error


class FaultyRepository(MemoryJobRepository):
    def __init__(self, state: MemoryState, faults: Faults) -> None:
        super().__init__(state)
        self._faults = faults

    def get(self, job_id: str) -> Job:
        self._faults.check(job_id)
        return super().get(job_id)


class FaultyLeases(MemoryStepLeases):
    def __init__(self, state: MemoryState, faults: Faults) -> None:
        super().__init__(state)
        self._faults = faults

    def find_abandoned(
        self, job_id: str, *, idle_s: float, lease_s: float = 60.0
    ) -> AbandonedSteps:
        self._faults.check(job_id)
        return super().find_abandoned(job_id, idle_s=idle_s, lease_s=lease_s)


class UndeletableFolder(Storage):
    """One job's folder cannot be deleted, as if it belonged to another account."""

    undeletable = ""

    def delete(self, path: str) -> None:
        if self.undeletable and self.undeletable in path:
            raise PermissionError(13, "Permission denied", path)
        super().delete(path)


@pytest.fixture
def now() -> list[float]:
    return [1_000_000.0]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def store(now: list[float], faults: Faults) -> JobStore:
    state = MemoryState(clock=lambda: now[0])
    return replace(
        memory_job_store(state),
        jobs=FaultyRepository(state, faults),
        leases=FaultyLeases(state, faults),
    )


@pytest.fixture
def harness(tmp_path: Path, store: JobStore) -> WorkerHarness:
    harness = WorkerHarness(tmp_path, NO_MODEL, retention_s=60.0, job_deadline_s=3600.0)
    harness.use(store=store, storage=UndeletableFolder(str(tmp_path)))
    return harness


def logged_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_each_periodic_job_is_a_separate_task() -> None:
    app = make_app(WorkerSettings())
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} >= {
        RECOVER_TASK,
        EXPIRE_TASK,
        CLEAN_TASK,
        FORGET_TASK,
    }
    assert {RECOVER_TASK, EXPIRE_TASK, CLEAN_TASK, FORGET_TASK} <= set(app.tasks)


def test_a_job_that_cannot_be_recovered_does_not_stop_the_others(
    harness: WorkerHarness, faults: Faults, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [harness.submit(catalogue(3)) for _ in range(3)]
    faults.job_id = jobs[1]
    for _ in range(3):
        harness.queue.sent.clear()
        now[0] += 5
        recover_jobs(harness.services)
        assert {job for _, job, _ in harness.queue.sent} == {jobs[0], jobs[2]}
    (fault,) = logged_errors(caplog)
    assert jobs[1] in fault


def test_a_job_that_cannot_be_expired_does_not_stop_the_others(
    harness: WorkerHarness, faults: Faults, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [harness.submit(catalogue(3)) for _ in range(3)]
    faults.job_id = jobs[1]
    now[0] += 3601
    for _ in range(3):
        expire_jobs(harness.services)
    faults.job_id = ""
    assert [harness.store.jobs.get(job).ending for job in jobs] == [
        State.EXPIRED,
        None,
        State.EXPIRED,
    ]
    assert len(logged_errors(caplog)) == 1


@pytest.mark.parametrize("work", [recover_jobs, expire_jobs])
@pytest.mark.parametrize(
    "error", [redis.ConnectionError("unreachable"), redis.ResponseError("MISCONF Errors writing")]
)
def test_an_outage_of_redis_ends_the_pass(
    harness: WorkerHarness, faults: Faults, work: Callable[[Services], None], error: Exception
) -> None:
    faults.job_id = harness.submit(catalogue(3))
    faults.error = error
    with pytest.raises(redis.RedisError):
        work(harness.services)


def ended(harness: WorkerHarness) -> str:
    job_id = harness.submit(catalogue(3))
    harness.store.jobs.end(job_id, State.CANCELLED)
    claim = harness.store.leases.claim(job_id, "assemble", lease_s=1)
    assert claim is not None
    harness.store.chunks.finish(claim)
    return job_id


def test_a_folder_that_cannot_be_deleted_does_not_stop_the_others_and_is_logged_once(
    harness: WorkerHarness, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [ended(harness) for _ in range(3)]
    assert isinstance(harness.storage, UndeletableFolder)
    harness.storage.undeletable = jobs[0]
    now[0] += 61
    for _ in range(3):
        clean_storage(harness.services)
    assert [harness.storage.exists(input_path(job)) for job in jobs] == [True, False, False]
    assert [harness.store.jobs.get(job).files_deleted_at is None for job in jobs] == [
        True,
        False,
        False,
    ]
    (fault,) = logged_errors(caplog)
    assert jobs[0] in fault
    harness.storage.undeletable = ""
    clean_storage(harness.services)
    assert not harness.storage.exists(input_path(jobs[0]))


def test_a_lost_upload_that_cannot_be_deleted_does_not_stop_the_others(
    harness: WorkerHarness,
) -> None:
    for name in ("stuck", "other"):
        harness.store.uploads.touch(name)
        with harness.storage.publish(input_path(name)) as stream:
            stream.write(b"half a catalogue")
    assert isinstance(harness.storage, UndeletableFolder)
    harness.storage.undeletable = "stuck"
    services = replace(
        harness.services,
        settings=harness.services.settings.model_copy(update={"cleanup_interval_s": 4000.0}),
    )
    clean_storage(services)
    assert harness.storage.exists(input_path("stuck"))
    assert not harness.storage.exists(input_path("other"))


def test_jobs_are_recovered_while_files_cannot_be_deleted(
    harness: WorkerHarness, now: list[float]
) -> None:
    stuck = ended(harness)
    assert isinstance(harness.storage, UndeletableFolder)
    harness.storage.undeletable = stuck
    now[0] += 61
    waiting = harness.submit(catalogue(3))
    harness.queue.sent.clear()
    now[0] += 5
    for work in (clean_storage, expire_jobs, recover_jobs):
        work(harness.services)
    assert harness.queue.sent == [(PLAN_TASK, waiting, None)]


def test_cleaning_is_bounded_in_time_and_continues_in_the_next_pass(
    harness: WorkerHarness, now: list[float]
) -> None:
    jobs = [ended(harness) for _ in range(5)]
    now[0] += 61
    ticks = iter(range(100))
    clean_storage(harness.services, clock=lambda: float(next(ticks)))
    left = [job for job in jobs if harness.storage.exists(input_path(job))]
    assert 0 < len(left) < 5
    for _ in range(3):
        clean_storage(harness.services)
    assert not any(harness.storage.exists(input_path(job)) for job in jobs)


def test_a_job_is_forgotten_at_the_end_of_its_record_retention(
    harness: WorkerHarness, now: list[float]
) -> None:
    harness.services = replace(
        harness.services,
        settings=harness.services.settings.model_copy(update={"record_retention_s": 600.0}),
    )
    old = ended(harness)
    now[0] += 400
    young = ended(harness)
    now[0] += 201
    forget_jobs(harness.services)
    assert {job.id for job in harness.store.jobs.newest(limit=9)} == {old, young}, (
        "their files are not deleted yet"
    )
    clean_storage(harness.services)
    forget_jobs(harness.services)
    assert [job.id for job in harness.store.jobs.newest(limit=9)] == [young]
    now[0] += 400
    forget_jobs(harness.services)
    assert not harness.store.jobs.newest(limit=9)


def test_many_folders_that_cannot_be_deleted_do_not_stop_the_others(
    harness: WorkerHarness, now: list[float], tmp_path: Path
) -> None:
    class UndeletableFolders(Storage):
        def delete(self, path: str) -> None:
            if any(job_id in path for job_id in stuck):
                raise PermissionError(13, "Permission denied", path)
            super().delete(path)

    harness.use(storage=UndeletableFolders(str(tmp_path)))
    stuck = [ended(harness) for _ in range(150)]
    now[0] += 1
    other = ended(harness)
    now[0] += 61
    clean_storage(harness.services, clock=lambda: 0.0)
    assert harness.store.jobs.get(other).files_deleted_at is not None
    assert all(harness.store.jobs.get(job_id).has_files for job_id in stuck)
