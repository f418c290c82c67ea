"""Finds steps that should be under way but that nobody holds, and sends them again.

Recovery reads the job record, never the broker: whatever died, and whatever message was lost with it,
the record knows which steps are missing.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from jobs.errors import JobNotFound
from jobs.job import Failure, State
from jobs.storage import job_folder
from jobs.store import ASSEMBLE, PLAN, Missing, label_step
from worker.services import Services

log = logging.getLogger(__name__)

# A message younger than this may simply not have been taken yet.
_IDLE_S = 4.0


def sweep(services: Services) -> None:
    """One pass: jobs that have not ended go on, files that were kept long enough are deleted."""
    _delete_old_files(services)
    _delete_lost_uploads(services)
    # A step whose message still waits is not sent again: that would only make the queue longer.
    waiting = services.messages.waiting()
    for job_id in services.store.active():
        try:
            _expire(services, job_id)
            missing = services.store.missing(
                job_id, idle_s=_IDLE_S, lease_s=services.settings.lease_s
            )
        except JobNotFound:  # deleted since the list was read
            continue
        missing = Missing(
            plan=missing.plan and (job_id, PLAN) not in waiting,
            assemble=missing.assemble and (job_id, ASSEMBLE) not in waiting,
            chunks=tuple(i for i in missing.chunks if (job_id, label_step(i)) not in waiting),
        )
        if not missing:
            continue
        log.warning("%s: sent again: %s", job_id, missing)
        if missing.plan:
            services.messages.plan(job_id)
        for index in missing.chunks:
            services.messages.label(job_id, index)
        if missing.assemble:
            services.messages.assemble(job_id)


def _delete_old_files(services: Services) -> None:
    for job_id in services.store.keeping_files(ended_s_ago=services.settings.retention_s):
        services.storage.delete(job_folder(job_id))
        try:
            services.store.files_deleted(job_id)
        except JobNotFound:  # deleted since the list was read
            continue
        log.info("%s: files deleted, their retention is over", job_id)


def _delete_lost_uploads(services: Services) -> None:
    """What is left of uploads whose API died. The store sees to it that no job is made of them any more."""
    for job_id in services.store.lost_uploads(silent_s_more=services.settings.sweep_s):
        if services.storage.names(job_folder(job_id)):
            log.warning("%s: the upload was broken off, what had arrived is deleted", job_id)
            services.storage.delete(job_folder(job_id))


def _expire(services: Services, job_id: str) -> None:
    job = services.store.get(job_id)
    limit = services.settings.job_deadline_s
    if job.ending is None and job.read_at - job.state_times[State.QUEUED] > limit:
        log.warning("%s: expired", job_id)
        message = (
            f"The job took longer than {timedelta(seconds=limit)}. Its result holds what was finished; "
            "upload the rest again, or raise SPINELABEL_JOB_DEADLINE_S."
        )
        services.store.end(
            job_id, State.EXPIRED, Failure(code="DEADLINE_EXCEEDED", message=message)
        )
        services.messages.assemble(job_id)
