"""Periodic task `delete_orphans`: delete job folders without a job record.

A process that was stopped for long, or a failed deletion, leaves such folders.
"""

from __future__ import annotations

import structlog

from jobs.errors import JobNotFound
from jobs.files.storage import JOBS, job_folder
from jobs.logs.log_once import LogOnce
from jobs.outage import is_outage
from worker.dependencies import Services

log = structlog.get_logger(__name__)
_faults = LogOnce(log)


def delete_orphans(services: Services) -> None:
    """Check all job folders.

    A folder is deleted if no job has its name and nothing in it has changed for
    `orphan_min_age_s`: the store then no longer creates a job from its upload. A folder that cannot
    be deleted is logged and skipped.

    Raises:
        OSError: the storage cannot be used.
        redis.RedisError: an outage of Redis.
    """
    # File times come from the storage's clock.
    changed_before = services.storage.now() - services.settings.orphan_min_age_s
    for job_id in services.storage.folders(JOBS):
        services.progress.touch()
        try:
            if _is_orphan(services, job_id, changed_before):
                services.storage.delete(job_folder(job_id))
                log.warning("orphan_deleted", job_id=job_id)
        except Exception as error:
            if is_outage(error):
                raise
            _faults.error(job_id, "orphan_deletion_failed", job_id=job_id, error=error)


def _is_orphan(services: Services, job_id: str, changed_before: float) -> bool:
    changed = services.storage.changed_at(job_folder(job_id))
    if changed is None or changed >= changed_before:
        return False
    try:
        services.store.jobs.get(job_id)
    except JobNotFound:
        return True
    return False
