"""Enqueues the steps that follow a step: the next chunks, or assembly."""

from __future__ import annotations

import structlog

from jobs.job import Failure, State
from jobs.ports.record.chunk_ledger import Commit
from worker.dependencies import Services

log = structlog.get_logger(__name__)

INPUT_MISSING = Failure(
    code="INPUT_MISSING",
    message="The uploaded file is no longer in the storage; upload the catalogue again.",
)


def dispatch(services: Services, job_id: str, commit: Commit) -> None:
    """Enqueue the steps that a commit has made due. `recover_jobs` enqueues lost messages again."""
    for index in commit.dispatch_chunks:
        services.task_queue.label(job_id, index)
    if commit.last:
        services.task_queue.assemble(job_id)


def fail_job(services: Services, job_id: str, failure: Failure) -> None:
    """End the job as failed and enqueue its assembly, which keeps the rows that were labelled."""
    log.error("job_failed", code=failure.code, reason=failure.message)
    services.store.jobs.end(job_id, State.FAILED, failure)
    services.task_queue.assemble(job_id)
