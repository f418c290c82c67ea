"""A worker's services over a real model server, store and messages in memory, and hands that carry messages out."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from pathlib import Path

from catalogue.labelled.labels import NO_OPTIONAL_COLUMNS, OptionalColumns
from catalogue.parsing.schema import inspect_head
from jobs.files.storage import Storage, input_path, result_path
from jobs.job import Job, NewJob
from jobs.memory.job_store import memory_job_store
from jobs.memory.label_requests import MemoryLabelRequests
from jobs.options import JobOptions
from jobs.ports.prediction_cache import NullPredictionCache
from jobs.queue.task_queue import LABEL_TASK, PLAN_TASK, RecordingTaskQueue
from tests.waiting import WITHIN_S
from worker.dependencies import Services
from worker.model.client import ModelClient
from worker.model.registry import ModelRegistry
from worker.settings import WorkerSettings
from worker.tasks.assemble import assemble_job
from worker.tasks.label import label_chunk
from worker.tasks.plan import plan_job


class Desk:
    """A worker's services, and hands that carry out messages in the order in which they were sent."""

    def __init__(self, folder: Path, target: str, **settings: object) -> None:
        chosen = {
            "chunk_rows": 3,
            "max_queued_chunks_per_job": 2,
            "lease_s": 1.0,
            "model_retry_budget_s": 0.3,
        } | settings
        values = WorkerSettings.model_validate(chosen)
        self.store = memory_job_store()
        self.messages = RecordingTaskQueue()
        self.deaths: dict[int, int] = {}
        self.storage = Storage(str(folder))
        model = ModelClient(
            target, "genre", deadline_s=WITHIN_S, retry_for_s=values.model_retry_budget_s
        )
        self.questions = MemoryLabelRequests()
        self.services = Services(
            self.store,
            self.storage,
            self.messages,
            self.questions,
            ModelRegistry(model),
            NullPredictionCache(),
            values,
        )

    def submit(
        self,
        content: bytes,
        error_threshold: float | None = None,
        *,
        extras: OptionalColumns = NO_OPTIONAL_COLUMNS,
        review_threshold: float | None = None,
        owner: str | None = None,
    ) -> str:
        job_id = uuid.uuid4().hex
        with self.storage.publish(input_path(job_id)) as stream:
            stream.write(content)
        self.store.jobs.create(
            NewJob(
                id=job_id,
                filename="c.csv",
                input_bytes=len(content),
                layout=inspect_head(content, complete=True).to_dict(),
                options=JobOptions(
                    error_threshold=error_threshold,
                    review_threshold=review_threshold,
                    alternatives=extras.alternatives,
                    evidence=extras.evidence,
                ),
                owner=owner,
            )
        )
        self.messages.plan(job_id)
        return job_id

    def work(self, *, until: Callable[[], bool] = lambda: False) -> None:
        while self.messages.sent and not until():
            self.work_once()

    def has_planned(self, job_id: str) -> bool:
        """Whether the next message labels a chunk of this job."""
        return bool(self.messages.sent) and self.messages.sent[0][:2] == (LABEL_TASK, job_id)

    def work_once(self) -> None:
        task, job_id, index = self.messages.sent.pop(0)
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
        extras: OptionalColumns = NO_OPTIONAL_COLUMNS,
        *,
        owner: str | None = None,
    ) -> Job:
        job_id = self.submit(content, extras=extras, owner=owner)
        self.work()
        return self.store.jobs.get(job_id)

    def result(self, job_id: str) -> list[list[str]]:
        text = self.storage.read_range(result_path(job_id), 0, 1 << 30).decode()
        return list(csv.reader(io.StringIO(text, newline="")))


def catalogue(rows: int) -> bytes:
    lines = [f"{n},a murder and a detective number{'x' * (n % 7)}" for n in range(rows)]
    return "\n".join(["id,summary", *lines, ""]).encode()
