"""The container's health check of a worker, against a real worker process, Redis and model server.

Containers themselves are in tests/compose.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from catalogue.parsing.schema import inspect_head
from deploy.health.worker import worker_problem
from jobs.files.storage import Storage, input_path
from jobs.job import NewJob, State
from jobs.ports.job_store import JobStore
from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import QUEUES, CeleryTaskQueue
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.stack import ROOT
from tests.waiting import WITHIN_S, eventually
from tests.worker.scripted_model import ScriptedModel, ScriptedServer, scripted_server
from tests.worker.worker_harness import catalogue

# Reports are three seconds apart, and a wait for messages takes one.
PROGRESS_WITHIN_S = 12.0
STUCK = "neither waited for messages nor worked"


@dataclass(frozen=True)
class Worker:
    """A worker with one pool process."""

    process: psutil.Process
    url: str
    storage: Storage
    store: JobStore

    def problem(self) -> str | None:
        return worker_problem(
            self.url, progress_within_s=PROGRESS_WITHIN_S, reported_within_s=PROGRESS_WITHIN_S
        )

    def turns_green(self) -> None:
        eventually(lambda: self.problem() is None, what=self.problem)

    def turns_red(self, because: str) -> None:
        eventually(lambda: because in (self.problem() or ""), every_s=0.2, what=self.problem)

    def makes_progress(self, once: Callable[[], object] = lambda: None) -> None:
        """Wait until there is progress that is newer than this call, in which `once` is called."""
        # A mark gets a little younger on its way to Redis, so only a clear difference counts.
        eventually(lambda: self.progress_age_s() > 1)
        called_at = time.monotonic()
        once()
        eventually(lambda: self.progress_age_s() < time.monotonic() - called_at + 0.5)

    def progress_age_s(self) -> float:
        """Seconds since the latest progress that was reported."""
        (report,) = self.store.workers.active(within_s=WITHIN_S)
        assert report.seconds_since_progress is not None
        return report.seconds_since_progress

    def submit(self, rows: int) -> str:
        content, job_id = catalogue(rows), uuid.uuid4().hex
        with self.storage.publish(input_path(job_id)) as stream:
            stream.write(content)
        schema = inspect_head(content, complete=True)
        self.store.jobs.create(
            NewJob(id=job_id, filename="c.csv", input_bytes=len(content), schema=schema)
        )
        self.queue.plan(job_id)
        return job_id

    @property
    def queue(self) -> CeleryTaskQueue:
        return CeleryTaskQueue(make_celery(self.url.replace("unix://", "redis+socket://")))


@contextmanager
def running_worker(url: str, folder: Path, target: str) -> Iterator[Worker]:
    settings = {
        "SPINELABEL_REDIS_URL": url,
        "SPINELABEL_STORAGE_URL": str(folder),
        "SPINELABEL_MODEL_TARGET": target,
        "SPINELABEL_CONCURRENCY": "1",
        "SPINELABEL_BATCH_ROWS": "1",
        "SPINELABEL_MAX_REQUESTS_IN_FLIGHT": "1",
        # A worker that stops consuming is to be found by the check, not by the watchdog.
        "SPINELABEL_CONSUMER_TIMEOUT_S": "1000",
    }
    child = subprocess.Popen([sys.executable, "-m", "worker"], cwd=ROOT, env=os.environ | settings)
    process = psutil.Process(child.pid)
    worker = Worker(process, url, Storage(str(folder)), redis_job_store(redis_client(url)))
    try:
        worker.turns_green()
        yield worker
    finally:
        for stopped in (process, *process.children()):
            with suppress(psutil.NoSuchProcess):
                stopped.resume()
        child.send_signal(signal.SIGTERM)
        child.wait(WITHIN_S)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as script:
        script.models[1] = ScriptedModel(labels=("crime", "travel"))
        yield script


@pytest.fixture
def worker(redis_url: str, tmp_path: Path, server: ScriptedServer) -> Iterator[Worker]:
    with running_worker(redis_url, tmp_path, server.target) as running:
        yield running


def test_a_worker_that_waits_makes_progress_until_its_main_process_stops(worker: Worker) -> None:
    for _ in range(2):
        worker.makes_progress()
    worker.process.suspend()
    worker.turns_red(STUCK)
    worker.process.resume()
    worker.turns_green()


def test_a_worker_whose_pool_is_stopped_turns_red_although_it_waits(worker: Worker) -> None:
    for child in worker.process.children():
        child.suspend()
    worker.turns_red("pool has not reported")
    for child in worker.process.children():
        child.resume()
    worker.turns_green()


def test_a_worker_whose_consumer_takes_no_messages_turns_red(worker: Worker) -> None:
    for queue in QUEUES:
        replies = worker.queue.app.control.broadcast(
            "cancel_consumer", arguments={"queue": queue}, reply=True, timeout=WITHIN_S, limit=1
        )
        assert replies
    worker.turns_red(STUCK)


def test_a_long_chunk_is_progress_until_its_work_is_stuck(
    worker: Worker, server: ScriptedServer
) -> None:
    calls, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def held() -> None:
        calls.release()
        assert go_on.acquire(timeout=WITHIN_S)

    server.after_prediction = held
    job_id = worker.submit(rows=6)
    # The whole pool is at work, so only its steps are progress.
    for _ in range(3):
        assert calls.acquire(timeout=WITHIN_S)
        worker.makes_progress(once=go_on.release)
    worker.turns_red(STUCK)
    go_on.release(1000)
    worker.turns_green()
    eventually(lambda: worker.store.jobs.get(job_id).state is State.COMPLETED)
