"""`Prefer: wait=N`: an answer that comes when there is something to say, but after N seconds at the latest (RFC 7240)."""

from __future__ import annotations

import re

from api.http.concurrency import ConcurrencyLimiter
from api.jobs.polling import poll_job, version
from api.jobs.scoped_store import ScopedJobStore
from jobs.job import Job

LONGEST_WAIT_S = 60

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)


def wait_for(
    job: Job,
    prefer: str | None,
    *,
    store: ScopedJobStore,
    waiting: ConcurrencyLimiter,
    known: str | None = None,
) -> tuple[Job, dict[str, str]]:
    """The job once it has ended (or is not `known` any more, if that is given), and the header that says so.

    A preference that is none, or for which there is no permit, is ignored, as the standard allows.
    """
    asked = _WAIT.search(prefer or "")
    if asked is None or (release := waiting.try_acquire()) is None:
        return job, {}
    seconds = min(int(asked[1]), LONGEST_WAIT_S)
    try:
        for look in poll_job(store, job, seconds=seconds):
            latest = look
            if known is not None and version(look) != known:
                break
    finally:
        release()
    return latest, {"Preference-Applied": f"wait={seconds}"}
