"""Recovery, expiry and cleaning: one faulty job or folder stops none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from jobs.files.storage import Storage, input_path
from jobs.job import Job, State
from jobs.memory.job_repository import MemoryJobRepository
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.memory.step_leases import MemoryStepLeases
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import AbandonedSteps
from jobs.queue.task_queue import CLEAN_TASK, EXPIRE_TASK, FORGET_TASK, PLAN_TASK, RECOVER_TASK
from tests.worker.worker_harness import Desk, catalogue
from worker.celery_app import make_app
from worker.dependencies import Services
from worker.settings import WorkerSettings
from worker.tasks.clean_storage import clean_storage
from worker.tasks.expire_jobs import expire_jobs
from worker.tasks.forget_jobs import forget_jobs
from worker.tasks.recover_jobs import recover_jobs

NO_MODEL = "127.0.0.1:1"


class Faults:
    """The record of one job cannot be read."""

    def __init__(self) -> None:
        self.job_id = ""
        self.error: Exception = KeyError("state")

    def check(self, job_id: str) -> None:
        if job_id == self.job_id:
            raise self.error


class FaultyRepository(MemoryJobRepository):
    def __init__(self, state: MemoryState, faulty: Faults) -> None:
        super().__init__(state)
        self._faults = faulty

    def get(self, job_id: str) -> Job:
        self._faults.check(job_id)
        return super().get(job_id)


class FaultyLeases(MemoryStepLeases):
    def __init__(self, state: MemoryState, faulty: Faults) -> None:
        super().__init__(state)
        self._faults = faulty

    def find_abandoned(
        self, job_id: str, *, idle_s: float, lease_s: float = 60.0
    ) -> AbandonedSteps:
        self._faults.check(job_id)
        return super().find_abandoned(job_id, idle_s=idle_s, lease_s=lease_s)


class OneUndeletableFolder(Storage):
    """One job's folder cannot be deleted, as when it belongs to another account."""

    undeletable = ""

    def delete(self, path: str) -> None:
        if self.undeletable and self.undeletable in path:
            raise PermissionError(13, "Permission denied", path)
        super().delete(path)


@pytest.fixture
def now() -> list[float]:
    return [1_000_000.0]


@pytest.fixture
def faulty() -> Faults:
    return Faults()


@pytest.fixture
def store(now: list[float], faulty: Faults) -> JobStore:
    state = MemoryState(clock=lambda: now[0])
    return replace(
        memory_job_store(state),
        jobs=FaultyRepository(state, faulty),
        leases=FaultyLeases(state, faulty),
    )


@pytest.fixture
def desk(tmp_path: Path, store: JobStore) -> Desk:
    desk = Desk(tmp_path, NO_MODEL, retention_s=60.0, job_deadline_s=3600.0)
    desk.store = store
    desk.storage = OneUndeletableFolder(str(tmp_path))
    desk.services = replace(desk.services, store=store, storage=desk.storage)
    return desk


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_each_is_a_task_of_its_own() -> None:
    app = make_app(WorkerSettings())
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} >= {
        RECOVER_TASK,
        EXPIRE_TASK,
        CLEAN_TASK,
        FORGET_TASK,
    }
    assert {RECOVER_TASK, EXPIRE_TASK, CLEAN_TASK, FORGET_TASK} <= set(app.tasks)


def test_a_job_that_cannot_be_recovered_keeps_no_other_from_it(
    desk: Desk, faulty: Faults, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [desk.submit(catalogue(3)) for _ in range(3)]
    faulty.job_id = jobs[1]
    for _ in range(3):
        desk.messages.sent.clear()
        now[0] += 5
        recover_jobs(desk.services)
        assert {job for _, job, _ in desk.messages.sent} == {jobs[0], jobs[2]}
    (fault,) = faults(caplog)
    assert jobs[1] in fault


def test_a_job_that_cannot_be_expired_keeps_no_other_from_it(
    desk: Desk, faulty: Faults, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [desk.submit(catalogue(3)) for _ in range(3)]
    faulty.job_id = jobs[1]
    now[0] += 3601
    for _ in range(3):
        expire_jobs(desk.services)
    faulty.job_id = ""
    assert [desk.store.jobs.get(job).ending for job in jobs] == [State.EXPIRED, None, State.EXPIRED]
    assert len(faults(caplog)) == 1


@pytest.mark.parametrize("work", [recover_jobs, expire_jobs])
@pytest.mark.parametrize(
    "error", [redis.ConnectionError("away"), redis.ResponseError("MISCONF Errors writing")]
)
def test_without_redis_a_pass_ends_at_once(
    desk: Desk, faulty: Faults, work: Callable[[Services], None], error: Exception
) -> None:
    faulty.job_id = desk.submit(catalogue(3))
    faulty.error = error
    with pytest.raises(redis.RedisError):
        work(desk.services)


def ended(desk: Desk) -> str:
    job_id = desk.submit(catalogue(3))
    desk.store.jobs.end(job_id, State.CANCELLED)
    claim = desk.store.leases.claim(job_id, "assemble", lease_s=1)
    assert claim is not None
    desk.store.chunks.finish(claim)
    return job_id


def test_a_folder_that_cannot_be_deleted_keeps_no_other_from_it_and_is_logged_once(
    desk: Desk, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [ended(desk) for _ in range(3)]
    assert isinstance(desk.storage, OneUndeletableFolder)
    desk.storage.undeletable = jobs[0]
    now[0] += 61
    for _ in range(3):
        clean_storage(desk.services)
    assert [desk.storage.exists(input_path(job)) for job in jobs] == [True, False, False]
    assert [desk.store.jobs.get(job).files_deleted_at is None for job in jobs] == [
        True,
        False,
        False,
    ]
    (fault,) = faults(caplog)
    assert jobs[0] in fault
    desk.storage.undeletable = ""
    clean_storage(desk.services)
    assert not desk.storage.exists(input_path(jobs[0]))


def test_a_lost_upload_that_cannot_be_deleted_keeps_no_other_from_it(desk: Desk) -> None:
    for name in ("stuck", "other"):
        desk.store.uploads.touch(name)
        with desk.storage.publish(input_path(name)) as stream:
            stream.write(b"half a catalogue")
    assert isinstance(desk.storage, OneUndeletableFolder)
    desk.storage.undeletable = "stuck"
    services = replace(
        desk.services,
        settings=desk.services.settings.model_copy(update={"cleanup_interval_s": 4000.0}),
    )
    clean_storage(services)
    assert desk.storage.exists(input_path("stuck"))
    assert not desk.storage.exists(input_path("other"))


def test_recovery_goes_on_while_nothing_can_be_deleted(desk: Desk, now: list[float]) -> None:
    stuck = ended(desk)
    assert isinstance(desk.storage, OneUndeletableFolder)
    desk.storage.undeletable = stuck
    now[0] += 61
    waiting = desk.submit(catalogue(3))
    desk.messages.sent.clear()
    now[0] += 5
    for work in (clean_storage, expire_jobs, recover_jobs):
        work(desk.services)
    assert desk.messages.sent == [(PLAN_TASK, waiting, None)]


def test_cleaning_leaves_the_rest_to_the_next_pass_after_some_seconds(
    desk: Desk, now: list[float]
) -> None:
    jobs = [ended(desk) for _ in range(5)]
    now[0] += 61
    ticks = iter(range(100))
    clean_storage(desk.services, clock=lambda: float(next(ticks)))
    left = [job for job in jobs if desk.storage.exists(input_path(job))]
    assert 0 < len(left) < 5
    for _ in range(3):
        clean_storage(desk.services)
    assert not any(desk.storage.exists(input_path(job)) for job in jobs)


def test_a_job_is_forgotten_when_its_records_retention_is_over(
    desk: Desk, now: list[float]
) -> None:
    desk.services = replace(
        desk.services,
        settings=desk.services.settings.model_copy(update={"record_retention_s": 600.0}),
    )
    old = ended(desk)
    now[0] += 400
    young = ended(desk)
    now[0] += 201
    forget_jobs(desk.services)
    assert {job.id for job in desk.store.jobs.newest(limit=9)} == {old, young}, (
        "their files are still there"
    )
    clean_storage(desk.services)
    forget_jobs(desk.services)
    assert [job.id for job in desk.store.jobs.newest(limit=9)] == [young]
    now[0] += 400
    forget_jobs(desk.services)
    assert not desk.store.jobs.newest(limit=9)


def test_files_that_cannot_be_deleted_keep_none_of_the_others_however_many_there_are(
    desk: Desk, now: list[float], tmp_path: Path
) -> None:
    class NoneOfTheFirst(Storage):
        def delete(self, path: str) -> None:
            if any(job_id in path for job_id in stuck):
                raise PermissionError(13, "Permission denied", path)
            super().delete(path)

    storage = NoneOfTheFirst(str(tmp_path))
    desk.services = replace(desk.services, storage=storage)
    stuck = [ended(desk) for _ in range(150)]
    now[0] += 1
    other = ended(desk)
    now[0] += 61
    clean_storage(desk.services, clock=lambda: 0.0)
    assert desk.store.jobs.get(other).files_deleted_at is not None
    assert all(desk.store.jobs.get(job_id).has_files for job_id in stuck)
