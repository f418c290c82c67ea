"""An assembler that was stopped for longer than its lease publishes nothing."""

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
from jobs.memory.state import MemoryState
from jobs.memory.step_leases import MemoryStepLeases
from jobs.ports.step_leases import Claim
from tests.worker.worker_harness import Desk, catalogue
from worker.tasks.assemble import assemble_job


class StoppedLeases(MemoryStepLeases):
    """No thread renews a lease: the process that would is stopped."""

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        if threading.current_thread().name != "lease-heartbeat":
            super().renew(claim, lease_s=lease_s)


class StallingStorage(Storage):
    """Sends a file when all of it is there, as an object store's client does, and calls `stall` once before that."""

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
) -> tuple[Desk, StallingStorage, list[float]]:
    folder = str(tmp_path) if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    desk, now = Desk(tmp_path, tiny_model_target, lease_s=6.0), [1_000_000.0]
    state = MemoryState(clock=lambda: now[0])
    store = replace(memory_job_store(state), leases=StoppedLeases(state))
    storage = StallingStorage(folder)
    desk.store, desk.storage = store, storage
    desk.services = replace(desk.services, store=store, storage=storage)
    return desk, storage, now


def finalizing(desk: Desk) -> str:
    job_id = desk.submit(catalogue(10))
    desk.work(until=lambda: desk.store.jobs.get(job_id).state is State.FINALIZING)
    return job_id


def test_nothing_is_left_of_a_job_that_was_finished_and_deleted_meanwhile(
    stalling: tuple[Desk, StallingStorage, list[float]],
) -> None:
    desk, storage, now = stalling
    job_id = finalizing(desk)

    def finished_and_deleted() -> None:
        now[0] += 7
        assemble_job(desk.services, job_id)
        assert desk.store.jobs.get(job_id).state is State.COMPLETED
        storage.delete(job_folder(job_id))
        desk.store.jobs.delete(job_id)

    storage.stall = finished_and_deleted
    assemble_job(desk.services, job_id)
    assert storage.stall is None
    assert storage.names(job_folder(job_id)) == []


def test_the_result_of_its_heir_stays_as_it_is(
    stalling: tuple[Desk, StallingStorage, list[float]],
) -> None:
    desk, storage, now = stalling
    job_id = finalizing(desk)

    def finished() -> None:
        now[0] += 7
        assemble_job(desk.services, job_id)
        with storage.publish(result_path(job_id)) as stream:
            stream.write(b"the heir's")

    storage.stall = finished
    assemble_job(desk.services, job_id)
    assert storage.read_range(result_path(job_id), 0, 100) == b"the heir's"
    assert sorted(storage.names(job_folder(job_id))) == ["errors.csv", "input", "result.csv"]
