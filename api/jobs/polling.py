"""Polls the job store until a job changes or ends."""

from __future__ import annotations

import time
from collections.abc import Iterator

from api.jobs.scoped_store import ScopedJobStore
from jobs.job import Job

# The poll interval is 2 % of the job's age, so waiting adds at most 2 % to its duration. For long
# jobs about three polls a second are frequent enough for people and cheap for Redis.
_SHARE_OF_AGE = 0.02
_MIN_INTERVAL_S, _MAX_INTERVAL_S = 0.005, 0.3


def version(job: Job) -> str:
    """Return the version of a snapshot, which changes with every visible change of the job."""
    counts = job.row_counts
    deleted = "-deleted" if job.files_deleted_at else ""
    return f"{job.state}-{counts.total}-{counts.processed}-{int(job.planned)}{deleted}"


def poll_job(store: ScopedJobStore, job: Job, *, seconds: float) -> Iterator[Job]:
    """Yield `job`, then new snapshots until it has ended or `seconds` are over.

    Raises `JobNotFound`.
    """
    deadline = time.monotonic() + seconds
    yield job
    while not job.is_terminal and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(max(job.age_s * _SHARE_OF_AGE, _MIN_INTERVAL_S), _MAX_INTERVAL_S, left))
        job = store.get(job.id)
        yield job
