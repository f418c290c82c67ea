"""A worker's services with an in-memory record and queue and a real model server."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catalogue.labelled.labels import NO_OPTIONAL_COLUMNS, OptionalColumns
from catalogue.parsing.schema import inspect_head
from jobs.files.storage import Storage, input_path, result_path
from jobs.job import Failure, Job, NewJob
from jobs.memory.job_store import memory_job_store
from jobs.memory.label_requests import MemoryLabelRequests
from jobs.memory.record.state import MemoryState
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.options import JobOptions
from jobs.ports.job_store import JobStore
from jobs.ports.label_requests import LabelRequest, LabelResponse
from jobs.ports.prediction_cache import NullPredictionCache, PredictionCache
from jobs.queue.task_queue import LABEL_TASK, PLAN_TASK, RecordingTaskQueue
from tests.waiting import WITHIN_S
from worker.dependencies import Services
from worker.model.client import ModelClient
from worker.model.registry import ModelRegistry
from worker.settings import WorkerSettings
from worker.tasks.assemble import assemble_job
from worker.tasks.label import label_chunk
from worker.tasks.label_request import process_label_request
from worker.tasks.plan import plan_job


class WorkerHarness:
    """Submits jobs and executes their tasks in the order of the queue.

    `settings` override those of the worker; chunks have three rows by default. The record's clock
    stands still at `now` until a test advances it.
    """

    def __init__(self, folder: Path, target: str, **settings: object) -> None:
        chosen = {
            "chunk_rows": 3,
            "max_queued_chunks_per_job": 2,
            "lease_s": 1.0,
            "model_retry_budget_s": 0.3,
        } | settings
        values = WorkerSettings.model_validate(chosen)
        self.now = 1_000_000.0  # Unix seconds
        self.store = memory_job_store(MemoryState(clock=lambda: self.now))
        self.queue = RecordingTaskQueue()
        self.storage = Storage(str(folder))
        model = ModelClient(
            target, "genre", deadline_s=WITHIN_S, retry_for_s=values.model_retry_budget_s
        )
        self.label_requests = MemoryLabelRequests()
        self.services = Services(
            store=self.store,
            storage=self.storage,
            task_queue=self.queue,
            label_requests=self.label_requests,
            webhooks=MemoryWebhookStore(),
            models=ModelRegistry(model),
            prediction_cache=NullPredictionCache(),
            settings=values,
        )

    def use(
        self,
        *,
        store: JobStore | None = None,
        storage: Storage | None = None,
        cache: PredictionCache | None = None,
    ) -> None:
        """Replace some of the adapters."""
        self.store = store or self.store
        self.storage = storage or self.storage
        self.services = replace(
            self.services,
            store=self.store,
            storage=self.storage,
            prediction_cache=cache or self.services.prediction_cache,
        )

    def submit(
        self,
        content: bytes,
        error_threshold: float | None = None,
        *,
        columns: OptionalColumns = NO_OPTIONAL_COLUMNS,
        review_threshold: float | None = None,
        owner: str | None = None,
    ) -> str:
        """Create a job and enqueue its planning. Returns its id."""
        job_id = uuid.uuid4().hex
        with self.storage.publish(input_path(job_id)) as stream:
            stream.write(content)
        self.store.jobs.create(
            NewJob(
                id=job_id,
                filename="c.csv",
                input_bytes=len(content),
                schema=inspect_head(content, complete=True),
                options=JobOptions(
                    error_threshold=error_threshold,
                    review_threshold=review_threshold,
                    alternatives=columns.alternatives,
                    evidence=columns.evidence,
                ),
                owner=owner,
            )
        )
        self.queue.plan(job_id)
        return job_id

    def work(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Execute tasks until the queue is empty or `until` is true."""
        while self.queue.sent and not until():
            self.work_once()

    def has_planned(self, job_id: str) -> bool:
        """Whether the next message labels a chunk of this job."""
        return bool(self.queue.sent) and self.queue.sent[0][:2] == (LABEL_TASK, job_id)

    def work_once(self) -> None:
        """Execute the next task."""
        task, job_id, index = self.queue.sent.pop(0)
        if task == PLAN_TASK:
            plan_job(self.services, job_id)
        elif task == LABEL_TASK:
            assert index is not None
            label_chunk(self.services, job_id, index)
        else:
            assemble_job(self.services, job_id)

    def run(
        self,
        content: bytes,
        columns: OptionalColumns = NO_OPTIONAL_COLUMNS,
        *,
        owner: str | None = None,
    ) -> Job:
        """Submit a job and execute all tasks. Returns the job as it is then."""
        job_id = self.submit(content, columns=columns, owner=owner)
        self.work()
        return self.store.jobs.get(job_id)

    def result(self, job_id: str) -> list[list[str]]:
        """The rows of the result, header first."""
        text = self.storage.read_range(result_path(job_id), 0, 1 << 30).decode()
        return list(csv.reader(io.StringIO(text, newline="")))

    def label_now(
        self, *summaries: str, evidence: bool = False, owner: str | None = None
    ) -> LabelResponse | Failure | None:
        """The response to a label request without titles."""
        request = LabelRequest(
            summaries=summaries, titles=("",) * len(summaries), owner=owner, evidence=evidence
        )
        request_id = self.label_requests.submit(request, ttl_s=60)
        process_label_request(self.services, request_id)
        return self.label_requests.wait(request_id, timeout_s=0.01)


def catalogue(rows: int) -> bytes:
    """A catalogue of this many rows with ids from 0."""
    lines = [f"{n},a murder and a detective number{'x' * (n % 7)}" for n in range(rows)]
    return "\n".join(["id,summary", *lines, ""]).encode()
