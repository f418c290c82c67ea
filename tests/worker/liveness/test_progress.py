"""The progress mark is shared with forked processes and set by units of work."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import LeaseLost
from jobs.job import NewJob, State
from jobs.memory.job_store import memory_job_store
from jobs.ports.record.step_leases import PLAN
from jobs.queue.task_queue import QUEUES
from jobs.queue.weighted_cycle import QueueTurns
from tests.small_schema import SCHEMA
from tests.worker.scripted_model import ScriptedModel, scripted_server
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.liveness.lease_heartbeat import LeaseHeartbeat
from worker.liveness.progress import ProgressMark


class Clock:
    """Seconds that tests advance."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_of_a_forked_process_is_visible_to_its_parent() -> None:
    clock = Clock()
    mark = ProgressMark(clock=clock)
    clock.now = 150.0
    assert mark.age_s() == 50
    if (pid := os.fork()) == 0:
        clock.now = 140.0
        mark.touch()
        os._exit(0)
    os.waitpid(pid, 0)
    assert mark.age_s() == 10


def test_waiting_is_progress_only_with_a_consumer() -> None:
    waits: list[int] = []
    turns = QueueTurns(list(QUEUES), on_wait=lambda: waits.append(1))
    turns.consume(len(QUEUES))
    assert len(waits) == 1
    turns.update([])  # all consumers were cancelled
    turns.consume(0)
    assert len(waits) == 1


def test_a_check_of_the_lease_is_progress_and_a_renewal_is_not() -> None:
    steps: list[int] = []
    store = memory_job_store()
    job = store.jobs.create(NewJob(id="j", filename="c", input_bytes=1, schema=SCHEMA))
    claim = store.leases.claim(job.id, PLAN, lease_s=30)
    assert claim is not None
    with LeaseHeartbeat(
        store.leases, claim, lease_s=30, on_step=lambda: steps.append(1)
    ) as heartbeat:
        heartbeat.check()
        assert len(steps) == 1
        store.jobs.end(job.id, State.CANCELLED)
        with pytest.raises(LeaseLost):
            heartbeat.confirm()


def test_each_call_of_the_model_is_progress(tmp_path: Path) -> None:
    with scripted_server() as server:
        server.models[1] = ScriptedModel(labels=("crime", "travel"))
        harness = WorkerHarness(tmp_path, server.target, chunk_rows=50, batch_rows=1)
        job_id = harness.submit(catalogue(40))
        harness.work(until=lambda: harness.has_planned(job_id))
        steps = 0

        def count() -> float:
            nonlocal steps
            steps += 1
            return 0.0

        harness.services = replace(harness.services, progress=ProgressMark(clock=count))
        before = server.calls["serving_default"]
        harness.work_once()
        calls = server.calls["serving_default"] - before
    assert calls > 1
    assert steps > calls
