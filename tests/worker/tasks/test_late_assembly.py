"""An assembly that was suspended for longer than its lease publishes nothing."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from jobs.files.storage import Storage, job_folder, result_path
from jobs.job import State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.state import MemoryState
from jobs.memory.record.step_leases import MemoryStepLeases
from jobs.ports.record.step_leases import Claim
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.tasks.assemble import assemble_job


class SuspendedLeases(MemoryStepLeases):
    """The heartbeat renews no lease, as in a suspended process."""

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        if threading.current_thread().name != "lease-heartbeat":
            super().renew(claim, lease_s=lease_s)


class StallingStorage(Storage):
    """Uploads a file when it is complete, like an object store; calls `stall` once before."""

    stall: Callable[[], None] | None = None

    @contextmanager
    def publish(
        self, path: str, *, confirm: Callable[[], None] = lambda: None
    ) -> Iterator[BinaryIO]:
        written = io.BytesIO()
        yield written
        if self.stall is not None and path.endswith("result.csv"):
            stall, self.stall = self.stall, None
            stall()
        with super().publish(path, confirm=confirm) as stream:
            stream.write(written.getvalue())


@pytest.fixture(params=["folder", "objects"])
def stalling(
    request: pytest.FixtureRequest, tmp_path: Path, tiny_model_target: str
) -> tuple[WorkerHarness, StallingStorage, list[float]]:
    folder = str(tmp_path) if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    harness, now = WorkerHarness(tmp_path, tiny_model_target, lease_s=6.0), [1_000_000.0]
    state = MemoryState(clock=lambda: now[0])
    store = replace(memory_job_store(state), leases=SuspendedLeases(state))
    storage = StallingStorage(folder)
    harness.use(store=store, storage=storage)
    return harness, storage, now


def finalizing(harness: WorkerHarness) -> str:
    """The id of a job whose assembly is queued."""
    job_id = harness.submit(catalogue(10))
    harness.work(until=lambda: harness.store.jobs.get(job_id).state is State.FINALIZING)
    return job_id


def test_a_late_assembly_leaves_no_files_of_a_deleted_job(
    stalling: tuple[WorkerHarness, StallingStorage, list[float]],
) -> None:
    harness, storage, now = stalling
    job_id = finalizing(harness)

    def finish_and_delete() -> None:
        now[0] += 7
        assemble_job(harness.services, job_id)
        assert harness.store.jobs.get(job_id).state is State.COMPLETED
        storage.delete(job_folder(job_id))
        harness.store.jobs.delete(job_id)

    storage.stall = finish_and_delete
    assemble_job(harness.services, job_id)
    assert storage.stall is None
    assert storage.names(job_folder(job_id)) == []


def test_a_late_assembly_does_not_replace_the_result_of_its_successor(
    stalling: tuple[WorkerHarness, StallingStorage, list[float]],
) -> None:
    harness, storage, now = stalling
    job_id = finalizing(harness)

    def finish() -> None:
        now[0] += 7
        assemble_job(harness.services, job_id)
        with storage.publish(result_path(job_id)) as stream:
            stream.write(b"the successor's")

    storage.stall = finish
    assemble_job(harness.services, job_id)
    assert storage.read_range(result_path(job_id), 0, 100) == b"the successor's"
    assert sorted(storage.names(job_folder(job_id))) == ["errors.csv", "input", "result.csv"]
