"""The health check of a worker container, with a real worker, Redis and model server.

Tests of containers are in tests/compose.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.health.worker import worker_problem
from jobs.job import State
from jobs.queue.task_queue import QUEUES
from tests.waiting import WITHIN_S, eventually
from tests.worker.scripted_model import ScriptedModel, ScriptedServer, scripted_server
from tests.worker.worker_harness import catalogue
from tests.worker.worker_process import WorkerProcess, running_worker

# Reports are three seconds apart, and a wait for messages takes one.
PROGRESS_WITHIN_S = 12.0
STUCK = "neither waited for messages nor worked"


class Worker(WorkerProcess):
    """A worker with one pool process, and its health."""

    def problem(self) -> str | None:
        return worker_problem(
            self.url, progress_within_s=PROGRESS_WITHIN_S, reported_within_s=PROGRESS_WITHIN_S
        )

    def wait_until_healthy(self) -> None:
        eventually(lambda: self.problem() is None, what=self.problem)

    def wait_until_unhealthy(self, reason: str) -> None:
        eventually(lambda: reason in (self.problem() or ""), every_s=0.2, what=self.problem)

    def wait_for_progress(self, action: Callable[[], object] = lambda: None) -> None:
        """Call `action` and wait for progress after it."""
        # The age is imprecise by the time to Redis, so only a clear difference counts.
        eventually(lambda: self.progress_age_s() > 1)
        called_at = time.monotonic()
        action()
        eventually(lambda: self.progress_age_s() < time.monotonic() - called_at + 0.5)

    def progress_age_s(self) -> float:
        """Seconds since the latest reported progress."""
        (report,) = self.store.workers.active(within_s=WITHIN_S)
        assert report.seconds_since_progress is not None
        return report.seconds_since_progress


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        server.models[1] = ScriptedModel(labels=("crime", "travel"))
        yield server


@pytest.fixture
def worker(redis_url: str, tmp_path: Path, server: ScriptedServer) -> Iterator[Worker]:
    # The check is to detect a worker that stops consuming, not the watchdog.
    settings = {"SPINELABEL_CONSUMER_TIMEOUT_S": "1000"}
    with running_worker(redis_url, tmp_path, server.target, **settings) as process:
        worker = Worker(process.process, redis_url, process.storage, process.store)
        worker.wait_until_healthy()
        yield worker


def test_an_idle_worker_is_healthy_until_its_main_process_is_suspended(worker: Worker) -> None:
    for _ in range(2):
        worker.wait_for_progress()
    worker.process.suspend()
    worker.wait_until_unhealthy(STUCK)
    worker.process.resume()
    worker.wait_until_healthy()


def test_a_worker_with_a_suspended_pool_is_unhealthy(worker: Worker) -> None:
    for child in worker.process.children():
        child.suspend()
    worker.wait_until_unhealthy("pool has not reported")
    for child in worker.process.children():
        child.resume()
    worker.wait_until_healthy()


def test_a_worker_without_a_consumer_is_unhealthy(worker: Worker) -> None:
    for queue in QUEUES:
        replies = worker.app.control.broadcast(
            "cancel_consumer", arguments={"queue": queue}, reply=True, timeout=WITHIN_S, limit=1
        )
        assert replies
    worker.wait_until_unhealthy(STUCK)


def test_a_long_chunk_is_healthy_until_it_is_stuck(worker: Worker, server: ScriptedServer) -> None:
    calls, resume = threading.Semaphore(0), threading.Semaphore(0)

    def block() -> None:
        calls.release()
        assert resume.acquire(timeout=WITHIN_S)

    server.after_prediction = block
    job_id = worker.submit(catalogue(6))
    # The whole pool is busy, so only its steps are progress.
    for _ in range(3):
        assert calls.acquire(timeout=WITHIN_S)
        worker.wait_for_progress(action=resume.release)
    worker.wait_until_unhealthy(STUCK)
    resume.release(1000)
    worker.wait_until_healthy()
    eventually(lambda: worker.store.jobs.get(job_id).state is State.COMPLETED)
