"""Periodic task `expire_jobs`: end jobs past their deadline; committed rows are kept."""

from __future__ import annotations

from datetime import timedelta

import structlog

from jobs.errors import JobNotFound
from jobs.job import Failure, State
from jobs.logs.log_once import LogOnce
from jobs.outage import is_outage
from worker.dependencies import Services

log = structlog.get_logger(__name__)
_faults = LogOnce(log)


def expire_jobs(services: Services) -> None:
    """Check every job that has not ended.

    A job that cannot be expired is logged and skipped. Raises only during an outage of Redis.
    """
    for job_id in services.store.jobs.active_ids():
        services.progress.touch()
        try:
            _expire(services, job_id)
        except JobNotFound:  # deleted since the list was read
            continue
        except Exception as error:
            if is_outage(error):
                raise
            _faults.error(job_id, "job_expiry_failed", job_id=job_id, exc_info=True)


def _expire(services: Services, job_id: str) -> None:
    job = services.store.jobs.get(job_id)
    limit = services.settings.job_deadline_s
    if job.ending is None and job.read_at - job.state_times[State.QUEUED] > limit:
        log.warning("job_expired", job_id=job_id)
        message = (
            f"The job took longer than {timedelta(seconds=limit)}. Its result contains "
            "the rows labelled until then; upload the rest again, or raise "
            "SPINELABEL_JOB_DEADLINE_S."
        )
        services.store.jobs.end(
            job_id, State.EXPIRED, Failure(code="DEADLINE_EXCEEDED", message=message)
        )
        services.task_queue.assemble(job_id)
