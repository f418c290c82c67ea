"""Long polling with `Prefer: wait=N` (RFC 7240)."""

from __future__ import annotations

import re

from api.http.concurrency import ConcurrencyLimiter
from api.jobs.polling import poll_job, version
from api.jobs.scoped_store import ScopedJobStore
from jobs.job import Job

MAX_WAIT_S = 60

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)


def wait_for(
    job: Job,
    prefer: str | None,
    *,
    store: ScopedJobStore,
    limiter: ConcurrencyLimiter,
    etag: str | None = None,
) -> tuple[Job, dict[str, str]]:
    """Wait until the job has ended or, with `etag`, until its version differs from it.

    An invalid preference is ignored, and so is one for which no permit is available; RFC 7240
    allows it.

    Returns the latest snapshot and the headers that describe the wait.
    """
    preference = _WAIT.search(prefer or "")
    if preference is None or (release := limiter.try_acquire()) is None:
        return job, {}
    seconds = min(int(preference[1]), MAX_WAIT_S)
    try:
        for snapshot in poll_job(store, job, seconds=seconds):
            latest = snapshot
            if etag is not None and version(snapshot) != etag:
                break
    finally:
        release()
    return latest, {"Preference-Applied": f"wait={seconds}"}
