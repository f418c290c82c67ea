"""Periodic task `clean_storage`: delete files past retention and those of abandoned uploads."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from jobs.errors import JobNotFound
from jobs.files.storage import job_folder
from jobs.logs.log_once import LogOnce
from jobs.outage import is_outage
from worker.dependencies import Services

log = structlog.get_logger(__name__)
_faults = LogOnce(log)

# A pool process that deletes does no other work; the next passes delete the rest.
_MAX_PASS_S = 2.0
# Ids per read: there may be many after a long downtime.
_PAGE_SIZE = 100


def clean_storage(services: Services, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Delete for at most `_MAX_PASS_S` seconds.

    A folder that cannot be deleted is logged and skipped; later passes try it again. Raises only
    during an outage of Redis.
    """
    ends_at = clock() + _MAX_PASS_S
    # The time without data is counted in passes, so every pass must call this.
    abandoned = services.store.uploads.expire(elapsed_s=services.settings.cleanup_interval_s)
    passed_over = 0
    while old := services.store.jobs.past_retention(
        ended_s_ago=services.settings.retention_s, limit=_PAGE_SIZE, skip=passed_over
    ):
        for job_id in old:
            if clock() > ends_at:
                return
            if not (_deleted(services, job_id) and _deletion_noted(services, job_id)):
                passed_over += 1
    # The store refuses to create jobs from these uploads.
    for job_id in abandoned:
        if clock() > ends_at:
            return
        if _holds_files(services, job_id) and _deleted(services, job_id):
            log.warning("abandoned_upload_deleted", job_id=job_id)


def _deletion_noted(services: Services, job_id: str) -> bool:
    try:
        services.store.jobs.mark_files_deleted(job_id)
    except JobNotFound:  # deleted since the list was read
        return True
    except Exception as error:
        return _passed_over(job_id, error)
    log.info("files_deleted", job_id=job_id, reason="retention is over")
    return True


def _holds_files(services: Services, job_id: str) -> bool:
    try:
        return bool(services.storage.names(job_folder(job_id)))
    except Exception as error:
        return _passed_over(job_id, error)


def _deleted(services: Services, job_id: str) -> bool:
    try:
        services.storage.delete(job_folder(job_id))
    except Exception as error:
        return _passed_over(job_id, error)
    _faults.forget(job_id)
    return True


def _passed_over(job_id: str, error: Exception) -> bool:
    # Storage errors differ by backend; none may keep the other folders from being deleted.
    if is_outage(error):
        raise error
    _faults.error(
        job_id,
        "file_deletion_failed",
        job_id=job_id,
        error=f"{type(error).__name__}: {error}",
        action="check that this process may delete the files of the storage",
    )
    return False
