"""Forgets the records of jobs whose retention is over, once their files are deleted."""

from __future__ import annotations

import logging

from jobs.errors import JobNotFound
from worker.dependencies import Services

log = logging.getLogger(__name__)

# What is left over is forgotten by the next passes.
_MOST_AT_ONCE = 500


def forget_jobs(services: Services) -> None:
    """One pass over a bounded number of jobs. Raises the store's own error when it cannot be reached."""
    store, settings = services.store, services.settings
    forgotten = 0
    for job_id in store.jobs.without_files(
        ended_s_ago=settings.record_retention_s, limit=_MOST_AT_ONCE
    ):
        try:
            store.jobs.delete(job_id)
        except JobNotFound:  # deleted since the list was read
            continue
        forgotten += 1
    if forgotten:
        log.info("%d jobs forgotten, the retention of their records is over", forgotten)
