"""Periodic task `forget_jobs`: delete job records past their retention, after their files."""

from __future__ import annotations

import structlog

from jobs.errors import JobNotFound
from worker.dependencies import Services

log = structlog.get_logger(__name__)

# The next passes delete the rest.
_MAX_PER_PASS = 500


def forget_jobs(services: Services) -> None:
    """Delete the records of a bounded number of jobs. Raises `redis.RedisError`."""
    store, settings = services.store, services.settings
    deleted = 0
    for job_id in store.jobs.without_files(
        ended_s_ago=settings.record_retention_s, limit=_MAX_PER_PASS
    ):
        try:
            store.jobs.delete(job_id)
        except JobNotFound:  # deleted since the list was read
            continue
        deleted += 1
    if deleted:
        log.info("job_records_deleted", jobs=deleted)
