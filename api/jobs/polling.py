"""Waits for a job to change or to end."""

from __future__ import annotations

import time
from collections.abc import Iterator

from api.jobs.scoped_store import ScopedJobStore
from jobs.job import Job

# The younger a job, the sooner it may end, so a wait costs a job at most a fiftieth of its time; of long jobs three looks a
# second are soon enough for people, and nothing to Redis, whether one process waits or eight.
_SHARE_OF_AGE = 0.02
_SOONEST_S, _LATEST_S = 0.005, 0.3


def version(job: Job) -> str:
    """Tells one look at the job from another: the same while nothing has happened."""
    counts = job.row_counts
    gone = "-deleted" if job.files_deleted_at else ""
    return f"{job.state}-{counts.total}-{counts.processed}-{int(job.planned)}{gone}"


def poll_job(store: ScopedJobStore, job: Job, *, seconds: float) -> Iterator[Job]:
    """The job again and again, `job` first, until it has ended or the time is over. Raises `JobNotFound`."""
    until = time.monotonic() + seconds
    yield job
    while not job.is_terminal and (left := until - time.monotonic()) > 0:
        time.sleep(min(max(job.age_s * _SHARE_OF_AGE, _SOONEST_S), _LATEST_S, left))
        job = store.get(job.id)
        yield job
