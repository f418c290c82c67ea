"""Periodic task `recover_jobs`: enqueue due steps that have neither a valid claim nor a message.

Recovery reads the job record, which contains the missing steps no matter which process died or
which message was lost.
"""

from __future__ import annotations

import structlog

from jobs.errors import JobNotFound
from jobs.logs.log_once import LogOnce
from jobs.outage import is_outage
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, AbandonedSteps, label_step
from worker.dependencies import Services

log = structlog.get_logger(__name__)
_faults = LogOnce(log)

# A younger message may still be on its way to a worker.
_IDLE_S = 4.0


def recover_jobs(services: Services) -> None:
    """Check every job that has not ended.

    A job that cannot be recovered is logged and skipped. Raises only during an outage of Redis.
    """
    abandoned: dict[str, AbandonedSteps] = {}
    for job_id in services.store.jobs.active_ids():
        services.progress.touch()
        try:
            missing = services.store.leases.find_abandoned(
                job_id, idle_s=_IDLE_S, lease_s=services.settings.lease_s
            )
        except JobNotFound:  # deleted since the list was read
            continue
        except Exception as error:
            if is_outage(error):
                raise
            _faults.error(job_id, "job_recovery_failed", job_id=job_id, exc_info=True)
            continue
        if missing:
            abandoned[job_id] = missing
    if not abandoned:
        return
    # A second message for a queued step would only make the queue longer.
    queued = services.task_queue.queued(
        {step for item in abandoned.items() for step in _steps(*item)}
    )
    for job_id, missing in abandoned.items():
        lost = [step for step in _steps(job_id, missing) if step not in queued]
        if lost:
            log.warning("job_recovered", job_id=job_id, steps=[step for _, step in lost])
            _enqueue(services, job_id, missing, {step for _, step in lost})


def _steps(job_id: str, missing: AbandonedSteps) -> list[tuple[str, str]]:
    steps = [PLAN] if missing.plan else []
    steps += [label_step(index) for index in missing.chunks]
    steps += [ASSEMBLE] if missing.assemble else []
    return [(job_id, step) for step in steps]


def _enqueue(services: Services, job_id: str, missing: AbandonedSteps, lost: set[str]) -> None:
    if PLAN in lost:
        services.task_queue.plan(job_id)
    for index in missing.chunks:
        if label_step(index) in lost:
            services.task_queue.label(job_id, index)
    if ASSEMBLE in lost:
        services.task_queue.assemble(job_id)
