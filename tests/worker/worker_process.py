"""A real worker process with one pool process, on a real Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from celery import Celery

from catalogue.parsing.schema import inspect_head
from jobs.files.storage import Storage, input_path
from jobs.job import NewJob
from jobs.ports.job_store import JobStore
from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import CONTROL_QUEUE, RECOVER_TASK, CeleryTaskQueue
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.stack import ROOT
from tests.waiting import WITHIN_S


@dataclass(frozen=True)
class WorkerProcess:
    """The process, and what it works on."""

    process: psutil.Process
    url: str
    storage: Storage
    store: JobStore

    @property
    def app(self) -> Celery:
        """An app that sends to the worker."""
        return make_celery(self.url.replace("unix://", "redis+socket://"))

    def submit(self, content: bytes) -> str:
        """Create a job and enqueue its planning. Returns its id."""
        job_id = uuid.uuid4().hex
        with self.storage.publish(input_path(job_id)) as stream:
            stream.write(content)
        schema = inspect_head(content, complete=True)
        self.store.jobs.create(
            NewJob(id=job_id, filename="c.csv", input_bytes=len(content), schema=schema)
        )
        CeleryTaskQueue(self.app).plan(job_id)
        return job_id

    def recover(self) -> None:
        """Enqueue a pass of recovery, as beat does."""
        self.app.send_task(RECOVER_TASK, queue=CONTROL_QUEUE)


@contextmanager
def running_worker(url: str, folder: Path, target: str, **settings: str) -> Iterator[WorkerProcess]:
    """Start a worker, which requests one prediction at a time. It finishes its tasks at the end."""
    environment = {
        "SPINELABEL_REDIS_URL": url,
        "SPINELABEL_STORAGE_URL": str(folder),
        "SPINELABEL_MODEL_TARGET": target,
        "SPINELABEL_CONCURRENCY": "1",
        "SPINELABEL_BATCH_ROWS": "1",
        "SPINELABEL_MAX_REQUESTS_IN_FLIGHT": "1",
        **settings,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "worker"], cwd=ROOT, env=os.environ | environment
    )
    process = psutil.Process(child.pid)
    try:
        yield WorkerProcess(process, url, Storage(str(folder)), redis_job_store(redis_client(url)))
    finally:
        for suspended in (process, *process.children()):
            with suppress(psutil.NoSuchProcess):
                suspended.resume()
        child.send_signal(signal.SIGTERM)
        child.wait(WITHIN_S)
